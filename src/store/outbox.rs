//! `outbox`: at most one reply per run, its bytes frozen before the first attempt.

use super::brakes::{self, AgentLock, Brakes, Counts, Exchange, Refusal};
use super::claims::Lease;
use super::pool::{Tx, on_pool, on_tx};
use super::{AgentId, RunId, Store, StoreError, UserId};
use crate::clock::Timestamp;
use crate::mail::RfcMessageId;

/// How far a reply has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum OutboxState {
    /// Frozen, not yet handed over.
    Ready,
    /// Between this and the server's last word anything may have happened.
    Sending,
    /// The server has it.
    Sent,
    /// The connection was lost after the final dot.
    Ambiguous,
    /// The server refused it for good.
    Failed,
}

/// A frozen reply.
#[derive(Clone, sqlx::FromRow)]
pub struct OutboxMail {
    /// The run it belongs to.
    pub run_id: RunId,
    /// Its Message-ID without angle brackets.
    pub rfc_message_id: String,
    /// The one recipient.
    pub recipient: String,
    /// The exact bytes; `None` once retention has removed them.
    pub raw: Option<Vec<u8>>,
    /// How far it has come.
    pub state: OutboxState,
}

/// A reply to be frozen.
#[derive(Clone)]
pub struct Frozen {
    /// What it is to.
    pub exchange: Exchange,
    /// Its Message-ID.
    pub rfc_message_id: RfcMessageId,
    /// The exact bytes.
    pub raw: Vec<u8>,
}

/// A reply to be frozen, unless a brake holds it back.
#[derive(Clone)]
pub struct NewReply {
    /// The reply.
    pub frozen: Frozen,
    /// The limits; none where the owner has said that it is to be sent.
    pub brakes: Option<Brakes>,
}

impl Store {
    /// The reply of a run, if it is frozen already.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_outbox_mail(&self, user: UserId, run: RunId) -> Result<Option<OutboxMail>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT run_id, rfc_message_id, recipient, raw, state FROM outbox
             WHERE user_id = $1 AND run_id = $2")
            .bind(user).bind(run).fetch_optional(db).await)?)
    }

    /// Freezes the reply of an answer that is stored already, unless a brake holds it back; counted and written in one
    /// transaction.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn freeze_reply(
        &self,
        lease: Lease,
        reply: NewReply,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let now = self.clock.now();
        self.write(move |tx| {
            Box::pin(async move {
                let exchange = &reply.frozen.exchange;
                assign(tx, lease, exchange.agent).await?;
                brakes::lock(tx, lease, exchange, AgentLock::Alone).await?.ok_or(StoreError::LeaseLost)?;
                let counts = brakes::count(tx, exchange, now).await?;
                freeze(tx, lease, reply, counts, now).await
            })
        })
        .await
    }

    /// Commits that the reply is about to be handed over. From here to [`Store::settle_reply`] a crash leaves it
    /// ambiguous.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn begin_sending(&self, lease: Lease) -> Result<(), StoreError> {
        self.set_outbox_state(lease, OutboxState::Sending).await
    }

    /// Commits what became of a reply that was about to be handed over. [`OutboxState::Ambiguous`] uses up the
    /// owner's word that the reply is to be sent, since it was said of what was known then.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn settle_reply(&self, lease: Lease, state: OutboxState) -> Result<(), StoreError> {
        if state == OutboxState::Ambiguous {
            return self.settle_unknown(lease).await;
        }
        self.set_outbox_state(lease, state).await
    }

    async fn settle_unknown(&self, lease: Lease) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                if !holds_lease(tx, lease).await? {
                    return Err(StoreError::LeaseLost);
                }
                on_tx!(tx, db => sqlx::query(
                    "UPDATE outbox SET state = 'ambiguous', epoch = $3
                     WHERE user_id = $1 AND run_id = $2 AND state <> 'sent'")
                    .bind(lease.user).bind(lease.run).bind(lease.epoch).execute(&mut *db).await.map(drop))?;
                on_tx!(tx, db => sqlx::query("UPDATE runs SET resend = $3 WHERE user_id = $1 AND id = $2")
                    .bind(lease.user).bind(lease.run).bind(false).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }

    async fn set_outbox_state(&self, lease: Lease, state: OutboxState) -> Result<(), StoreError> {
        let now = self.clock.now();
        let sending_at = (state == OutboxState::Sending).then_some(now);
        let sent_at = (state == OutboxState::Sent).then_some(now);
        let changed = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query(
                        "UPDATE outbox SET state = $4, epoch = $3, sending_at = COALESCE($5, sending_at),
                            sent_at = COALESCE($6, sent_at)
                         WHERE user_id = $1 AND run_id = $2 AND (state <> 'sent' OR $4 = 'sent') AND EXISTS (SELECT 1 FROM runs
                            WHERE id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL)")
                        .bind(lease.user).bind(lease.run).bind(lease.epoch).bind(state)
                        .bind(sending_at).bind(sent_at)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
                })
            })
            .await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}

