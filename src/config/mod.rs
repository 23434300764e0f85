//! What the operator may decide: `workers.toml`, overridden by the environment.
//!
//! Every key has a documented default, so an empty file is a complete configuration. A key of the file is
//! overridden by `POSTKEY_<SECTION>__<KEY>`, for example `POSTKEY_DATABASE__URL`.

mod answers;
mod database;
mod http;
mod log;
mod mailbox;
mod network;
mod openrouter;
mod operator_mail;
mod platform_key;
mod provider;
mod retention;
mod smtp;
mod vault;
mod worker;

mod draft;
mod effective;
mod environment;
mod error;
mod load;
mod nearest;
mod quantity;
mod redacted;
mod secret_file;
mod setting;

pub use answers::Answers;
pub use database::Database;
pub use environment::{CONFIG_VARIABLE, process_environment};
pub use error::{ConfigError, ConfigErrors};
pub use http::{Http, SignUp};
pub use log::{Log, LogFormat};
pub use mailbox::Mailbox;
pub(crate) use nearest::suggestion;
pub use network::Network;
pub use openrouter::OpenRouter;
pub use operator_mail::{MailSecurity, OperatorMail};
pub use platform_key::PlatformKey;
pub use provider::Provider;
pub use retention::Retention;
pub use secret_file::{SecretFileError, read_secret_file};
pub use smtp::{SentCopy, Smtp};
pub use vault::VaultSource;
pub use worker::Worker;

/// Everything the operator may decide; one field per section of `workers.toml`.
#[derive(Clone, Default)]
pub struct Config {
    /// Where rows live.
    pub database: Database,
    /// Where the key-encrypting keys (KEKs) come from.
    pub vault: VaultSource,
    /// How runs are worked off.
    pub worker: Worker,
    /// How mailboxes are watched.
    pub mailbox: Mailbox,
    /// How replies are handed over.
    pub smtp: Smtp,
    /// Which addresses may be dialled.
    pub network: Network,
    /// Limits of a call to a model.
    pub provider: Provider,
    /// Where OpenRouter is, and what connecting it makes.
    pub openrouter: OpenRouter,
    /// The operator's own provider key, used only as a fallback; absent unless they choose to pay.
    pub platform_key: Option<PlatformKey>,
    /// Brakes against loops.
    pub answers: Answers,
    /// How people and programs reach it.
    pub http: Http,
    /// The operator's own way to send mail; absent unless they have one.
    pub operator_mail: Option<OperatorMail>,
    /// How long things are kept.
    pub retention: Retention,
    /// What is logged.
    pub log: Log,
}
