//! Delivery reports for machines (RFC 3464, RFC 6533), and reading notices that say "deleted unread" (RFC 8098).

use super::super::address::Address;
use super::super::fields::{self, Fields};
use super::super::limits::Limits;
use super::super::structure::{self, Leaf};
use super::super::transfer;
use super::addresses;

/// Kinds of parts whose blocks of fields report on recipients.
const KINDS: [&str; 2] = ["message/delivery-status", "message/global-delivery-status"];
/// How much of a report is read, in bytes.
const LONGEST: usize = 64 * 1024;
/// Blocks of one report that are read: one per recipient.
const MOST_BLOCKS: usize = 200;

/// What a report says about its recipients.
#[derive(Default)]
pub(super) struct Status {
    /// Those who were not reached; if nobody has failed for good, those who have to wait.
    pub(super) recipients: Vec<Address>,
    /// Nobody has failed for good.
    pub(super) is_delayed: bool,
}

/// What became of one recipient.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Failed,
    Delayed,
    /// Delivered, relayed, expanded.
    Reached,
}

/// Whether there is a report.
pub(super) fn is_among(leaves: &[Leaf<'_>]) -> bool {
    reports(leaves).next().is_some()
}

/// Whether there is a report, and every recipient of it was reached.
pub(super) fn tells_of_success(leaves: &[Leaf<'_>]) -> bool {
    let fates: Vec<Fate> = all_blocks(leaves).iter().filter_map(fate).collect();
    !fates.is_empty() && fates.iter().all(|fate| *fate == Fate::Reached)
}

/// The report among the leaves, if there is one. It may name nobody who was not reached.
pub(super) fn find(leaves: &[Leaf<'_>]) -> Option<Status> {
    reports(leaves).next()?;
    let blocks = all_blocks(leaves);
    let fates: Vec<Fate> = blocks.iter().filter_map(fate).collect();
    let is_delayed = fates.contains(&Fate::Delayed) && !fates.contains(&Fate::Failed);
    let wanted = if is_delayed { Fate::Delayed } else { Fate::Failed };
    let matching = blocks.iter().filter(|block| fate(block) == Some(wanted));
    Some(Status { recipients: matching.filter_map(recipient).collect(), is_delayed })
}

fn reports<'a, 'b>(leaves: &'b [Leaf<'a>]) -> impl Iterator<Item = &'b Leaf<'a>> {
    leaves.iter().filter(|leaf| KINDS.contains(&leaf.kind.as_str()))
}

fn all_blocks(leaves: &[Leaf<'_>]) -> Vec<Fields> {
    reports(leaves).flat_map(blocks).collect()
}

/// A report inside an attached mail: some gateways wrap the whole bounce once more.
pub(super) fn find_returned(leaves: &[Leaf<'_>]) -> Option<Status> {
    let attached = leaves.iter().find(|leaf| leaf.kind == "message/rfc822")?;
    let decoded = transfer::decode(attached.body, &attached.encoding);
    let limits = Limits { message_bytes: LONGEST, depth: 3, parts: 10, ..Limits::default() };
    let (fields, body) = fields::split(decoded.get(..limits.message_bytes).unwrap_or(&decoded), &limits);
    find(&structure::walk(&fields, body, &limits).leaves)
}

/// The blocks of fields, which empty lines separate. The first is about the mail as a whole and names no recipient.
fn blocks(leaf: &Leaf<'_>) -> Vec<Fields> {
    let encoded = leaf.body.get(..LONGEST).unwrap_or(leaf.body);
    let decoded = transfer::decode(encoded, &leaf.encoding);
    let mut rest: &[u8] = &decoded;
    let mut blocks = Vec::new();
    while !rest.is_empty() && blocks.len() < MOST_BLOCKS {
        let (block, after) = fields::split(rest, &Limits::default());
        // A line that is no field ends a block without being consumed.
        rest = if after.len() < rest.len() { after } else { fields::next_line(rest).1 };
        blocks.push(block);
    }
    blocks
}

/// By `Action`, of which only the first word counts (`failed (Bad destination mailbox address)`), and where a server
/// leaves it out by the class of `Status`. `None` for a block that is not about a recipient.
///
/// RFC 3464 says `failed`; servers write other words for it.
fn fate(block: &Fields) -> Option<Fate> {
    let value = block.first("action").unwrap_or("").to_lowercase();
    let action = value.trim();
    let begins = |starts: &[&str]| starts.iter().any(|start| action.starts_with(start));
    if begins(&["fail", "error", "expired", "reject", "undeliver", "bounce"]) {
        return Some(Fate::Failed);
    }
    if begins(&["delay", "deferred"]) {
        return Some(Fate::Delayed);
    }
    if begins(&["deliver", "relay", "expand"]) {
        return Some(Fate::Reached);
    }
    match block.first("status").map(str::trim_start).and_then(|status| status.chars().next()) {
        Some('5') => Some(Fate::Failed),
        Some('4') => Some(Fate::Delayed),
        Some('2') => Some(Fate::Reached),
        _ => None,
    }
}

/// Whom we wrote to comes first; the final address may lie behind an alias that we do not know.
fn recipient(block: &Fields) -> Option<Address> {
    let fields = ["original-recipient", "final-recipient", "x-actual-recipient"];
    fields.into_iter().filter_map(|name| block.first(name)).find_map(addresses::typed)
}
