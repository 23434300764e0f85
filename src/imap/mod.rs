//! Reading mail: one IMAP4rev1 session (RFC 3501), from the first byte to `LOGOUT`.
//!
//! A [`Session`] goes by value: every step consumes it and gives it back only on success, so a connection whose
//! state is unknown cannot be used again. Every step has a deadline (EM-88), every answer a size limit (EM-98),
//! and a command counts as done only with its own tagged `OK` (EM-75, CT-8).
//!
//! Parsing is async-imap's; commands are written here, because its own helpers take a `NO` and a closed
//! connection for the end of the results, and log passwords at `trace`.

mod append;
mod bounded;
mod capabilities;
mod code;
mod error;
mod fetch;
mod folder;
mod framer;
mod idle;
mod name;
mod open;
mod search;
mod sent;
mod session;
mod timeouts;
mod uid_set;
mod wire;

pub use capabilities::Capabilities;
pub use code::Code;
pub use error::{CredentialFault, ImapError, Refused, Step};
pub use fetch::{ByteLimit, Flags, Summary};
pub use folder::Folder;
pub use session::Session;
pub use timeouts::Timeouts;
