//! Whom a notice names: addresses on lines of their own, behind labels, and in sentences that speak of failure.

use super::super::address::Address;
use super::super::clean;
use super::super::robots::{self, Robot};
use super::addresses::{self, InLine};
use super::phrases;
use super::system::{Parties, Sender};

/// Most addresses of one notice that are looked at.
const MOST_ADDRESSES: usize = 300;
/// How much before an address can be its label, in bytes.
const LONGEST_LABEL: usize = 80;

/// Words before an address that make it a recipient's, when a colon follows them.
const LABELS: [&str; 20] = [
    "recipient",
    "rcpt to",
    "addressee",
    "unknown user",
    "userid",
    "undeliverable",
    "error-for",
    "failed",
    "mailbox",
    "delivered to",
    "deliver to",
    "message to",
    "addresses",
    "address",
    "empfänger",
    "destinat",
    "odbiorc",
    "получател",
    "宛先",
    "收件人",
];

/// Words right before an address that make it a recipient's without a colon.
const NAMING: [&str; 7] = [
    "addressed to",
    "was addressed,",
    "expanded from:",
    "expanded from",
    "generated from",
    "your message to",
    "your mail to",
];

/// Words that in a label mean somebody else.
const OTHERS: [&str; 9] =
    ["sender", "from", "contact", "reply", "administrator", "support", "reporting", "absender", "cc:"];

/// The last word before an address that makes it somebody else's.
const SENDERS: [&str; 17] = [
    "from", "by", "sender", "contact", "mailto", "via", "at", "is", "or", "try", "von", "par", "por", "da",
    "van", "от", "cc",
];

/// Words of a request to write to a person, whose address is not the one that failed.
const CONTACTS: [&str; 8] = [
    "contact",
    "assistance",
    "for help",
    "questions",
    "write to",
    "further information",
    "kontakt",
    "support",
];

/// Collects addresses paragraph by paragraph.
pub(super) struct Reader<'a> {
    parties: &'a Parties,
    /// How many addresses have been looked at.
    seen: usize,
    /// A paragraph before has spoken of failure, so lists that follow are of those who failed.
    has_failed: bool,
    /// The last line of the paragraph before.
    previous: &'a str,
    /// Some address stood on a line of its own or behind a label.
    has_listed: bool,
    /// Named as failed.
    failed: Vec<Address>,
    /// Listed before the first word of failure.
    early: Vec<Address>,
    /// Named as addressee of the mail; used when nobody is named as failed.
    addressed: Vec<Address>,
}

impl<'a> Reader<'a> {
    /// `has_failed` when the mail is known to be a bounce before its words are read.
    pub(super) fn new(parties: &'a Parties, has_failed: bool) -> Self {
        let (failed, early, addressed) = (Vec::new(), Vec::new(), Vec::new());
        Self { parties, seen: 0, has_failed, previous: "", has_listed: false, failed, early, addressed }
    }

    pub(super) fn has_listed(&self) -> bool {
        self.has_listed
    }

