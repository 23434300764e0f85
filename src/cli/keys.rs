//! `postkey keys`: keys that protect the secrets in the database.

use clap::Subcommand;

use super::CliError;
use crate::vault::generate_kek;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// Print a new key and what to do with it; `eval "$(postkey keys generate)"` sets it for this shell.
    Generate,
}

pub(super) fn run(command: &KeysCommand) -> Result<String, CliError> {
    match command {
        KeysCommand::Generate => Ok(instructions(&generate_kek()?)),
    }
}

/// A shell script, so that the only line that does something is the one to use.
fn instructions(key: &str) -> String {
    format!(
        "\
# A new key. It protects every provider key and every mailbox password in the database.
#
# BACK IT UP, apart from the database: without it nothing there can be opened again, and nobody can restore it.
#
# Set it in the environment of every postkey process:
export POSTKEY_KEKS='{key}'
#
# Or write all of this into a file of the service's own account (chmod 600) and name that file as vault.keks_file in
# workers.toml. It is not stored anywhere by this command.
#
# To replace a key: put the new one before the old one, separated by a comma, with another name (k2:...), and set
# POSTKEY_KEK_ACTIVE=k2. Keep the old one as long as secrets are sealed under it: `postkey serve` does not start without
# it, and what it sealed comes under the new one when it is entered again, as by `postkey apply` of the same file.
"
    )
}
