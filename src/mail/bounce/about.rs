//! Which mails a bounce is about: what joins it to the outgoing mail (EM-151).

use super::super::fields::{self, Fields};
use super::super::limits::Limits;
use super::super::message_id::RfcMessageId;
use super::super::structure::Leaf;
use super::super::transfer;

/// Kinds of parts that return a mail or its header.
const RETURNED: [&str; 5] = [
    "message/rfc822",
    "message/global",
    "message/global-headers",
    "text/rfc822-headers",
    "message/rfc822-headers",
];
/// Most ids that are kept: those of a long `References` would drown the others.
const MOST: usize = 20;
/// How much of a returned mail is looked at for its header, in bytes.
const LONGEST_HEADER: usize = 64 * 1024;

/// Whether a part returns a mail or its header.
pub(super) fn has_original(leaves: &[Leaf<'_>]) -> bool {
    leaves.iter().any(is_returned)
}

/// All ids that the bounce names: first of the mail that it returns, then of the report, the words and the header.
pub(super) fn ids(outer: &Fields, leaves: &[Leaf<'_>], text: &str) -> Vec<RfcMessageId> {
    let reported = leaves.iter().filter(|leaf| leaf.kind.ends_with("delivery-status"));
    let reported = reported.flat_map(|leaf| lines_of_ids(&String::from_utf8_lossy(leaf.body)));
    let own = ["in-reply-to", "references"].into_iter().flat_map(|name| outer.all(name));
    let own = own.flat_map(RfcMessageId::extract_all);
    let found = returned_ids(leaves).into_iter().chain(reported).chain(lines_of_ids(text)).chain(own);
    unique(found)
}

/// The `Message-ID` of every returned mail; also EM-14 asks for them.
pub(in super::super) fn returned_ids(leaves: &[Leaf<'_>]) -> Vec<RfcMessageId> {
    unique(leaves.iter().filter(|leaf| is_returned(leaf)).filter_map(id_of_returned))
}

fn is_returned(leaf: &Leaf<'_>) -> bool {
    RETURNED.contains(&leaf.kind.as_str())
}

fn id_of_returned(leaf: &Leaf<'_>) -> Option<RfcMessageId> {
    let encoded = leaf.body.get(..LONGEST_HEADER).unwrap_or(leaf.body);
    let decoded = transfer::decode(encoded, &leaf.encoding);
    // Some servers put empty lines before the header that they return.
    let (fields, _) = fields::split(decoded.trim_ascii_start(), &Limits::default());
    fields.first("message-id").and_then(|value| RfcMessageId::extract_all(value).into_iter().next())
}

/// `Message-ID: <..>`, `Original-Message-ID: <..>` and their like at the beginning of lines, quoted or not.
fn lines_of_ids(text: &str) -> Vec<RfcMessageId> {
    let values = text.lines().filter_map(|line| {
        let (name, value) = line.trim_start_matches(['>', ' ', '\t']).split_once(':')?;
        name.to_ascii_lowercase().ends_with("message-id").then_some(value)
    });
    values.flat_map(RfcMessageId::extract_all).take(MOST).collect()
}

fn unique(ids: impl Iterator<Item = RfcMessageId>) -> Vec<RfcMessageId> {
    let mut kept: Vec<RfcMessageId> = Vec::new();
    for id in ids {
        if kept.len() >= MOST {
            break;
        }
        if !kept.contains(&id) {
            kept.push(id);
        }
    }
    kept
}
