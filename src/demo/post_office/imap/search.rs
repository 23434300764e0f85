//! SEARCH: the keys a mail client like Postkey asks for, and their company.

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::account::{StoredMail, sequence_at, uid_at};
use super::super::header::fields;
use super::super::wire::Wire;
use super::command::Token;
use super::numbers::resolve;
use super::{Answer, Selected};

/// One condition; all of a command must hold.
enum Key {
    All,
    /// Sorted indexes.
    Numbers(Vec<usize>),
    Flag {
        name: String,
        set: bool,
    },
    Header {
        name: String,
        contains: String,
    },
}

/// SEARCH and UID SEARCH.
pub(super) fn search<S>(wire: &mut Wire<S>, selected: &Selected, by_uid: bool, arguments: &[Token]) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let arguments = match arguments {
        [charset, name, rest @ ..] if charset.is("CHARSET") => {
            if !name.text().eq_ignore_ascii_case("UTF-8") && !name.text().eq_ignore_ascii_case("US-ASCII") {
                return "NO [BADCHARSET (UTF-8 US-ASCII)] Not that one".into();
            }
            rest
        }
        arguments => arguments,
    };
    let Some(keys) = read_keys(selected, arguments) else {
        return "BAD Not something that can be searched for here".into();
    };
    let mut answer = "* SEARCH".to_owned();
    let mails = selected.folder.read();
    for (index, mail) in mails.iter().take(selected.known).enumerate() {
        if keys.iter().all(|key| holds(key, index, mail)) {
            let number = if by_uid { uid_at(index) } else { sequence_at(index) };
            answer.push(' ');
            answer.push_str(&number.to_string());
        }
    }
    wire.say(&answer);
    "OK Searched".into()
}

fn read_keys(selected: &Selected, mut arguments: &[Token]) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    while let [key, rest @ ..] = arguments {
        let name = key.text().to_ascii_uppercase();
        let (key, rest) = match (name.as_str(), rest) {
            ("ALL", rest) => (Key::All, rest),
            ("UID", [set, rest @ ..]) => (Key::Numbers(resolve(&set.text(), selected, true)?), rest),
            ("HEADER", [name, contains, rest @ ..]) => (header(&name.text(), &contains.text()), rest),
            ("FROM" | "TO" | "CC" | "SUBJECT", [contains, rest @ ..]) => {
                (header(&name, &contains.text()), rest)
            }
            ("KEYWORD", [name, rest @ ..]) => (Key::Flag { name: name.text().into(), set: true }, rest),
            ("UNKEYWORD", [name, rest @ ..]) => (Key::Flag { name: name.text().into(), set: false }, rest),
            (name, rest) => match system_flag(name) {
                Some(key) => (key, rest),
                None => (Key::Numbers(resolve(name, selected, false)?), rest),
            },
        };
        keys.push(key);
        arguments = rest;
    }
    (!keys.is_empty()).then_some(keys)
}

fn system_flag(name: &str) -> Option<Key> {
    let (flag, set) = name.strip_prefix("UN").map_or((name, true), |flag| (flag, false));
    let known = ["ANSWERED", "DELETED", "DRAFT", "FLAGGED", "SEEN"].contains(&flag);
    known.then(|| Key::Flag { name: format!("\\{flag}"), set })
}

fn header(name: &str, contains: &str) -> Key {
    Key::Header { name: name.to_owned(), contains: contains.to_lowercase() }
}

fn holds(key: &Key, index: usize, mail: &StoredMail) -> bool {
    match key {
        Key::All => true,
        Key::Numbers(indexes) => indexes.binary_search(&index).is_ok(),
        Key::Flag { name, set } => mail.flags.has(name) == *set,
        Key::Header { name, contains } if name.eq_ignore_ascii_case("Message-ID") => {
            mail.message_id.as_ref().is_some_and(|id| id.contains(contains))
        }
        Key::Header { name, contains } => {
            fields(&mail.bytes, name).any(|value| value.to_lowercase().contains(contains))
        }
    }
}
