//! Where the keys come from (SR-20).

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use zeroize::Zeroizing;

use super::kek::list_in_file;
use super::{CommandFailure, VaultError};
use crate::config::{VaultSource, read_secret_file};

const COMMAND_LIMIT: Duration = Duration::from_secs(10);

/// Far more than any list of keys.
const LARGEST_OUTPUT: u64 = 64 * 1024;

/// The list of keys from the one source there is.
pub(super) async fn read(source: &VaultSource) -> Result<SecretString, VaultError> {
    match (&source.keks, &source.keks_file, &source.keks_command) {
        (None, None, None) => Err(VaultError::NoKey),
        (Some(keks), None, None) => Ok(keks.clone()),
        (None, Some(path), None) => {
            let text = read_secret_file(path);
            let text = text.map_err(|cause| VaultError::File { path: path.clone(), cause })?;
            Ok(list_in_file(text.expose_secret()))
        }
        (None, None, Some(command)) => run(command, COMMAND_LIMIT).await.map_err(VaultError::Command),
        _ => Err(VaultError::SeveralSources),
    }
}

async fn run(command: &[String], limit: Duration) -> Result<SecretString, CommandFailure> {
    let (program, arguments) = command.split_first().ok_or(CommandFailure::Empty)?;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What a tool for secrets says when it fails may hold a secret.
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| CommandFailure::NotStarted { program: program.clone(), cause: error.kind() })?;
    let output = child.stdout.take().ok_or(CommandFailure::Output)?;
    let ended = async {
        let text = read_output(output).await?;
        let status = child.wait().await.map_err(|_| CommandFailure::Output)?;
        check(status).map(|()| text)
    };
    tokio::time::timeout(limit, ended).await.map_err(|_| CommandFailure::TimedOut)?
}

async fn read_output(output: impl AsyncRead + Unpin) -> Result<SecretString, CommandFailure> {
    let mut bytes = Zeroizing::new(Vec::new());
    output.take(LARGEST_OUTPUT + 1).read_to_end(&mut bytes).await.map_err(|_| CommandFailure::Output)?;
    if bytes.len() as u64 > LARGEST_OUTPUT {
        return Err(CommandFailure::Output);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| CommandFailure::Output)?;
    Ok(SecretString::from(text.trim()))
}

fn check(status: ExitStatus) -> Result<(), CommandFailure> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(CommandFailure::Failed(code)),
        None => Err(CommandFailure::Killed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_does_not_end_is_given_up() {
        let command = ["sleep", "60"].map(str::to_owned);
        let result = run(&command, Duration::from_millis(50)).await;
        assert!(matches!(result, Err(CommandFailure::TimedOut)));
    }
}
