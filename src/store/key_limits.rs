//! `key_limits`: what a provider last said that a key may still spend, and until when. Its owner is warned where one of
//! them comes to its end (SR-14), once per warning: it is given when it becomes due, not while it lasts.

use std::time::Duration;

use super::notices::{self, NewNotice};
use super::pool::{Tx, on_pool, on_tx};
use super::{AiConfiguration, AiConfigurationId, Store, StoreError, UserId};
use crate::clock::{Clock, Timestamp};
use crate::provider::KeyLimits;

const DAY: Duration = Duration::from_secs(24 * 3600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
/// A warning is due where less than one part in so many is left.
const PARTS: i64 = 10;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KnownKeyLimits {
    /// The configuration with the key.
    pub ai_configuration_id: AiConfigurationId,
    /// What the provider calls it.
    pub label: Option<String>,
    /// What it may spend in all, in billionths of a US dollar.
    pub limit_nanousd: Option<i64>,
    /// What is left of it.
    pub remaining_nanousd: Option<i64>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// When the provider said so.
    pub checked_at: Timestamp,
}

impl Store {
    /// What is known of a user's keys.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_key_limits(&self, user: UserId) -> Result<Vec<KnownKeyLimits>, StoreError> {
        Ok(on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT ai_configuration_id, label, limit_nanousd, remaining_nanousd, expires_at, checked_at
             FROM key_limits WHERE user_id = $1 AND checked_at IS NOT NULL LIMIT 100")
            .bind(user).fetch_all(db).await)?)
    }

    /// Notes what the provider has just said of a key, and warns its owner. A key that was replaced in the meantime is
    /// left alone.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn note_key_limits(
        &self,
        configuration: &AiConfiguration,
        limits: KeyLimits,
    ) -> Result<(), StoreError> {
        let (id, user) = (configuration.id, configuration.user_id);
        let key = configuration.api_key.as_stored().to_owned();
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let before = find(tx, user, id).await?;
                if !write(tx, (user, id), key, &limits, clock.now()).await? {
                    return Ok(());
                }
                warn(tx, (user, id), before, &limits, &clock).await
            })
        })
        .await
    }

    /// The next configuration of this provider whose key was not asked about since `before`. It counts as asked about
    /// from now on, so that nobody else asks.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn take_stale_key(
        &self,
        provider: &'static str,
        before: Timestamp,
    ) -> Result<Option<AiConfiguration>, StoreError> {
        let now = self.clock.now();
        let taken: Option<(UserId, AiConfigurationId)> = self
            .write_one(move |tx| {
                Box::pin(async move {
                    Ok(on_tx!(tx, db => sqlx::query_as(
                        "INSERT INTO key_limits (ai_configuration_id, user_id, asked_at)
                         SELECT configuration.id, configuration.user_id, $2
                         FROM ai_configurations AS configuration
                         LEFT JOIN key_limits AS known ON known.ai_configuration_id = configuration.id
                         WHERE configuration.provider = $1 AND configuration.state <> 'invalid'
                            AND (known.asked_at IS NULL OR known.asked_at < $3)
                         ORDER BY COALESCE(known.asked_at, 0) LIMIT 1
                         ON CONFLICT (ai_configuration_id) DO UPDATE SET asked_at = excluded.asked_at
                            WHERE key_limits.asked_at < $3
                         RETURNING user_id, ai_configuration_id")
                        .bind(provider).bind(now).bind(before).fetch_optional(&mut *db).await)?)
                })
            })
            .await?;
        match taken {
            Some((user, id)) => self.find_ai_configuration(user, Some(id)).await,
            None => Ok(None),
        }
    }
}

