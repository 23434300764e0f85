//! Handing over a mail: SMTP submission (RFC 5321, RFC 6409), phase by phase.
//!
//! A [`Connection`] goes by value. [`Connection::offer`] goes up to the accepted recipient and gives an [`Offer`];
//! [`Offer::begin`] asks for the mail to be taken and gives a [`GoAhead`]; [`GoAhead::deliver`] writes the mail. Before
//! that the caller can write down that it is about to send (EM-143). After a failure
//! [`SmtpError::is_ambiguous`] tells whether the server may have taken the mail: exactly when the final dot left and no
//! reply was read (RFC 1047, EM-144).
//!
//! The dialogue is lettre's; the stream below it is ours, because only there it is known when the dot leaves.

mod body;
mod connection;
mod error;
mod login;
mod offer;
mod open;
mod operator;
mod replies;
mod timeouts;
mod wire;

pub use connection::Connection;
pub use error::{Enhanced, Phase, SmtpError, SmtpErrorKind};
pub use offer::{Accepted, GoAhead, Offer};
pub use operator::OperatorPost;
pub use timeouts::Timeouts;
