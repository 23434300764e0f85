//! `outbox` and `outbox_bytes`: at most one reply per run, its bytes frozen before the first attempt.

use sqlx::{QueryBuilder, Sqlite};

use super::asked_rows::push_asked;
use super::brakes::{self, Brakes, Exchange, Refusal};
use super::claims::Lease;
use super::freezing;
use super::group::Ask;
use super::pool::{Database, Tx, on_pool, on_tx};
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
    /// The one recipient, in comparable form.
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

/// The bytes of a reply, which are never changed, lie beside its row, which changes several times.
macro_rules! raw {
    () => {
        "(SELECT raw FROM outbox_bytes WHERE outbox_bytes.run_id = outbox.run_id)"
    };
}

pub(super) use raw;

impl Store {
    /// The reply of a run, if it is frozen already.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_outbox_mail(&self, user: UserId, run: RunId) -> Result<Option<OutboxMail>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(concat!(
            "SELECT run_id, rfc_message_id, recipient, ", raw!(), " AS raw, state FROM outbox
             WHERE user_id = $1 AND run_id = $2"))
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
                // In this order, as answers are kept, so that nobody waits in a circle.
                brakes::lock(tx, &reply.frozen.exchange).await?;
                assign(tx, lease, reply.frozen.exchange.agent).await?;
                freezing::freeze(tx, lease, &reply, now).await
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
        let now = self.clock.now();
        let has_begun = self.pool.groups().sendings.ask(Sending { lease, now }).await?;
        if has_begun { Ok(()) } else { Err(StoreError::LeaseLost) }
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
        let changed = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query(
                        "UPDATE outbox SET state = $4, epoch = $3
                         WHERE user_id = $1 AND run_id = $2 AND state <> 'sent' AND EXISTS (SELECT 1 FROM runs
                            WHERE id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL)")
                        .bind(lease.user).bind(lease.run).bind(lease.epoch).bind(state)
                        .execute(&mut *db).await.map(|done| done.rows_affected()))?)
                })
            })
            .await?;
        if changed == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
    }

    async fn settle_unknown(&self, lease: Lease) -> Result<(), StoreError> {
        self.write(move |tx| {
            Box::pin(async move {
                let held = on_tx!(tx, db => sqlx::query(
                    "UPDATE runs SET resend = $4
                     WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL")
                    .bind(lease.user).bind(lease.run).bind(lease.epoch).bind(false)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if held != 1 {
                    return Err(StoreError::LeaseLost);
                }
                on_tx!(tx, db => sqlx::query(
                    "UPDATE outbox SET state = 'ambiguous', epoch = $3
                     WHERE user_id = $1 AND run_id = $2 AND state <> 'sent'")
                    .bind(lease.user).bind(lease.run).bind(lease.epoch).execute(&mut *db).await.map(drop))?;
                Ok(())
            })
        })
        .await
    }
}

/// A reply that is about to be handed over.
pub(super) struct Sending {
    lease: Lease,
    now: Timestamp,
}

// A server's rows are locked in the order of the runs' ids, so that nobody waits in a circle. What somebody else has begun to
// hand over is nobody's: their lease may have been seen to hold just before it was taken.
const POSTGRES_BEGIN: &str = "WITH held AS MATERIALIZED (
    SELECT outbox.run_id, asked.epoch, asked.sending_at
    FROM UNNEST($1::UUID[], $2::UUID[], $3::BIGINT[], $4::BIGINT[]) AS asked (user_id, run_id, epoch, sending_at)
    JOIN outbox ON outbox.run_id = asked.run_id AND outbox.user_id = asked.user_id
    WHERE outbox.run_id = ANY($2) AND outbox.state <> 'sent'
        AND (outbox.state <> 'sending' OR outbox.epoch = asked.epoch) AND EXISTS (SELECT 1 FROM runs
        WHERE id = asked.run_id AND lease_epoch = asked.epoch AND lease_until IS NOT NULL)
    ORDER BY outbox.run_id FOR NO KEY UPDATE OF outbox
)
UPDATE outbox SET state = 'sending', epoch = held.epoch, sending_at = held.sending_at
FROM held WHERE outbox.run_id = ANY($2) AND outbox.run_id = held.run_id
RETURNING outbox.run_id, outbox.epoch";

const SQLITE_BEGIN: &str =
    "UPDATE outbox SET state = 'sending', epoch = asked.epoch, sending_at = asked.sending_at
FROM asked WHERE outbox.run_id = asked.run_id AND outbox.user_id = asked.user_id AND outbox.state <> 'sent'
    AND EXISTS (SELECT 1 FROM runs
        WHERE id = asked.run_id AND lease_epoch = asked.epoch AND lease_until IS NOT NULL)
RETURNING outbox.run_id, outbox.epoch";

impl Ask for Sending {
    /// Whether the lease still holds.
    type Answer = bool;

    // The connection to a mail server waits for it.
    const AT_ONCE: usize = 2;

    async fn answer(tx: &mut Tx, asks: &[Self]) -> Result<Vec<bool>, StoreError> {
        let begun: Vec<(RunId, i64)> = match tx.database() {
            Database::File(db) => {
                let mut query = QueryBuilder::default();
                push_begin(&mut query, asks).build_query_as().fetch_all(db).await?
            }
            Database::Server(db) => {
                sqlx::query_as(POSTGRES_BEGIN)
                    .bind(asks.iter().map(|ask| ask.lease.user).collect::<Vec<_>>())
                    .bind(asks.iter().map(|ask| ask.lease.run).collect::<Vec<_>>())
                    .bind(asks.iter().map(|ask| ask.lease.epoch).collect::<Vec<_>>())
                    .bind(asks.iter().map(|ask| ask.now).collect::<Vec<_>>())
                    .fetch_all(db)
                    .await?
            }
        };
        Ok(has_begun(asks, &begun))
    }
}

fn push_begin<'q>(query: &'q mut QueryBuilder<Sqlite>, asks: &[Sending]) -> &'q mut QueryBuilder<Sqlite> {
    push_asked(query, "user_id, run_id, epoch, sending_at", asks, |mut row, Sending { lease, now }| {
        row.push_bind(lease.user).push_bind(lease.run).push_bind(lease.epoch).push_bind(now);
    })
    .push(SQLITE_BEGIN)
}

