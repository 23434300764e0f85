//! One type per kind of row id, so that a mailbox's id is never taken for a user's.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::clock::{Clock, Timestamp};

/// The last time that fits into a UUIDv7 (RFC 9562 section 5.7).
const LAST_MILLISECOND: u64 = (1 << 48) - 1;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A fresh id, sortable by the time of its making (UUIDv7).
            pub fn new(clock: &Clock) -> Self {
                Self(clock.new_uuid())
            }

            /// An id that was read back from somewhere.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// When it was made, in whole milliseconds; the epoch for an id that is no UUIDv7.
            pub fn made_at(self) -> Timestamp {
                let (seconds, nanos) = self.0.get_timestamp().map(|time| time.to_unix()).unwrap_or_default();
                let millis = i64::try_from(seconds).unwrap_or(0).saturating_mul(1000);
                Timestamp::from_millis(millis.saturating_add(i64::from(nanos / 1_000_000)))
            }

            /// The lowest id that can be made at this time: those made before it are lower, all others are not.
            pub fn first_at(time: Timestamp) -> Self {
                let millis = u64::try_from(time.millis()).unwrap_or(0).min(LAST_MILLISECOND);
                Self(Uuid::from_u128(u128::from(millis) << 80))
            }

            /// The bare UUID, for ciphertext binding and encoding.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A person who owns agents and keys.
    UserId
);
id!(
    /// One watched IMAP inbox.
    MailboxId
);
id!(
    /// One agent.
    AgentId
);
id!(
    /// One AI configuration.
    AiConfigurationId
);
id!(
    /// One stored mail (our row; the mail's own header is `mail::RfcMessageId`).
    MessageId
);
id!(
    /// One conversation with one correspondent.
    ThreadId
);
id!(
    /// One call of a provider.
    CallId
);
id!(
    /// One notice to an owner.
    NoticeId
);
id!(
    /// One session of a user who signed in.
    SessionId
);
id!(
    /// One consent that a session asked for.
    OauthStateId
);
id!(
    /// One invitation to sign up.
    InviteId
);
id!(
    /// One platform API key.
    ApiKeyId
);
id!(
    /// One security token.
    SecurityTokenId
);
id!(
    /// One place where automation has stopped.
    SuppressionId
);
id!(
    /// One run; it has its message's id, since every message has exactly one.
    RunId
);

impl RunId {
    /// The run of this message.
    pub const fn of(message: MessageId) -> Self {
        Self(message.0)
    }

    /// The message of this run.
    pub const fn message(self) -> MessageId {
        MessageId(self.0)
    }
}
