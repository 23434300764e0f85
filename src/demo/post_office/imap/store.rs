//! STORE, by sequence number or UID.

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::account::{Flags, sequence_at, uid_at};
use super::super::wire::Wire;
use super::command::Token;
use super::numbers::resolve;
use super::{Answer, Selected};

/// `STORE set [+-]FLAGS[.SILENT] (flags)`.
pub(super) fn store<S>(wire: &mut Wire<S>, selected: &Selected, by_uid: bool, arguments: &[Token]) -> Answer
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some((found, change)) = read_change(selected, by_uid, arguments) else {
        return "BAD Wrong arguments".into();
    };
    if selected.read_only {
        return "NO Only looking".into();
    }
    let mut mails = selected.folder.change();
    for index in found {
        let Some(mail) = mails.get_mut(index) else {
            continue;
        };
        match change.action {
            Action::Add => mail.flags.set(&change.flags),
            Action::Remove => mail.flags.clear(&change.flags),
            Action::Replace => mail.flags = Flags::of(&change.flags),
        }
        if !change.silent {
            let uid = if by_uid { format!("UID {} ", uid_at(index)) } else { String::new() };
            wire.say(&format!("* {} FETCH ({uid}FLAGS ({}))", sequence_at(index), mail.flags.joined()));
        }
    }
    "OK Stored".into()
}

/// What STORE does to each mail.
struct Change {
    action: Action,
    flags: Vec<String>,
    /// The client does not want to be told the result.
    silent: bool,
}

#[derive(Clone, Copy)]
enum Action {
    Add,
    Remove,
    Replace,
}

fn read_change(selected: &Selected, by_uid: bool, arguments: &[Token]) -> Option<(Vec<usize>, Change)> {
    let [set, action, flags @ ..] = arguments else {
        return None;
    };
    let name = action.text().to_ascii_uppercase();
    let silent = name.ends_with(".SILENT");
    let action = match name.trim_end_matches(".SILENT") {
        "+FLAGS" => Action::Add,
        "-FLAGS" => Action::Remove,
        "FLAGS" => Action::Replace,
        _ => return None,
    };
    let flags = flags.iter().filter(|flag| !matches!(flag, Token::Open | Token::Close));
    let flags = flags.map(|flag| flag.text().into_owned()).collect();
    Some((resolve(&set.text(), selected, by_uid)?, Change { action, flags, silent }))
}
