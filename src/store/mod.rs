//! Memory: every row and its SQL, one file per table.
//!
//! One SQL text serves both databases (`$n`, `RETURNING`, `ON CONFLICT`, partial indexes); the few statements
//! that must differ are an explicit two-arm `match`. A transaction never leaves a method of [`Store`], and no
//! method of it touches the network.

mod access_retention;
mod agent_changes;
mod agents;
mod ai_configuration_changes;
mod ai_configurations;
mod answers_kept;
mod api_key_reminders;
mod api_key_rotation;
mod api_keys;
mod arrival_rows;
mod arrivals;
mod asked_rows;
mod attempts;
mod audit;
mod brakes;
mod calls_begun;
mod claims;
mod completions;
mod departures;
mod dossiers;
mod double_watches;
mod export;
mod filing;
mod freezing;
mod group;
mod idempotency_keys;
mod ids;
mod invites;
mod kek_checks;
mod key_limits;
mod lender;
mod mailbox_access;
mod mailbox_changes;
mod mailbox_leases;
mod mailbox_secrets;
mod mailboxes;
mod message_lists;
mod messages;
mod migrations;
mod notices;
mod oauth_states;
mod outbox;
mod own_addresses;
mod password_resets;
mod pool;
mod provider_calls;
mod provision;
mod replies;
mod retention;
mod rules;
mod run_decisions;
mod run_lists;
mod runs;
mod security_tokens;
mod sent;
mod sessions;
mod sign_up;
mod suppressions;
mod things;
mod tickets;
mod unreadable_mailboxes;
mod usage;
mod users;
mod verdicts;
mod wake;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use sqlx::{ConnectOptions, Connection};
use tokio::sync::Notify;

use self::lender::{Lender, Patience};
use self::pool::{Pool, Tx, on_pool, on_server};
use self::writer::Work;
use crate::clock::{Clock, Timestamp};
use crate::config;

pub use self::agent_changes::AgentRefusal;
pub use self::agents::{Agent, AmbiguousPolicy, EMAIL_INBOUND, Mode, NewAgent};
pub use self::ai_configuration_changes::{AiConfigurationChange, NewKey};
pub use self::ai_configurations::{API_KEY_COLUMN, AiConfiguration, KeyMark, KeyState, NewAiConfiguration};
pub use self::api_key_reminders::ApiKeyReminder;
pub use self::api_key_rotation::ApiKeyRotation;
pub use self::api_keys::{ApiKey, ApiKeySaved, ApiKeySettings, NewApiKey, ShownApiKey};
pub use self::arrivals::{Accepted, Arrival};
pub use self::attempts::Allowance;
pub use self::audit::{AuditEntry, NewAuditEntry};
pub use self::brakes::{Brakes, Exchange, Refusal};
pub use self::claims::{Claim, ClaimLimits, Holder, Lease};
pub use self::completions::{Answer, StoredCompletion};
pub use self::dossiers::Dossier;
pub use self::double_watches::{MailboxOfOwner, WatchedFolder};
pub use self::export::{EXPORT_PARTS, ExportCursor, ExportPart, ExportRecord};
pub use self::filing::Unfiled;
pub use self::idempotency_keys::{ANSWER_COLUMN, Known, NamedCall};
pub use self::ids::*;
pub use self::invites::{Invite, NewInvite};
pub use self::key_limits::KnownKeyLimits;
pub use self::mailbox_access::AccessError;
pub use self::mailbox_changes::{Changed, MailboxRefusal};
pub use self::mailbox_leases::{MailboxCursor, MailboxLease, WatchedMailbox};
pub use self::mailbox_secrets::MailboxSecrets;
pub use self::mailboxes::{INBOX, Mailbox, MailboxState, NewMailbox, OAuth, Reception, Server, columns};
pub use self::message_lists::{MessageFilter, MessageHead};
pub use self::messages::{EarlierLimits, Message, ThreadMail};
pub use self::migrations::Tables;
pub use self::notices::{NewNotice, Notice, OwnerWithNews};
pub use self::oauth_states::{NewOauthState, OauthState, VERIFIER_COLUMN};
pub use self::outbox::{Frozen, NewReply, OutboxMail, OutboxState};
pub use self::provider_calls::{CallEnd, NO_WORDS, NewCall, Payer, ProviderCall, UsageTotal};
pub use self::provision::Provision;
pub use self::replies::Reply;
pub use self::rules::{LONGEST_SIGNATURE, Limits, MOST_ANSWERS, Rules, Voice, WordList};
pub use self::run_decisions::{DISCARDED, Decided, Decision};
pub use self::run_lists::RunFilter;
pub use self::runs::{Run, RunState, StateCount};
pub use self::security_tokens::{NewSecurityToken, SecurityToken, ShownSecurityToken};
pub use self::sent::SentMail;
pub use self::sessions::{NewSession, Principal, Rotation, Session};
pub use self::sign_up::{Admission, SignedUp};
pub use self::suppressions::{NewSuppression, Reason, Suppression};
pub use self::tickets::Ticket;
pub use self::unreadable_mailboxes::SECRET_UNREADABLE;
pub use self::usage::{UsageCounts, UsageGroups, UsageSum};
pub use self::users::{NewUser, Role, User};
pub use self::verdicts::{Due, Verdict};

