//! `usage_hours`: what provider calls came to, summed by the hour once nothing in it changes any more, so that a year
//! is read as fast as a day. The calls of younger hours are added at every look.

use uuid::Uuid;

use super::pool::{Tx, on_pool, on_tx};
use super::{AgentId, Payer, Store, StoreError, UserId, users};
use crate::clock::Timestamp;

/// By what usage is told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsageGroups {
    /// By day (UTC).
    pub day: bool,
    /// By agent.
    pub agent: bool,
    /// By provider and model.
    pub model: bool,
    /// By whose key was used.
    pub payer: bool,
}

/// What the calls of a group came to; what they are not told apart by is `None`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UsageSum {
    /// Days since 1970-01-01 (UTC).
    pub day: Option<i64>,
    /// The agent.
    pub agent_id: Option<AgentId>,
    /// Its name, while there is such an agent.
    pub agent_name: Option<String>,
    /// The provider's name.
    pub provider: Option<String>,
    /// The model asked for.
    pub model: Option<String>,
    /// Whose key was used.
    pub payer: Option<Payer>,
    /// How much.
    #[sqlx(flatten)]
    pub counts: UsageCounts,
}

/// How much was used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct UsageCounts {
    /// Number of calls.
    pub calls: i64,
    /// Of those, failed ones.
    pub failed: i64,
    /// Tokens read, cached ones included.
    pub input_tokens: i64,
    /// Of those, tokens read from the provider's cache.
    pub cached_tokens: i64,
    /// Tokens written, reasoning included.
    pub output_tokens: i64,
    /// Of those, reasoning tokens.
    pub reasoning_tokens: i64,
    /// What providers said that they charge, in billionths of a US dollar; `None` where none said anything.
    pub cost_nanousd: Option<i64>,
}

impl UsageCounts {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            failed: self.failed.saturating_add(other.failed),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
            cost_nanousd: match (self.cost_nanousd, other.cost_nanousd) {
                (Some(one), Some(two)) => Some(one.saturating_add(two)),
                (one, two) => one.or(two),
            },
        }
    }
}

/// Users whose hours are summed in one go.
const MOST_USERS: i64 = 100;
/// Calls that are summed in one transaction, unless one hour alone has more.
const MOST_CALLS: i64 = 5000;

/// The agent of calls that were made for none, in sums: a primary key has no gaps.
const NO_AGENT: Uuid = Uuid::nil();

impl Store {
    /// What a user's calls from `from` until before `until` came to, both at the beginning of a day (UTC), in the
    /// order of days; at most `most` groups.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_usage(
        &self,
        user: UserId,
        (from, until): (Timestamp, Timestamp),
        groups: UsageGroups,
        most: u32,
    ) -> Result<Vec<UsageSum>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(LIST)
            .bind(user).bind(from).bind(until)
            .bind(groups.day).bind(groups.agent).bind(groups.model).bind(groups.payer)
            .bind(i64::from(most)).bind(NO_AGENT).fetch_all(db).await)?)
    }

    /// Sums hours that ended before `settled_before`, when every call that began in them had ended. A bounded batch;
    /// answers how many users' hours it summed.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn sum_hours(&self, settled_before: Timestamp) -> Result<u64, StoreError> {
        let until = Timestamp::from_millis(begin_of_hour(settled_before.millis()));
        let users: Vec<UserId> = on_pool!(&self.pool, db => sqlx::query_scalar(LIST_UNSUMMED)
            .bind(until).bind(MOST_USERS).fetch_all(db).await)?;
        let mut summed = 0;
        for user in users {
            match self.write(move |tx| Box::pin(async move { sum_hours_of(tx, user, until).await })).await {
                Ok(()) => summed += 1,
                Err(StoreError::Database(error @ sqlx::Error::Database(_))) => {
                    tracing::warn!(%error, %user, "cannot sum what a user's calls came to");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(summed)
    }
}

// The hours are summed in their order: what is not summed is younger than the youngest summed hour.
const LIST: &str = "WITH calls AS (
    SELECT hour AS at, NULLIF(agent_id, $9) AS agent_id, payer, provider, model, calls, failed,
        input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nanousd
    FROM usage_hours WHERE user_id = $1 AND hour >= $2 AND hour < $3
    UNION ALL
    SELECT started_at, agent_id, payer, provider, model, 1, CASE WHEN state = 'failed' THEN 1 ELSE 0 END,
        input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nanousd
    FROM provider_calls WHERE user_id = $1 AND started_at < $3 AND started_at >= (
        SELECT CASE WHEN MAX(hour) + 3600000 > $2 THEN MAX(hour) + 3600000 ELSE $2 END
        FROM usage_hours WHERE user_id = $1)
), sums AS (
    SELECT CASE WHEN $4 THEN at / 86400000 END AS day, CASE WHEN $5 THEN agent_id END AS agent_id,
        CASE WHEN $6 THEN provider END AS provider, CASE WHEN $6 THEN model END AS model,
        CASE WHEN $7 THEN payer END AS payer,
        CAST(SUM(calls) AS BIGINT) AS calls, CAST(SUM(failed) AS BIGINT) AS failed,
        CAST(SUM(input_tokens) AS BIGINT) AS input_tokens, CAST(SUM(cached_tokens) AS BIGINT) AS cached_tokens,
        CAST(SUM(output_tokens) AS BIGINT) AS output_tokens,
        CAST(SUM(reasoning_tokens) AS BIGINT) AS reasoning_tokens, CAST(SUM(cost_nanousd) AS BIGINT) AS cost_nanousd
    FROM calls GROUP BY 1, 2, 3, 4, 5
)
SELECT day, agent_id, agents.name AS agent_name, sums.provider, sums.model, payer, calls, failed,
    input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nanousd
