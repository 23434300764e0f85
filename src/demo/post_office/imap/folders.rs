//! Commands about whole folders: SELECT, LIST, STATUS, APPEND.

use chrono::DateTime;
use tokio::io::{AsyncRead, AsyncWrite};

use super::super::account::{Account, Flags, Folder, StoredMail};
use super::super::wire::Wire;
use super::command::{Token, split_list};
use super::{Answer, Selected};
use crate::clock::Timestamp;

const SYSTEM_FLAGS: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

/// `date-time` of RFC 3501 section 9.
pub(super) const DATE_TIME: &str = "%d-%b-%Y %H:%M:%S %z";

/// What SELECT and EXAMINE tell.
pub(super) fn introduce<S>(wire: &mut Wire<S>, selected: &Selected) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let folder = &selected.folder;
    wire.say(&format!("* FLAGS ({SYSTEM_FLAGS})"));
    wire.say(&format!("* {} EXISTS", selected.known));
    wire.say("* 0 RECENT");
    wire.say(&format!("* OK [UIDVALIDITY {}] UIDs hold while the office is open", folder.uid_validity));
    wire.say(&format!("* OK [UIDNEXT {}] Next", folder.uid_next()));
    if selected.read_only {
        wire.say("* OK [PERMANENTFLAGS ()] Only looking");
        return "OK [READ-ONLY] Looking".into();
    }
    wire.say(&format!("* OK [PERMANENTFLAGS ({SYSTEM_FLAGS} \\*)] Kept"));
    "OK [READ-WRITE] Selected".into()
}

/// LIST and LSUB; with SPECIAL-USE attributes, and options (RFC 5258, RFC 6154) read past.
pub(super) fn list<S>(wire: &mut Wire<S>, name: &str, arguments: &[Token]) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (only_special, arguments) = match arguments {
        [Token::Open, ..] => {
            let Some((options, rest)) = split_list(arguments) else {
                return "BAD Wrong arguments".into();
            };
            (options.iter().any(|option| option.is("SPECIAL-USE")), rest)
        }
        _ => (false, arguments),
    };
    let [reference, pattern, ..] = arguments else {
        return "BAD Wrong arguments".into();
    };
    let pattern = format!("{}{}", reference.text(), pattern.text());
    if pattern.is_empty() {
        wire.say(&format!("* {name} (\\Noselect) \"/\" \"\""));
        return "OK Listed".into();
    }
    if !only_special && matches("INBOX", &pattern.to_ascii_uppercase()) {
        wire.say(&format!("* {name} (\\HasNoChildren) \"/\" INBOX"));
    }
    if matches("Sent", &pattern) {
        wire.say(&format!("* {name} (\\HasNoChildren \\Sent) \"/\" Sent"));
    }
    "OK Listed".into()
}

/// One wildcard is enough here, and both mean the same, since no folder has a child.
fn matches(folder: &str, pattern: &str) -> bool {
    match pattern.split_once(['*', '%']) {
        Some((start, end)) => {
            folder.starts_with(start) && folder.ends_with(end.trim_start_matches(['*', '%']))
        }
        None => folder == pattern,
    }
}

/// STATUS.
pub(super) fn status<S>(wire: &mut Wire<S>, account: &Account, name: &str, items: &[Token]) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(folder) = account.find_folder(name) else {
        return "NO [NONEXISTENT] No such folder".into();
    };
    let Some((items, [])) = split_list(items) else {
        return "BAD Wrong arguments".into();
    };
    let values: Option<Vec<String>> = items.iter().map(|item| status_item(folder, item)).collect();
    match values {
        Some(values) => {
            wire.say(&format!("* STATUS {} ({})", folder.name, values.join(" ")));
            "OK Told".into()
        }
        None => "BAD Unknown item".into(),
    }
}

fn status_item(folder: &Folder, item: &Token) -> Option<String> {
    let name = item.text().to_ascii_uppercase();
    let value = match name.as_str() {
        "MESSAGES" => folder.len().to_string(),
        "RECENT" => "0".to_owned(),
        "UIDNEXT" => folder.uid_next().to_string(),
        "UIDVALIDITY" => folder.uid_validity.to_string(),
        "UNSEEN" => folder.read().iter().filter(|mail| !mail.flags.has("\\Seen")).count().to_string(),
        _ => return None,
    };
    Some(format!("{name} {value}"))
}

/// `APPEND folder [(flags)] ["date"] {literal}`.
pub(super) fn append(account: &Account, arguments: &[Token], now: Timestamp) -> Answer {
    let [folder, arguments @ ..] = arguments else {
        return "BAD Wrong arguments".into();
    };
    let (flags, arguments) = match arguments {
        [Token::Open, ..] => split_list(arguments).unwrap_or_default(),
        _ => (&[][..], arguments),
    };
    let (received, bytes) = match arguments {
        [Token::Text(bytes)] => (Some(now), bytes),
        [date, Token::Text(bytes)] => (read_date(&date.text()), bytes),
        _ => return "BAD Wrong arguments".into(),
    };
    let Some(folder) = account.find_folder(&folder.text()) else {
        return "NO [TRYCREATE] No such folder".into();
    };
    let Some(received) = received else {
        return "BAD Not a date".into();
    };
    let flags: Vec<String> = flags.iter().map(|flag| flag.text().into_owned()).collect();
    folder.add(StoredMail::new(bytes.as_slice().into(), received, Flags::of(&flags)));
    "OK Kept".into()
}

fn read_date(text: &str) -> Option<Timestamp> {
    let date = DateTime::parse_from_str(text.trim(), DATE_TIME).ok()?;
    Some(Timestamp::from_millis(date.timestamp_millis()))
}