    /// Reads the lines of one paragraph; `fails` when it speaks of failure.
    pub(super) fn read(&mut self, paragraph: &[&'a str], fails: bool) {
        let is_after_failure = fails || self.has_failed;
        for line in paragraph {
            let is_contact = !fails && is_contact_line(self.previous);
            let room = MOST_ADDRESSES.saturating_sub(self.seen);
            let mut found = addresses::in_line(line, room);
            self.seen += found.len();
            found.retain(|one| is_candidate(one, self.parties));
            for one in found {
                let is_named = is_labelled(&one) || (is_listed(&one) && !is_contact);
                self.has_listed |= is_named && is_after_failure;
                if fails || (is_named && is_after_failure) {
                    self.failed.push(one.address);
                } else if is_named {
                    self.early.push(one.address);
                } else if is_behind_to(&one) {
                    self.addressed.push(one.address);
                }
            }
            self.previous = line;
        }
        self.has_failed |= fails;
    }

    /// Those named as failed, else those listed before, else the addressees, else what the title names, else users without a domain.
    pub(super) fn recipients(mut self, lines: &[&str], sender: &Sender) -> Vec<Address> {
        let by_words = [&mut self.failed, &mut self.early, &mut self.addressed].map(std::mem::take);
        let by_words = by_words.into_iter().find(|list| !list.is_empty());
        let found = by_words.unwrap_or_else(|| in_title(sender, self.parties));
        if found.is_empty() { self.bare_user(lines, sender).into_iter().collect() } else { found }
    }

    /// `ann` alone on a line after "...the following recipients:" is a user of the domain that speaks.
    fn bare_user(&self, lines: &[&str], sender: &Sender) -> Option<Address> {
        let domain = self.parties.domain.as_deref()?;
        let mut after = lines.iter().skip_while(|line| !line.trim_end().ends_with(':')).skip(1);
        let user = after.find(|line| !line.trim().is_empty())?.trim();
        let is_word =
            user.len() <= 32 && user.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        Address::parse(&format!("{user}@{domain}")).filter(|_| is_word && sender.is_system)
    }
}

fn in_title(sender: &Sender, parties: &Parties) -> Vec<Address> {
    let named = addresses::in_line(&sender.subject, MOST_ADDRESSES).into_iter();
    named.filter(|found| is_candidate(found, parties)).map(|found| found.address).collect()
}

/// Not the notice's own author or reader, not somebody it speaks *from*, and no help desk.
fn is_candidate(found: &InLine<'_>, parties: &Parties) -> bool {
    let is_own = parties.own.contains(&found.address.normalized());
    let is_list_item = is_listed(found);
    let is_help = robots::judge(found.address.local()) == Some(Robot::System) && !is_list_item;
    !is_own && !is_help && (found.is_typed || is_list_item || !is_behind_sender(found))
}

fn is_contact_line(line: &str) -> bool {
    let folded = phrases::folded(line);
    CONTACTS.iter().any(|word| folded.contains(word))
}

/// The line begins with the address, bullets aside, and does not go on as a sentence would.
fn is_listed(found: &InLine<'_>) -> bool {
    let is_first = found.before.chars().all(|c| c.is_whitespace() || "*->•·<[(\"'=+".contains(c));
    let after = found.after.trim_start_matches(['>', ']', ')', '"', '\'']).trim();
    let is_end = after.chars().next().is_none_or(|c| !c.is_alphanumeric());
    is_first && (is_end || is_date(after))
}

/// `on Fri, 20 Jul 2001` behind an address.
fn is_date(after: &str) -> bool {
    after.starts_with("on ") && after.chars().any(|c| c.is_ascii_digit())
}

/// `Recipient: <ann@x.org>`, `RCPT TO:<ann@x.org>`, `addressed to 'ann@x.org'`, `(expanded from: ann@x.org)`.
fn is_labelled(found: &InLine<'_>) -> bool {
    let label = label(found);
    let is_named = NAMING.iter().any(|words| label.ends_with(words));
    let is_label = label.ends_with(':') || label.ends_with('=');
    let has = |words: &[&str]| words.iter().any(|word| label.contains(word));
    is_named || ((found.is_typed || (is_label && has(&LABELS))) && !has(&OTHERS))
}

/// What stands before the address, in lower case and without its brackets.
fn label(found: &InLine<'_>) -> String {
    let before = found.before.trim_end_matches(|c: char| c.is_whitespace() || "<[(\"'".contains(c));
    clean::cut_start(before, LONGEST_LABEL).to_lowercase()
}

fn is_behind_to(found: &InLine<'_>) -> bool {
    matches!(
        label(found).trim_start_matches(['*', '-', '>', ' ', '\t']),
        "to:" | "an:" | "para:" | "a:" | "à:" | "кому:"
    )
}

fn is_behind_sender(found: &InLine<'_>) -> bool {
    let before = label(found);
    if NAMING.iter().any(|words| before.ends_with(words)) {
        return false;
    }
    let word =
        before.trim_end_matches(|c: char| !c.is_alphanumeric()).rsplit(|c: char| !c.is_alphanumeric()).next();
    word.is_some_and(|word| SENDERS.contains(&word))
}