FROM sums LEFT JOIN agents ON agents.user_id = $1 AND agents.id = sums.agent_id
ORDER BY day, agent_id, provider, model, payer LIMIT $8";

/// Users with calls in hours before `$1` that are not summed.
const LIST_UNSUMMED: &str = "SELECT id FROM users WHERE EXISTS (
        SELECT 1 FROM provider_calls WHERE user_id = users.id AND started_at < $1 AND started_at >= (
            SELECT COALESCE(MAX(hour) + 3600000, 0) FROM usage_hours WHERE user_id = users.id))
    LIMIT $2";

/// The first call of a user that is not summed, and the last one that fits into a batch.
const FIND_BATCH: &str = "SELECT MIN(started_at), MAX(started_at) FROM (
    SELECT started_at FROM provider_calls WHERE user_id = $1 AND started_at < $2 AND started_at >= (
        SELECT COALESCE(MAX(hour) + 3600000, 0) FROM usage_hours WHERE user_id = $1)
    ORDER BY started_at LIMIT $3) AS batch";

const SUM: &str = "INSERT INTO usage_hours (user_id, hour, agent_id, payer, provider, model, calls, failed,
        input_tokens, cached_tokens, output_tokens, reasoning_tokens, cost_nanousd)
    SELECT user_id, started_at / 3600000 * 3600000, COALESCE(agent_id, $4), payer, provider, model, COUNT(*),
        SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END),
        SUM(input_tokens), SUM(cached_tokens), SUM(output_tokens), SUM(reasoning_tokens),
        SUM(cost_nanousd)
    FROM provider_calls WHERE user_id = $1 AND started_at >= $2 AND started_at < $3
    GROUP BY user_id, started_at / 3600000, agent_id, payer, provider, model";

/// Whole hours only, and at least one.
async fn sum_hours_of(tx: &mut Tx, user: UserId, until: Timestamp) -> Result<(), StoreError> {
    // Of several processes one sums.
    if !users::lock(tx, user).await? {
        return Ok(());
    }
    let (first, last): (Option<i64>, Option<i64>) = on_tx!(tx, db => sqlx::query_as(FIND_BATCH)
        .bind(user).bind(until).bind(MOST_CALLS).fetch_one(&mut *db).await)?;
    let (Some(first), Some(last)) = (first, last) else { return Ok(()) };
    let from = begin_of_hour(first);
    let batch_end = begin_of_hour(last).max(from + HOUR);
    on_tx!(tx, db => sqlx::query(SUM)
        .bind(user).bind(from).bind(batch_end.min(until.millis())).bind(NO_AGENT)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// In milliseconds.
const HOUR: i64 = 3_600_000;

fn begin_of_hour(millis: i64) -> i64 {
    millis - millis.rem_euclid(HOUR)
}
