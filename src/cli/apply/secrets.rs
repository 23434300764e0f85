//! Secrets by reference: `env:NAME`, `file:PATH`, or as they are, with a warning.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use super::reading::{Place, Reading};
use crate::config::read_secret_file;
use crate::net::is_one_line;

/// The secret that is meant; the problem never repeats it.
pub(super) fn resolve(reading: &Reading<'_>, place: &Place, written: &str) -> Result<SecretString, String> {
    let secret = if let Some(name) = written.strip_prefix("env:") {
        from_variable(reading, name.trim())?
    } else if let Some(path) = written.strip_prefix("file:") {
        from_file(reading.folder, path.trim())?
    } else {
        reading.warn(place, "is written out in the file; \"env:NAME\" or \"file:PATH\" would keep it out");
        SecretString::from(written)
    };
    check(&secret)?;
    Ok(secret)
}

fn from_variable(reading: &Reading<'_>, name: &str) -> Result<SecretString, String> {
    let value = (reading.environment)(name).filter(|value| !value.trim().is_empty());
    value.map(SecretString::from).ok_or_else(|| format!("the variable {} is not set", name.escape_debug()))
}

fn from_file(folder: &Path, path: &str) -> Result<SecretString, String> {
    let path = folder.join(path);
    read_secret_file(&path).map_err(|error| format!("the file {} {error}", path.display()))
}

fn check(secret: &SecretString) -> Result<(), String> {
    let text = secret.expose_secret();
    if text.is_empty() {
        Err("the secret is empty".to_owned())
    } else if !is_one_line(text) {
        Err("the secret must be one line, without NUL".to_owned())
    } else {
        Ok(())
    }
}
