//! `completions`: what the provider answered, stored whole before anything else happens with it.

use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

use super::brakes::Refusal;
use super::claims::Lease;
use super::group::Ask;
use super::outbox::{self, NewReply};
use super::pool::{Database, Tx};
use super::provider_calls::CallEnd;
use super::{AgentId, CallId, Store, StoreError, call_steps, freezing};
use crate::clock::Timestamp;

/// A stored answer; a run that has one never calls a provider again.
#[derive(Clone, sqlx::FromRow)]
pub struct StoredCompletion {
    /// The model that wrote it.
    pub model: String,
    /// Why the model stopped.
    pub finish: String,
    /// Its words; `None` once retention has removed them.
    pub body: Option<String>,
    /// Whether the owner has put these words in the place of the model's.
    pub edited: bool,
}

/// What a call led to.
#[derive(Clone)]
pub struct Answer {
    /// The call.
    pub call: CallId,
    /// How it ended and what it cost.
    pub end: CallEnd,
    /// What the provider answered.
    pub completion: StoredCompletion,
}

impl Store {
    /// Stores an answer, what its call cost, and the reply that is made of it, in one commit. The cost is stored even
    /// if the run has passed to somebody else, and the answer even if a brake holds the reply back. Storing the same
    /// again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn store_answer(
        &self,
        lease: Lease,
        answer: Answer,
        reply: Option<NewReply>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let now = self.clock.now();
        let kept = self.pool.groups().answers.ask(Keeping { lease, answer, reply, now }).await?;
        kept.ok_or(StoreError::LeaseLost)
    }

    /// Notes which agent would answer, for people who ask why it does not.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] where somebody else has the run by now.
    pub async fn assign_agent(&self, lease: Lease, agent: AgentId) -> Result<(), StoreError> {
        self.write_one(move |tx| Box::pin(async move { outbox::assign(tx, lease, agent).await })).await
    }
}

/// What became of the reply, if there is one and no brake holds it back; `None` where the lease is lost, and nothing
/// but what the call cost is stored.
type Kept = Option<Result<(), Refusal>>;

/// An answer to be stored with others.
pub(super) struct Keeping {
    lease: Lease,
    answer: Answer,
    reply: Option<NewReply>,
    now: Timestamp,
}

impl Ask for Keeping {
    type Answer = Kept;

    // It is paid.
    const OUTLIVES_ASKER: bool = true;

    const WRITES_IN_STEPS: bool = true;

    async fn answer(tx: &mut Tx, asks: &[Self]) -> Result<Vec<Kept>, StoreError> {
        let Some(now) = asks.iter().map(|ask| ask.now).max() else { return Ok(Vec::new()) };
        let answers = asks.iter().map(|ask| (ask.lease.user, &ask.answer)).collect();
        call_steps::end_calls(tx, answers, now).await?;
        let leases: Vec<Lease> = asks.iter().map(|ask| ask.lease).collect();
        let held = outbox::list_held(tx, &leases).await?;
        let is_held = |ask: &&Keeping| held.contains(&ask.lease);
        insert(tx, asks.iter().filter(is_held).collect(), now).await?;
        let replies = asks.iter().filter(is_held);
        let replies = replies.filter_map(|ask| Some((ask.lease, ask.reply.as_ref()?))).collect();
        let mut frozen = freezing::freeze_together(tx, replies, now).await?.into_iter();
        let mut kept = |ask: &Keeping| match &ask.reply {
            _ if !is_held(&ask) => None,
            Some(_) => frozen.next(),
            None => Some(Ok(())),
        };
        Ok(asks.iter().map(&mut kept).collect())
    }
}

async fn insert(tx: &mut Tx, asks: Vec<&Keeping>, now: Timestamp) -> Result<(), StoreError> {
    if asks.is_empty() {
        return Ok(());
    }
    match tx.database() {
        Database::File(db) => insert_on_file(db, asks, now).await,
        Database::Server(db) => insert_on_server(db, asks, now).await,
    }
}

async fn insert_on_file(
    db: &mut SqliteConnection,
    asks: Vec<&Keeping>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut query = QueryBuilder::new(SQLITE_INSERT);
    query.push_values(asks, |mut row, Keeping { lease, answer, .. }| {
        let completion = &answer.completion;
        row.push_bind(lease.run)
            .push_bind(lease.user)
            .push_bind(answer.call)
            .push_bind(&completion.model)
            .push_bind(&completion.finish)
            .push_bind(&completion.body)
            .push_bind(now);
    });
    query.push(SQLITE_UNLESS_THERE).build().execute(db).await?;
    Ok(())
}

async fn insert_on_server(
    db: &mut PgConnection,
    asks: Vec<&Keeping>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let completions = asks.iter().map(|ask| &ask.answer.completion);
    sqlx::query(POSTGRES_INSERT)
        .bind(asks.iter().map(|ask| ask.lease.run).collect::<Vec<_>>())
        .bind(asks.iter().map(|ask| ask.lease.user).collect::<Vec<_>>())
        .bind(asks.iter().map(|ask| ask.answer.call).collect::<Vec<_>>())
        .bind(completions.clone().map(|completion| completion.model.as_str()).collect::<Vec<_>>())
        .bind(completions.clone().map(|completion| completion.finish.as_str()).collect::<Vec<_>>())
        .bind(completions.map(|completion| completion.body.as_deref()).collect::<Vec<_>>())
        .bind(now)
        .execute(db)
        .await?;
    Ok(())
}

macro_rules! insert {
    () => {
        "INSERT INTO completions (run_id, user_id, call_id, model, finish, body, created_at) "
    };
}

macro_rules! unless_there {
    () => {
        " ON CONFLICT (run_id) DO NOTHING"
    };
}

const SQLITE_INSERT: &str = insert!();
const SQLITE_UNLESS_THERE: &str = unless_there!();
const POSTGRES_INSERT: &str = concat!(
    insert!(),
    "SELECT *, $7 FROM UNNEST($1::UUID[], $2::UUID[], $3::UUID[], $4::TEXT[], $5::TEXT[], $6::TEXT[])",
    unless_there!()
);
