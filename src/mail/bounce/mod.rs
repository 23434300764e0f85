//! Bounces: who did not get which mail, and whether that is final (EM-34, EM-151).
//!
//! Three sources in the order of trust: the machine-readable report (RFC 3464), the `X-Failed-Recipients` field, and
//! the words of the notice. The words are read by rules that hold for any server: a sentence that speaks of failed
//! delivery, an address on a line of its own or behind a label, and nothing from the copy of the returned mail on.

mod about;
mod addresses;
mod notice;
mod phrases;
mod status;
mod system;

use super::address::Address;
use super::fields::Fields;
use super::message_id::RfcMessageId;
use super::read::address_list;
use super::structure::{Leaf, Structure};
use super::{charset, clean, html, transfer};
use notice::Notice;
use status::Status;

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
pub(super) fn find(fields: &Fields, structure: &Structure<'_>) -> Option<Bounce> {
    if status::tells_of_success(&structure.leaves) {
        return None;
    }
    let report = status::find(&structure.leaves);
    let listed = listed_recipients(fields);
    let sender = system::Sender::of(fields);
    let is_report = structure.root_kind == "multipart/report";
    let is_certain = report.is_some() || !listed.is_empty();
    if !is_certain && !is_report && !sender.is_system && !may_be_notice(&structure.leaves) {
        return None;
    }
    let has_original = about::has_original(&structure.leaves);
    let is_expected = is_certain || (sender.is_system && (sender.has_bounce_subject || has_original));
    let text = words(&structure.leaves);
    let mut notice = notice::read(&text, &sender, is_expected);
    notice.has_original |= has_original;
    let is_wrapped = report.is_none() && sender.is_system;
    let report = if is_wrapped { status::find_returned(&structure.leaves) } else { report };
    let is_bounce = is_expected
        || report.is_some()
        || (is_report && notice.speaks_of_failure)
        || is_bounce_notice(&notice, &sender);
    is_bounce.then(|| Bounce {
        is_temporary: is_temporary(report.as_ref(), &notice),
        failed_recipients: recipients(report, listed, notice.recipients),
        about: about::ids(fields, &structure.leaves, &text),
    })
}

/// Whether the words alone make a bounce.
///
/// A mail system's notice needs to speak of failure only. A stranger's must open with it, list who was not reached,
/// and either be titled as a bounce or return the mail that failed in a machine's words: people write about bounces,
/// and about parcels, as well.
fn is_bounce_notice(notice: &Notice, sender: &system::Sender) -> bool {
    let is_from_machine = notice.speaks_like_a_machine && notice.has_original && !sender.is_answer;
    let is_shaped = notice.opens_with_failure && notice.lists_recipients && !sender.is_forward;
    let is_strangers = is_shaped && (sender.has_bounce_subject || is_from_machine);
    notice.speaks_of_failure && (sender.is_system || is_strangers)
}

fn recipients(report: Option<Status>, listed: Vec<Address>, named: Vec<Address>) -> Vec<Address> {
    let reported = report.map(|status| status.recipients).unwrap_or_default();
    let best = [reported, listed, named].into_iter().find(|list| !list.is_empty());
    let mut unique: Vec<Address> = Vec::new();
    for address in best.unwrap_or_default() {
        if unique.len() < MOST_RECIPIENTS && !unique.iter().any(|known| known.is_same(&address)) {
            unique.push(address);
        }
    }
    unique
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

/// A cheap first look at the beginning of the words, since most mails are no bounces.
fn may_be_notice(leaves: &[Leaf<'_>]) -> bool {
    let Some(leaf) = leaves.iter().find(|leaf| is_words(leaf)) else { return false };
    speaks_of_failure(&leaf_words(leaf, FIRST_LOOK))
}

/// In bytes.
const FIRST_LOOK: usize = 4 * 1024;

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
