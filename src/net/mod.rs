//! The network: the only module that looks up names, dials and builds HTTP clients.
//!
//! Hosts come from users, so every destination passes the [`Guard`] (SR-58): the name is parsed once, looked
//! up once, every address must be public, and the connection goes to exactly those addresses. Only what the
//! operator listed as `network.private_endpoints` may be private or speak without TLS.
//!
//! Mail goes through the [`Dialler`] (a [`Stream`] of bytes), models through [`HttpClients`].

mod dialler;
mod endpoint;
mod error;
mod guard;
mod host;
mod http;
mod login;
mod mail_server;
mod oauth;
mod public;
mod stream;
mod trust;
mod web_url;

pub use dialler::Dialler;
pub use endpoint::{Endpoint, Security, UnknownSecurity};
pub use error::{NetError, Refusal, TlsFault};
pub use guard::{Guard, Lookup, Use};
pub use http::{HttpClient, HttpClients, Unanswered};
pub use login::{Login, is_one_line};
pub use mail_server::{ServerFault, is_authority, is_host};
pub use oauth::{Credentials, Grant, OAuthError, Tokens};
pub use stream::Stream;
pub use trust::install_crypto;
