//! `imap = { .. }` and `smtp = { .. }`: how to reach one of a mailbox's servers.

use secrecy::SecretString;
use toml::de::DeValue;

use super::reading::Reading;
use super::table::Table;
use super::value;
use crate::net::{Security, ServerFault, Use, is_authority, is_host};

/// Larger than any list of authorities.
const LARGEST_CA_FILE: u64 = 1024 * 1024;

/// What the file says about one. It is taken whole: a password is bound to the host it was entered for (SR-59).
pub(super) struct ServerEntry {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub username: String,
    /// `None` with OAuth.
    pub password: Option<SecretString>,
    pub ca: Option<String>,
}

/// Which of the two it is.
#[derive(Clone, Copy)]
pub(super) enum ServerKind {
    Imap,
    Smtp,
}

impl ServerKind {
    fn key(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Smtp => "smtp",
        }
    }

    fn purpose(self) -> Use {
        match self {
            Self::Imap => Use::Imap,
            Self::Smtp => Use::Smtp,
        }
    }
}

/// Reads the table; the user name is the mailbox's address where the file names none.
pub(super) fn read_server(
    mailbox: &mut Table<'_>,
    kind: ServerKind,
    address: Option<&str>,
    has_oauth: bool,
) -> Option<ServerEntry> {
    if !mailbox.has(kind.key()) {
        mailbox.fault(format!("`{}` is missing", kind.key()));
    }
    let mut table = mailbox.table(kind.key())?;
    let host = table.need("host", host);
    let security = if table.has("security") {
        table.find("security", value::word::<Security>)
    } else {
        Some(Security::Tls)
    };
    let port = match table.has("port") {
        true => table.find("port", port),
        false => security.map(|security| kind.purpose().usual_port(security)),
    };
    let username = table.find("username", value::line).or_else(|| address.map(str::to_owned));
    let password = read_password(&mut table, has_oauth);
    let reading = table.reading();
    let ca = table.find("ca_file", |written| authorities(reading, written));
    if let (Some(host), Some(port), Some(security)) = (&host, port, security) {
        check_destination(&table, kind, (host, port), security);
    }
    table.finish();
    let (host, port, security) = (host?, port?, security?);
    Some(ServerEntry { host, port, security, username: username?, password: password?, ca })
}

/// `Some(None)` with OAuth, which has none.
fn read_password(table: &mut Table<'_>, has_oauth: bool) -> Option<Option<SecretString>> {
    if !has_oauth {
        return table.need_secret("password").map(Some);
    }
    if table.has("password") {
        table.fault_at("password", "must be left out, since the mailbox logs in with `oauth`");
        return None;
    }
    Some(None)
}

/// What the guard would refuse at every connection is refused at once (SR-58, SR-59).
fn check_destination(table: &Table<'_>, kind: ServerKind, server: (&str, u16), security: Security) {
    for fault in table.reading().guard.check_mail_server(kind.purpose(), server, security) {
        match fault {
            ServerFault::Host(problem) => table.fault_at("host", problem),
            ServerFault::Port(problem) => table.fault_at("port", problem),
            ServerFault::Security(problem) => table.fault_at("security", problem),
        }
    }
}

fn host(written: &DeValue<'_>) -> Result<String, String> {
    let text = value::line(written)?;
    if is_host(&text) {
        Ok(text)
    } else {
        Err("must be a host name, such as \"mail.example.com\"".to_owned())
    }
}

fn port(written: &DeValue<'_>) -> Result<u16, String> {
    let port = value::number(written, 1..=i64::from(u16::MAX))?;
    u16::try_from(port).map_err(|_| "must be a port".to_owned())
}

fn authorities(reading: &Reading<'_>, written: &DeValue<'_>) -> Result<String, String> {
    let path = reading.folder.join(value::line(written)?);
    let problem = |problem: String| format!("the file {} {problem}", path.display());
    let metadata =
        std::fs::metadata(&path).map_err(|error| problem(format!("cannot be read ({})", error.kind())))?;
    if !metadata.is_file() || metadata.len() > LARGEST_CA_FILE {
        return Err(problem("is not a file of certificates".to_owned()));
    }
    let bytes =
        std::fs::read(&path).map_err(|error| problem(format!("cannot be read ({})", error.kind())))?;
    let text = String::from_utf8(bytes).ok().filter(|text| is_authority(text));
    text.ok_or_else(|| problem("holds no certificate in PEM form".to_owned()))
}