/// Why a row could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database said no, or did not answer.
    #[error("the database did not do it: {0}")]
    Database(#[from] sqlx::Error),
    /// The group of writes was not seen to be committed; whoever asked may write the same again.
    #[error("the commit failed: {0}")]
    NotCommitted(String),
    /// A row contradicts what the program guarantees.
    #[error("impossible row: {table}.{column} of {id}")]
    Impossible {
        /// The table.
        table: &'static str,
        /// The column that cannot be.
        column: &'static str,
        /// The row.
        id: String,
    },
    /// The lease under which this was to be written belongs to somebody else by now.
    #[error("the lease is lost; somebody else has this run")]
    LeaseLost,
    /// A unique name is taken.
    #[error("there is already one: {0}")]
    Taken(&'static str),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
    /// A write panicked; nothing of it is stored.
    #[error("a write panicked, nothing was stored")]
    Panicked,
    /// The URL names a database that this program does not speak.
    #[error("the database URL must begin with sqlite:// or postgres://")]
    UnknownScheme,
    /// The server acknowledges commits before they are safe.
    #[error("synchronous_commit is off on this server: set it to on, or mail could be lost")]
    UnsafeCommits,
    /// The tables are newer than this program.
    #[error("the tables are at version {0}, which this program does not know: run a newer postkey")]
    NewerSchema(i64),
    /// The tables could not be made.
    #[error("the tables could not be made or changed: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// Whether the same may succeed later: the database did not answer, or could not commit. What it rightly
    /// refuses, such as a row without its parent, it would refuse again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.kind() == sqlx::error::ErrorKind::Other,
            Self::Database(error) => !matches!(
                error,
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::RowNotFound
            ),
            Self::NotCommitted(_) | Self::Closed => true,
            _ => false,
        }
    }

    /// Whether it is the server that is missing, or a file's transaction, and not what was asked that is refused.
    pub(crate) fn is_away(&self) -> bool {
        use sqlx::Error::{PoolClosed, PoolTimedOut, WorkerCrashed};
        match self {
            Self::NotCommitted(_) => true,
            Self::Database(error) => {
                lender::is_lost(error) || matches!(error, PoolTimedOut | PoolClosed | WorkerCrashed)
            }
            _ => false,
        }
    }

    /// Whether the server cannot be reached, is still starting, or is full.
    pub fn is_unreachable(&self) -> bool {
        match self {
            // What stands in front of a server that is not there yet may accept and hang up, as Docker's proxy does.
            Self::Database(sqlx::Error::Io(_) | sqlx::Error::Protocol(_)) => true,
            Self::Database(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| [CANNOT_CONNECT_NOW, TOO_MANY_CONNECTIONS].contains(&&*code))
            }
            _ => false,
        }
    }
}

/// What PostgreSQL says while as many are connected as may be.
const TOO_MANY_CONNECTIONS: &str = "53300";
/// What PostgreSQL says while it starts.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// The open database.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    clock: Clock,
    wake: Arc<Notify>,
}

