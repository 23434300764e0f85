//! Log lines: ids in fields, no mail text, no secrets, whatever a library says.

mod redact;
mod writer;

use std::io::Write;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

pub use redact::{holds_key, redact};
pub use writer::Redacting;

/// Libraries that log passwords or bodies below these levels; no filter of the operator lifts them.
const CAPS: [(&str, LevelFilter); 7] = [
    // The LOGIN line, with the password, at trace.
    ("async_imap", LevelFilter::INFO),
    // Whole answers of a provider, at error.
    ("async_openai", LevelFilter::OFF),
    // Mails and credentials.
    ("lettre", LevelFilter::WARN),
    // Statements.
    ("sqlx", LevelFilter::WARN),
    // Request headers, at trace.
    ("h2", LevelFilter::DEBUG),
    ("hyper", LevelFilter::DEBUG),
    ("hyper_util", LevelFilter::DEBUG),
];

/// Why logging could not begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// `log.filter` is not a list of directives.
    #[error("log.filter is not understood ({0}); write directives such as \"info,postkey::mailbox=debug\"")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Logging has begun before.
    #[error("logging has already been set up in this process")]
    AlreadySet,
}

/// From now on a panic tells its place and nothing else: its message may quote a mail (SR-25).
pub fn tell_only_where_it_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        // Nobody is left to tell where this cannot be written.
        let _ = writeln!(std::io::stderr(), "a fault of the program at {place}");
    }));
}

/// Sends log lines of this process, without secrets, to standard error.
///
/// # Errors
///
/// When the filter is not understood, or when called twice.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    subscriber(log, std::io::stderr)?.try_init().map_err(|_| TelemetryError::AlreadySet)
}

/// What [`init`] installs, writing elsewhere.
///
/// # Errors
///
/// When the filter is not understood.
pub fn subscriber<W>(log: &Log, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().parse(&log.filter)?;
    // Colours would stand between a name and its value, where the redactor could not see that they belong together.
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Redacting::new(writer));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    Ok(Box::new(tracing_subscriber::registry().with(lines).with(filter).with(filter_fn(is_below_cap))))
}

fn is_below_cap(metadata: &Metadata<'_>) -> bool {
    CAPS.iter().all(|(name, cap)| !is_of(metadata.target(), name) || *metadata.level() <= *cap)
}

/// Whether a target is the crate or one of its modules.
fn is_of(target: &str, name: &str) -> bool {
    target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}
