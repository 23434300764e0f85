//! Bounces: who did not get which mail, and whether that is final (EM-34, EM-151).
//!
//! Three sources in the order of trust: the machine-readable report (RFC 3464), the `X-Failed-Recipients` field, and
//! the words of the notice. The words are read by rules that hold for any server: a sentence that speaks of failed
//! delivery, an address on a line of its own or behind a label, and nothing from the copy of the returned mail on.

mod about;
mod addresses;
mod notice;
mod phrases;
mod recipients;
mod status;
mod system;
mod vocabulary;

use std::collections::HashSet;

use super::address::Address;
use super::fields::Fields;
use super::message_id::RfcMessageId;
use super::read::address_list;
use super::structure::{Leaf, Structure};
use super::{charset, clean, html, transfer};
use notice::Notice;
use status::Status;
use system::{Parties, Sender};

pub(super) use about::returned_ids;
pub(super) use phrases::speaks_of_failure;
pub(super) use system::{has_bounce_subject, is_answer_subject, is_system_name};

/// How much of the words of a notice is read, in bytes.
const LONGEST_NOTICE: usize = 32 * 1024;
/// Most recipients of one bounce that are kept.
const MOST_RECIPIENTS: usize = 100;

/// What a bounce says. Anybody can write one: it means something only when it names a mail of ours (EM-153).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounce {
    /// The addresses that were not reached; empty when the notice names none that can be read.
    pub failed_recipients: Vec<Address>,
    /// Delivery is still being tried: nothing is lost yet.
    pub is_temporary: bool,
    /// The mails that it names: of the copy it returns, of its report, and of its own `In-Reply-To` and `References`.
    pub about: Vec<RfcMessageId>,
}

/// Reads a bounce out of a mail's fields and leaves; `None` for every other mail.
///
/// `visible` are the new words of the mail, for a cheap first look: most mails are no bounces.
pub(super) fn find(fields: &Fields, structure: &Structure<'_>, visible: &str) -> Option<Bounce> {
    let leaves = structure.leaves.as_slice();
    let listed = listed_recipients(fields);
    let is_report = structure.root_kind == "multipart/report";
    let has_marks = !listed.is_empty() || is_report || status::is_among(leaves) || system::is_system(fields);
    if status::tells_of_success(leaves) || !(has_marks || speaks_of_failure(visible)) {
        return None;
    }
    let sender = Sender::of(fields);
    let report = match status::find(leaves) {
        None if sender.is_system => status::find_returned(leaves),
        report => report,
    };
    let has_original = about::has_original(leaves);
    let is_system = sender.is_system && (sender.has_bounce_subject || has_original);
    let is_expected = report.is_some() || !listed.is_empty() || is_system;
    let text = words(leaves);
    let mut notice = notice::read(&text, &sender, &Parties::of(fields), is_expected);
    notice.has_original |= has_original;
    let is_told = notice.speaks_of_failure && (is_report || is_bounce_notice(&notice, &sender));
    (is_expected || is_told).then(|| Bounce {
        is_temporary: is_temporary(report.as_ref(), &notice),
        failed_recipients: recipients(report, listed, notice.recipients),
        about: about::ids(fields, leaves, &text),
    })
}

/// Whether words that speak of failure make a bounce.
///
/// A mail system's always do. A holiday note has an empty return path as well, so there the title or the returned
/// mail must agree. A stranger's must open with the failure, list who was not reached, and either be titled as a
/// bounce or return the mail that failed in a machine's words: people write about bounces, and about parcels.
fn is_bounce_notice(notice: &Notice, sender: &Sender) -> bool {
    let is_nobodys = sender.has_null_path && (sender.has_bounce_subject || notice.has_original);
    let is_from_machine = notice.speaks_like_a_machine && notice.has_original && !sender.is_answer;
    let is_shaped = notice.opens_with_failure && notice.lists_recipients && !sender.is_forward;
    sender.is_system || is_nobodys || (is_shaped && (sender.has_bounce_subject || is_from_machine))
}

fn recipients(report: Option<Status>, listed: Vec<Address>, named: Vec<Address>) -> Vec<Address> {
    let reported = report.map(|status| status.recipients).unwrap_or_default();
    let best = [reported, listed, named].into_iter().find(|list| !list.is_empty());
    let mut known = HashSet::new();
    let unique = best.unwrap_or_default().into_iter().filter(|address| known.insert(address.normalized()));
    unique.take(MOST_RECIPIENTS).collect()
}

/// A report knows; where there is none, or it lists nobody, the words count.
fn is_temporary(report: Option<&Status>, notice: &Notice) -> bool {
    match report {
        Some(status) if !status.recipients.is_empty() => status.is_delayed,
        _ => notice.is_temporary,
    }
}

/// `X-Failed-Recipients`, which Exim, Gmail and others write.
fn listed_recipients(fields: &Fields) -> Vec<Address> {
    let lists = fields.all("x-failed-recipients");
    lists.flat_map(|value| address_list(value, MOST_RECIPIENTS)).map(|named| named.address).collect()
}

/// The words of the mail itself with `\n` line ends; attached mails are not its words.
fn words(leaves: &[Leaf<'_>]) -> String {
    let mut text = String::new();
    for leaf in leaves.iter().filter(|leaf| is_words(leaf)) {
        let room = LONGEST_NOTICE.saturating_sub(text.len());
        text.push_str(&leaf_words(leaf, room));
        text.push('\n');
    }
    text
}

fn is_words(leaf: &Leaf<'_>) -> bool {
    leaf.kind == "text/plain" || leaf.kind == "text/html"
}

/// At most about `longest` bytes of the words of one leaf.
fn leaf_words(leaf: &Leaf<'_>, longest: usize) -> String {
    // Encoded text is at most about four times as long as its words.
    let encoded = leaf.body.get(..longest.saturating_mul(4)).unwrap_or(leaf.body);
    let decoded = charset::decode(&transfer::decode(encoded, &leaf.encoding), leaf.charset.as_deref());
    match leaf.kind.as_str() {
        "text/html" => clean::lines(&html::to_text(&decoded, longest).text),
        _ => clean::lines(clean::cut_bytes(&decoded, longest)),
    }
}