impl Store {
    /// Connects; the tables are made by [`Store::migrate`].
    ///
    /// # Errors
    /// Where the database cannot be reached, or is set so that it may lose commits.
    pub async fn open(config: &config::Database, clock: Clock) -> Result<Self, StoreError> {
        Ok(Self { pool: Pool::open(config).await?, clock, wake: Arc::new(Notify::new()) })
    }

    /// The clock that rows are stamped with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether this is a file that one process owns.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.pool, Pool::Sqlite { .. })
    }

    /// Resolves whenever runs may have become due.
    pub async fn work_may_be_due(&self) {
        self.wake.notified().await;
    }

    /// Brings everything that a file's log holds into the file, so that the file alone is a whole copy for as long as
    /// nothing is written.
    ///
    /// # Errors
    /// Where the file cannot be written, or somebody else reads it; then the log holds what the file does not.
    pub async fn empty_log(&self) -> Result<(), StoreError> {
        match &self.pool {
            Pool::Sqlite { file, .. } => {
                let mut connection = file.connect().await?;
                let (blocked, _, _): (i64, i64, i64) =
                    sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut connection).await?;
                connection.close().await?;
                if blocked != 0 { Err(StoreError::NotCommitted(LOG_IN_USE.to_owned())) } else { Ok(()) }
            }
            Pool::Postgres { .. } => Ok(()),
        }
    }

    /// Answers at all.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        on_pool!(&self.pool, db => sqlx::query("SELECT 1").execute(db).await.map(drop))?;
        Ok(())
    }

    /// The time that leases and due times are measured in: the database's own on PostgreSQL, since the clocks of
    /// several machines disagree; ours on SQLite.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn lease_clock(&self) -> Result<Timestamp, StoreError> {
        match &self.pool {
            Pool::Sqlite { .. } => Ok(self.clock.now()),
            Pool::Postgres { pool, .. } => {
                let asked = sqlx::query_scalar(LEASE_CLOCK);
                Ok(Timestamp::from_millis(on_server!(pool, db => asked.fetch_one(db).await)?))
            }
        }
    }

    async fn write<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, StoreError> {
        match &self.pool {
            Pool::Sqlite { writer, .. } => writer.write(work).await,
            Pool::Postgres { pool, .. } => pool.do_together(async |tx| work(tx).await).await,
        }
    }

    /// Like [`Store::write`] for any number of statements, which together may take longer than one answer.
    async fn write_much<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, StoreError> {
        match &self.pool {
            Pool::Sqlite { writer, .. } => writer.write(work).await,
            Pool::Postgres { pool, .. } => {
                let patient = Lender { patience: LONG_PATIENCE, ..pool.clone() };
                patient.do_together(async |tx| work(tx).await).await
            }
        }
    }

    /// Like [`Store::write_one`] for a step of runs, which finds its rows by their keys.
    async fn write_step<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, StoreError> {
        match &self.pool {
            Pool::Sqlite { writer, .. } => writer.write(work).await,
            Pool::Postgres { keyed, .. } => keyed.do_alone(async |tx| work(tx).await).await,
        }
    }

    /// Like [`Store::write`] for work that is a single statement: PostgreSQL needs no BEGIN and COMMIT for it.
    async fn write_one<T: Send + 'static>(&self, work: impl Work<T>) -> Result<T, StoreError> {
        match &self.pool {
            Pool::Sqlite { writer, .. } => writer.write(work).await,
            Pool::Postgres { pool, .. } => pool.do_alone(async |tx| work(tx).await).await,
        }
    }
}

const LOG_IN_USE: &str = "another program is reading the file";
const LEASE_CLOCK: &str = "SELECT now_millis()";

/// Like [`Store::lease_clock`], after whatever this work has waited for: a lease begins when it is written.
async fn lease_clock(tx: &mut Tx, clock: &Clock) -> Result<Timestamp, StoreError> {
    match tx {
        Tx::Sqlite(_) => Ok(clock.now()),
        Tx::Server(db) => {
            Ok(Timestamp::from_millis(sqlx::query_scalar(LEASE_CLOCK).fetch_one(&mut **db).await?))
        }
    }
}

/// For a whole file of users and their things.
const LONG_PATIENCE: Patience = Patience(Duration::from_hours(1));
