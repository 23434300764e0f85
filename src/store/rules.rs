//! What an owner has laid down for an agent: whom it answers, what it may link to, how often it may answer.

use super::StoreError;
use crate::mail::{SenderRule, comparable_domain};

/// A list of words that is stored as one JSON text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WordList(pub Vec<String>);

impl TryFrom<String> for WordList {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> Result<Self, serde_json::Error> {
        serde_json::from_str(&stored).map(Self)
    }
}

impl WordList {
    /// Most entries: every mail is compared with all of them.
    pub const MOST: usize = 1000;

    /// Senders in comparable form; `None` where one is neither an address nor a domain.
    pub fn of_senders<'a>(written: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let read = |text: &str| SenderRule::parse(text).map(|rule| rule.to_string());
        written.into_iter().map(read).collect::<Option<_>>().map(Self)
    }

    /// Domains in comparable form; `None` where one is none.
    pub fn of_domains<'a>(written: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        written.into_iter().map(comparable_domain).collect::<Option<_>>().map(Self)
    }

    /// The stored form.
    pub(super) fn stored(&self) -> Result<String, StoreError> {
        serde_json::to_string(&self.0)
            .map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
    }
}

/// The rules of one agent; the default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Rules {
    /// Domains that its replies may link to, their subdomains included (SR-69); no links without.
    #[sqlx(try_from = "String")]
    pub link_domains: WordList,
    /// Addresses and domains that alone are answered; everybody while empty.
    #[sqlx(try_from = "String")]
    pub allowed_senders: WordList,
    /// Addresses and domains that are never answered.
    #[sqlx(try_from = "String")]
    pub blocked_senders: WordList,
    /// Whether only senders are answered whom the mailbox's own host vouches for (EM-137).
    pub require_authenticated: bool,
    /// Limits below those of the configuration.
    #[sqlx(flatten)]
    pub limits: Limits,
}

/// No agent answers more often than this in a day.
pub const MOST_ANSWERS: i64 = 1_000_000;

/// Limits that an agent sets below those of the configuration (EM-27); `None` leaves the configuration's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Limits {
    /// Answers to one correspondent in 10 minutes.
    pub per_correspondent_10_minutes: Option<i64>,
    /// Answers to one correspondent in 24 hours.
    pub per_correspondent_day: Option<i64>,
    /// Answers in one thread in 24 hours.
    pub per_thread_day: Option<i64>,
    /// Answers of this agent in 24 hours.
    pub per_agent_day: Option<i64>,
}

/// Longest signature, in characters.
pub const LONGEST_SIGNATURE: usize = 2000;

/// How the replies of one agent sound, beyond their words; the default is what we say by ourselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Voice {
    /// Lines below the reply.
    pub signature: Option<String>,
    /// The wording of the line that says who answers, as a [`Wording`](crate::mail::Wording) has it (SR-88).
    pub disclosure: Option<String>,
    /// The tag of the language to answer in; the mail's own if unset.
    pub language: Option<String>,
}
