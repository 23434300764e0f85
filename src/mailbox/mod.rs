//! Watching mailboxes: mail comes in and becomes a message and a run in one transaction, in which the cursor
//! moves (promise 1). Replies that went out are filed from here too, since here is the connection.
//!
//! | page | what |
//! |---|---|
//! | `supervisor` | leases mailboxes, starts and stops their watchers |
//! | `resuming` | takes up mailboxes that stopped for want of a key, once it is there |
//! | `watcher` | one mailbox: connect, watch, complain, come back |
//! | `round` | one look: everything new is taken in |
//! | `fetching` | which mails to fetch together, and how carefully |
//! | `asking` | asks for them until they come, are gone, or cannot be had |
//! | `room` | how much mail is in memory at once |
//! | `intake` | bytes to [`Arrival`](crate::store::Arrival): the door for every transport |
//! | `trial` | whether both servers do what answering mail needs, for people who ask |
//! | `filing` | copies in the Sent folder, answered flags, the search for ambiguous replies |

mod asking;
mod fetching;
mod filing;
mod intake;
mod pace;
mod resuming;
mod room;
mod round;
mod supervisor;
mod trial;
mod watcher;

use std::sync::Arc;

use crate::config;
use crate::net::{Dialler, Tokens};
use crate::store::{Holder, Store};
use crate::vault::Vault;

pub use self::resuming::take_up_readable;
pub use self::room::Room;
pub use self::supervisor::watch_until;
pub use self::trial::{ImapFindings, Remedy, SmtpFindings, Trial, TrialError};

/// What watching needs.
#[derive(Clone)]
pub struct Watching {
    /// The database.
    pub store: Store,
    /// This process, as lease holder.
    pub holder: Holder,
    /// Opens the mailboxes' secrets.
    pub vault: Arc<Vault>,
    /// The one way to a server.
    pub dialler: Arc<Dialler>,
    /// OAuth access tokens.
    pub tokens: Tokens,
    /// Where mail is held while it is taken in.
    pub room: Room,
    /// Times and sizes.
    pub config: config::Mailbox,
    /// Whether copies are filed in the Sent folder.
    pub sent_copy: config::SentCopy,
    /// Whether ambiguous replies of all agents are looked for in the Sent folder.
    pub verify_ambiguous: bool,
}