fn has_begun(asks: &[Sending], begun: &[(RunId, i64)]) -> Vec<bool> {
    asks.iter().map(|ask| begun.contains(&(ask.lease.run, ask.lease.epoch))).collect()
}

/// Writes and commits in one trip to SQLite's thread. After an error a transaction may be open. Of a file only: a server's
/// statement is its own commit anyhow.
pub(super) async fn begin_alone(tx: &mut Tx, asks: &[Sending]) -> Result<Vec<bool>, StoreError> {
    let Database::File(file) = tx.database() else { return Sending::answer(tx, asks).await };
    let mut query = QueryBuilder::new("BEGIN IMMEDIATE; ");
    let begun: Vec<(RunId, i64)> =
        push_begin(&mut query, asks).push("; COMMIT").build_query_as().fetch_all(file).await?;
    Ok(has_begun(asks, &begun))
}

/// Notes which agent has a run; nobody else can claim it until this transaction has ended.
pub(super) async fn assign(tx: &mut Tx, lease: Lease, agent: AgentId) -> Result<(), StoreError> {
    let assigned = on_tx!(tx, db => sqlx::query(
        "UPDATE runs SET agent_id = $4
         WHERE user_id = $1 AND id = $2 AND lease_epoch = $3 AND lease_until IS NOT NULL")
        .bind(lease.user).bind(lease.run).bind(lease.epoch).bind(agent)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    if assigned == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}
