//! Why a demo ends badly, for the person at the terminal.

use std::io;

use crate::app::AppError;
use crate::provider::KeyFormError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a demo ends badly.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no key to ask a real provider with.
    #[error(
        "--live asks a real provider: set OPENAI_API_KEY to your key, or leave --live out to spend nothing"
    )]
    NoKey,
    /// What is in the variable is no key.
    #[error("OPENAI_API_KEY: {0}")]
    Key(#[from] KeyFormError),
    /// `--base-url` is no address of a provider.
    #[error("--base-url must be an http or https URL with a host, such as http://127.0.0.1:11434/v1")]
    BaseUrl,
    /// A folder or a port could not be had.
    #[error("the demo cannot set its stage ({0}); check that the temporary folder may be written")]
    Stage(#[source] io::Error),
    /// The service could not start or go on.
    #[error(transparent)]
    App(#[from] AppError),
    /// The service ended in a panic.
    #[error("the service ended by itself; run the demo with --verbose to see why")]
    ServiceEnded,
    /// The temporary database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be sealed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Nobody takes the output.
    #[error("the output could not be written ({0})")]
    Output(#[from] io::Error),
    /// Not every mail has the outcome it should have.
    #[error("the demo did not come to its end: {0}")]
    Unfinished(String),
}
