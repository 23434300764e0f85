//! `postkey migrate`: the tables, made or brought up to this version.

use super::CliError;
use super::open::open_migrated;
use crate::config::Config;

pub(super) async fn run(config: &Config) -> Result<String, CliError> {
    open_migrated(config).await?;
    Ok(format!("the tables are at the version of postkey {}\n", env!("CARGO_PKG_VERSION")))
}