/// Inside a transaction, before a configuration is written with this key: what is known of another key is forgotten.
pub(super) async fn forget_other(
    tx: &mut Tx,
    (user, id): (UserId, AiConfigurationId),
    key: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let forgotten = on_tx!(tx, db => sqlx::query(
        "DELETE FROM key_limits WHERE user_id = $1 AND ai_configuration_id = $2 AND NOT EXISTS (
            SELECT 1 FROM ai_configurations WHERE id = $2 AND user_id = $1 AND api_key = $3)")
        .bind(user).bind(id).bind(key.to_owned())
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    if forgotten == 0 { Ok(()) } else { end_warnings(tx, user, id, now).await }
}

/// Inside a transaction: the key is gone.
pub(super) async fn end_warnings(
    tx: &mut Tx,
    user: UserId,
    id: AiConfigurationId,
    now: Timestamp,
) -> Result<(), StoreError> {
    for warning in Warning::ALL {
        notices::end(tx, user, &warning.cause(id), now).await?;
    }
    Ok(())
}

async fn find(
    tx: &mut Tx,
    user: UserId,
    id: AiConfigurationId,
) -> Result<Option<KnownKeyLimits>, StoreError> {
    Ok(on_tx!(tx, db => sqlx::query_as(
        "SELECT ai_configuration_id, label, limit_nanousd, remaining_nanousd, expires_at, checked_at
         FROM key_limits WHERE user_id = $1 AND ai_configuration_id = $2 AND checked_at IS NOT NULL")
        .bind(user).bind(id).fetch_optional(&mut *db).await)?)
}

/// Answers whether the configuration still has this key.
async fn write(
    tx: &mut Tx,
    (user, id): (UserId, AiConfigurationId),
    key: String,
    limits: &KeyLimits,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let written = on_tx!(tx, db => sqlx::query(
        "INSERT INTO key_limits (ai_configuration_id, user_id, label, limit_nanousd, remaining_nanousd, expires_at,
            asked_at, checked_at)
         SELECT id, user_id, $4, $5, $6, $7, $8, $8 FROM ai_configurations
         WHERE user_id = $1 AND id = $2 AND api_key = $3
         ON CONFLICT (ai_configuration_id) DO UPDATE SET label = excluded.label,
            limit_nanousd = excluded.limit_nanousd, remaining_nanousd = excluded.remaining_nanousd,
            expires_at = excluded.expires_at, asked_at = excluded.asked_at, checked_at = excluded.checked_at")
        .bind(user).bind(id).bind(key).bind(limits.label.clone()).bind(limits.limit_nanousd)
        .bind(limits.remaining_nanousd).bind(limits.expires_at).bind(now)
        .execute(&mut *db).await.map(|done| done.rows_affected()))?;
    Ok(written == 1)
}

/// Gives the warnings that have become due since `before` was known, and ends those that are due no more.
async fn warn(
    tx: &mut Tx,
    (user, id): (UserId, AiConfigurationId),
    before: Option<KnownKeyLimits>,
    limits: &KeyLimits,
    clock: &Clock,
) -> Result<(), StoreError> {
    let now = clock.now();
    for warning in Warning::ALL {
        let was_due = before.as_ref().is_some_and(|known| warning.was_due(known));
        match warning.sentence(limits, now) {
            None => notices::end(tx, user, &warning.cause(id), now).await?,
            // Told already; its owner may have put it aside.
            Some(_) if was_due => {}
            Some(sentence) => {
                let notice = NewNotice { user, cause: warning.cause(id), kind: warning.as_str(), sentence };
                notices::give(tx, notice, clock).await?;
            }
        }
    }
    Ok(())
}

/// What an owner is warned of.
#[derive(Clone, Copy)]
enum Warning {
    ExpiresInAWeek,
    ExpiresInADay,
    NearlySpent,
}

impl Warning {
    const ALL: [Self; 3] = [Self::ExpiresInAWeek, Self::ExpiresInADay, Self::NearlySpent];

    fn as_str(self) -> &'static str {
        match self {
            Self::ExpiresInAWeek => "key_expires_in_a_week",
            Self::ExpiresInADay => "key_expires_in_a_day",
            Self::NearlySpent => "key_nearly_spent",
        }
    }

    fn cause(self, id: AiConfigurationId) -> String {
        format!("{}:{id}", self.as_str())
    }

    fn was_due(self, known: &KnownKeyLimits) -> bool {
        let limits = KeyLimits {
            label: None,
            limit_nanousd: known.limit_nanousd,
            remaining_nanousd: known.remaining_nanousd,
            expires_at: known.expires_at,
        };
        self.sentence(&limits, known.checked_at).is_some()
    }

    /// What to say; nothing while it is not due. Of the two about the end only the later one lasts.
    fn sentence(self, limits: &KeyLimits, now: Timestamp) -> Option<String> {
        let left = |end: Timestamp| end.since(now);
        match self {
            Self::ExpiresInAWeek => {
                let end = limits.expires_at.filter(|end| left(*end) <= WEEK && left(*end) > DAY)?;
                Some(expires(end))
            }
            Self::ExpiresInADay => limits.expires_at.filter(|end| left(*end) <= DAY).map(expires),
            Self::NearlySpent => {
                let (limit, remaining) = (limits.limit_nanousd?, limits.remaining_nanousd?);
                let is_due = remaining <= 0 || remaining < limit / PARTS;
                is_due.then(|| {
                    "Less than a tenth of your OpenRouter key's limit is left: raise the limit at OpenRouter, or \
                     connect another key."
                        .to_owned()
                })
            }
        }
    }
}

fn expires(end: Timestamp) -> String {
    format!(
        "Your OpenRouter key ends at {end}: connect OpenRouter again before that, or your mail waits for it."
    )
}