/// Notes which agent has a run. Like [`holds_lease`], it keeps the row until this transaction has ended.
pub(super) async fn assign(tx: &mut Tx, lease: Lease, agent: AgentId) -> Result<(), StoreError> {
    let assigned = on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET agent_id = $4
         WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL")
        .bind(lease.user).bind(lease.run).bind(lease.epoch).bind(agent)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    if assigned == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}

/// Whether the lease still holds; if so, nobody else can claim the run until this transaction has ended.
pub(super) async fn holds_lease(tx: &mut Tx, lease: Lease) -> Result<bool, StoreError> {
    Ok(match tx {
        Tx::Sqlite(db) => sqlx::query_scalar::<_, i64>(
            "SELECT 1 FROM runs WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL",
        )
        .bind(lease.user)
        .bind(lease.run)
        .bind(lease.epoch)
        .fetch_optional(&mut *db)
        .await?
        .is_some(),
        Tx::Postgres(db) => lock_run(db, lease).await?,
        Tx::Single(db) => lock_run(db, lease).await?,
    })
}

async fn lock_run(db: &mut sqlx::PgConnection, lease: Lease) -> Result<bool, StoreError> {
    Ok(sqlx::query(
        "SELECT 1 FROM runs WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL
         FOR UPDATE",
    )
    .bind(lease.user)
    .bind(lease.run)
    .bind(lease.epoch)
    .fetch_optional(&mut *db)
    .await?
    .is_some())
}

/// Writes the reply if no brake holds it back. The caller holds [`brakes::lock`] and has counted under it. The same
/// reply again changes nothing.
pub(super) async fn freeze(
    tx: &mut Tx,
    lease: Lease,
    reply: NewReply,
    counts: Counts,
    now: Timestamp,
) -> Result<Result<(), Refusal>, StoreError> {
    let NewReply { frozen, brakes } = reply;
    let refusal = brakes.and_then(|brakes| counts.refusal(&frozen.exchange, brakes));
    if let Some(refusal) = refusal {
        return Ok(Err(refusal));
    }
    insert(tx, lease, &frozen, counts.quick_exchanges(&frozen.exchange), now).await?;
    Ok(Ok(()))
}

async fn insert(
    tx: &mut Tx,
    lease: Lease,
    frozen: &Frozen,
    quick: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = match tx {
        Tx::Sqlite(_) => INSERT,
        Tx::Postgres(_) | Tx::Single(_) => POSTGRES_INSERT,
    };
    let exchange = &frozen.exchange;
    let hash = |hash: Option<[u8; 32]>| hash.map(|hash| hash.to_vec());
    let inserted = on_tx!(tx, db => sqlx::query(statement)
        .bind(lease.run).bind(lease.user).bind(exchange.mailbox).bind(exchange.thread)
        .bind(frozen.rfc_message_id.as_str()).bind(&exchange.recipient).bind(&frozen.raw)
        .bind(lease.epoch).bind(now).bind(exchange.agent)
        .bind(hash(exchange.question_hash)).bind(hash(exchange.answer_hash)).bind(quick)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    match tx {
        Tx::Sqlite(db) if inserted == 1 => {
            sqlx::query(SQLITE_COUNT).bind(lease.run).execute(&mut *db).await?;
            Ok(())
        }
        _ => Ok(()),
    }
}

macro_rules! insert {
    () => {
        "INSERT INTO outbox (run_id, user_id, mailbox_id, thread_id, rfc_message_id, recipient, raw, state,
            epoch, created_at, agent_id, question_hash, answer_hash, quick_exchanges)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'ready', $8, $9, $10, $11, $12, $13)
         ON CONFLICT (run_id) DO NOTHING"
    };
}

/// Adds the reply to its agent's hour. Each of the few slots is a row that one transaction at a time may change.
macro_rules! count {
    ($frozen:literal, $slot:literal) => {
        concat!(
            "INSERT INTO agent_hours (agent_id, hour, slot, user_id, replies)
             SELECT agent_id, created_at / 3600000, ",
            $slot,
            ", user_id, 1 FROM ",
            $frozen,
            " ON CONFLICT (agent_id, hour, slot) DO UPDATE SET replies = agent_hours.replies + 1"
        )
    };
}

const INSERT: &str = insert!();
// SQLite changes one table per statement, and has one writer.
const SQLITE_COUNT: &str = count!("outbox WHERE run_id = $1", "0");
const POSTGRES_INSERT: &str = concat!(
    "WITH frozen AS (",
    insert!(),
    " RETURNING run_id, agent_id, created_at, user_id) ",
    count!("frozen", "ABS(hashtext(CAST(run_id AS TEXT))) % 16")
);
