//! FETCH, by sequence number or UID.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::super::account::{StoredMail, sequence_at, uid_at};
use super::super::wire::Wire;
use super::command::{Token, split_list};
use super::folders::DATE_TIME;
use super::numbers::resolve;
use super::{Answer, Selected};

/// Something FETCH was asked for.
enum Item {
    Uid,
    Flags,
    InternalDate,
    Size,
    Body(Body),
}

/// A part of the mail's bytes.
struct Body {
    /// As the answer names it.
    label: String,
    section: Section,
    /// Offset and at most so many bytes.
    partial: Option<(usize, usize)>,
    /// `BODY[]` sets `\Seen`, `BODY.PEEK[]` does not.
    peek: bool,
}

enum Section {
    Whole,
    Header,
    Text,
}

/// FETCH. All mails of one command are read in one go, and written in as few writes as their size allows.
pub(super) async fn fetch<S>(
    wire: &mut Wire<S>,
    selected: &Selected,
    by_uid: bool,
    arguments: &[Token],
) -> io::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some((found, mut items)) = read_request(selected, by_uid, arguments) else {
        return Ok("BAD Not something that can be fetched here".into());
    };
    let reads = items.iter().any(|item| matches!(item, Item::Body(body) if !body.peek));
    if reads && !selected.read_only {
        mark_seen(selected, &found);
        items.push(Item::Flags);
    }
    let mails = copy(selected, found);
    for (index, mail) in &mails {
        let mut before = format!("* {} FETCH (", sequence_at(*index));
        for item in &items {
            before.push_str(&described(item, *index, mail));
            if let Item::Body(body) = item {
                wire.say_bytes(before.as_bytes()).await?;
                before.clear();
                wire.say_bytes(cut(&mail.bytes, body)).await?;
            }
            before.push(' ');
        }
        before.truncate(before.trim_end().len());
        wire.say_bytes(before.as_bytes()).await?;
        wire.say_bytes(b")\r\n").await?;
    }
    Ok("OK Fetched".into())
}

/// The mails share their bytes with the folder, so that no lock is held while they are written.
fn copy(selected: &Selected, found: Vec<usize>) -> Vec<(usize, StoredMail)> {
    let mails = selected.folder.read();
    found.into_iter().filter_map(|index| Some((index, mails.get(index)?.clone()))).collect()
}

fn mark_seen(selected: &Selected, found: &[usize]) {
    let mut mails = selected.folder.change();
    for index in found {
        if let Some(mail) = mails.get_mut(*index) {
            mail.flags.set(&["\\Seen".to_owned()]);
        }
    }
}

/// An item with its value; of a body, the announcement of its literal.
fn described(item: &Item, index: usize, mail: &StoredMail) -> String {
    match item {
        Item::Uid => format!("UID {}", uid_at(index)),
        Item::Flags => format!("FLAGS ({})", mail.flags.joined()),
        Item::InternalDate => format!("INTERNALDATE \"{}\"", mail.received.to_utc().format(DATE_TIME)),
        Item::Size => format!("RFC822.SIZE {}", mail.bytes.len()),
        Item::Body(body) => format!("{} {{{}}}\r\n", body.label, cut(&mail.bytes, body).len()),
    }
}

fn cut<'a>(bytes: &'a [u8], body: &Body) -> &'a [u8] {
    let header_end = || {
        let blank = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        blank.map_or(bytes.len(), |at| at.saturating_add(4))
    };
    let part = match body.section {
        Section::Whole => Some(bytes),
        Section::Header => bytes.get(..header_end()),
        Section::Text => bytes.get(header_end()..),
    };
    let part = part.unwrap_or_default();
    match body.partial {
        None => part,
        Some((start, most)) => {
            let start = start.min(part.len());
            let end = start.saturating_add(most).min(part.len());
            part.get(start..end).unwrap_or_default()
        }
    }
}

fn read_request(selected: &Selected, by_uid: bool, arguments: &[Token]) -> Option<(Vec<usize>, Vec<Item>)> {
    let [set, items @ ..] = arguments else {
        return None;
    };
    let (items, []) = split_list(items)? else {
        return None;
    };
    let mut parsed = Vec::new();
    for item in items {
        read_item(&item.text().to_ascii_uppercase(), &mut parsed)?;
    }
    if by_uid && !parsed.iter().any(|item| matches!(item, Item::Uid)) {
        parsed.insert(0, Item::Uid);
    }
    Some((resolve(&set.text(), selected, by_uid)?, parsed))
}

/// ENVELOPE and BODYSTRUCTURE are missing on purpose: a client that needs them is not Postkey.
fn read_item(name: &str, items: &mut Vec<Item>) -> Option<()> {
    let whole = |section, peek| Item::Body(Body { label: name.to_owned(), section, partial: None, peek });
    match name {
        "UID" => items.push(Item::Uid),
        "FLAGS" => items.push(Item::Flags),
        "INTERNALDATE" => items.push(Item::InternalDate),
        "RFC822.SIZE" => items.push(Item::Size),
        "FAST" => items.extend([Item::Flags, Item::InternalDate, Item::Size]),
        "RFC822" => items.push(whole(Section::Whole, false)),
        "RFC822.HEADER" => items.push(whole(Section::Header, true)),
        "RFC822.TEXT" => items.push(whole(Section::Text, false)),
        _ => items.push(Item::Body(read_body(name)?)),
    }
    Some(())
}

/// `BODY[section]<start.most>` or `BODY.PEEK[..]`.
fn read_body(name: &str) -> Option<Body> {
    let (kind, rest) = name.split_once('[')?;
    let (section_name, partial) = rest.split_once(']')?;
    let peek = match kind {
        "BODY" => false,
        "BODY.PEEK" => true,
        _ => return None,
    };
    let section = match section_name {
        "" => Section::Whole,
        "HEADER" => Section::Header,
        "TEXT" => Section::Text,
        _ => return None,
    };
    let mut label = format!("BODY[{section_name}]");
    let partial = match partial {
        "" => None,
        bounds => {
            let (start, most) = bounds.strip_prefix('<')?.strip_suffix('>')?.split_once('.')?;
            label.push_str(&format!("<{start}>"));
            Some((start.parse().ok()?, most.parse().ok()?))
        }
    };
    Some(Body { label, section, partial, peek })
}
