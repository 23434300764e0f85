//! The words of a bounce: what failed, for whom, and where the returned copy begins.

use super::super::address::Address;
use super::super::robots::{self, Robot};
use super::addresses::{self, InLine};
use super::phrases;
use super::system::Sender;

/// Lines of a notice that are read; the copy of the mail begins long before.
const MOST_LINES: usize = 400;

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

/// What the words of a mail say about a delivery.
#[derive(Default)]
pub(super) struct Notice {
    /// A mail was not delivered.
    pub(super) speaks_of_failure: bool,
    /// That is the first thing the words say, a greeting aside, and they say it of mail.
    pub(super) opens_with_failure: bool,
    pub(super) speaks_like_a_machine: bool,
    pub(super) is_temporary: bool,
    /// The words go on with the mail that is returned, or its header.
    pub(super) has_original: bool,
    pub(super) recipients: Vec<Address>,
    /// At least one of them stands on a line of its own or behind a label.
    pub(super) lists_recipients: bool,
}

/// Reads the words of a mail, up to the copy of the mail that is returned.
///
/// `is_expected` when the mail is known to be a bounce, so that any list in it is one of those who failed.
pub(super) fn read(text: &str, sender: &Sender, is_expected: bool) -> Notice {
    let lines: Vec<&str> = text.lines().take(MOST_LINES).collect();
    let end = start_of_copy(&lines);
    let lines = lines.get(..end.unwrap_or(lines.len())).unwrap_or(&lines);
    let mut notice = Notice { has_original: end.is_some(), ..Notice::default() };
    let mut reader = Reader::new(sender, is_expected);
    let paragraphs = lines.split(|line| is_blank(line)).filter(|lines| !lines.is_empty());
    for (index, paragraph) in paragraphs.enumerate() {
        let folded = phrases::folded(&paragraph.join(" "));
        let fails = phrases::is_failure(&folded);
        notice.speaks_of_failure |= fails;
        let is_opening = index == 0 || (index == 1 && !sender.is_answer);
        notice.opens_with_failure |= fails && is_opening && phrases::is_about_mail(&folded);
        notice.speaks_like_a_machine |= phrases::is_machine(&folded);
        notice.is_temporary |= phrases::is_delay(&folded);
        reader.read(paragraph, fails);
    }
    notice.is_temporary |= phrases::is_delay(&phrases::folded(&sender.subject));
    if notice.speaks_of_failure || is_expected {
        notice.lists_recipients = reader.has_listed;
        notice.recipients = reader.recipients(lines);
    }
    notice
}

/// Where the returned mail begins: a line that says so, or the first lines of a header.
fn start_of_copy(lines: &[&str]) -> Option<usize> {
    lines.iter().position(|line| announces_copy(line) || is_trace_field(line))
}

/// A line between dashes, or a short one that ends with a colon or a full stop.
fn announces_copy(line: &str) -> bool {
    let trimmed = line.trim();
    let is_ruled = ["--", "==", "**", "__", "~~", "|-"].iter().any(|rule| trimmed.starts_with(rule));
    let is_short = trimmed.len() <= 80 && !trimmed.contains('@');
    let ends = trimmed.ends_with(':') || trimmed.ends_with("follows.") || trimmed.ends_with("follows");
    let opens_a_copy = trimmed.to_lowercase().starts_with("here is a copy") || trimmed.ends_with("attached");
    let folded = phrases::folded(trimmed);
    let is_heading = is_ruled || (is_short && (ends || opens_a_copy) && !phrases::is_failure(&folded));
    is_heading && phrases::is_copy(&folded)
}

/// Fields that a notice does not talk about and every mail begins with.
fn is_trace_field(line: &str) -> bool {
    let Some((name, _)) = line.trim_start_matches(['>', ' ']).split_once(':') else { return false };
    ["received", "return-path", "message-id", "mime-version", "delivered-to", "dkim-signature"]
        .iter()
        .any(|field| name.eq_ignore_ascii_case(field))
}

/// Empty, or nothing but a rule.
fn is_blank(line: &str) -> bool {
    line.chars().all(|c| c.is_whitespace() || "-=*_~#|".contains(c))
}

/// Collects addresses paragraph by paragraph.
struct Reader<'a> {
    sender: &'a Sender,
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
    fn new(sender: &'a Sender, has_failed: bool) -> Self {
        let (failed, early, addressed) = (Vec::new(), Vec::new(), Vec::new());
        Self { sender, has_failed, previous: "", has_listed: false, failed, early, addressed }
    }

    fn read(&mut self, paragraph: &[&'a str], fails: bool) {
        let is_after_failure = fails || self.has_failed;
        for line in paragraph {
            let is_contact = !fails && is_contact_line(self.previous);
            let mut found = addresses::in_line(line);
            found.retain(|one| is_candidate(one, self.sender));
            for one in found {
                let is_named = is_labelled(&one) || (is_listed(&one) && !is_contact);
                self.has_listed |= is_named && is_after_failure;
                match () {
                    () if fails || (is_named && is_after_failure) => self.failed.push(one.address),
                    () if is_named => self.early.push(one.address),
                    () if is_behind_to(&one) => self.addressed.push(one.address),
                    () => {}
                }
            }
            self.previous = line;
        }
        self.has_failed |= fails;
    }

    /// Those named as failed, else those listed before, else the addressees, else what the title names, else users without a domain.
    fn recipients(mut self, lines: &[&str]) -> Vec<Address> {
        let by_words = [&mut self.failed, &mut self.early, &mut self.addressed].map(std::mem::take);
        let by_words = by_words.into_iter().find(|list| !list.is_empty());
        let found = by_words.unwrap_or_else(|| self.in_title());
        if found.is_empty() { self.bare_user(lines).into_iter().collect() } else { found }
    }

    fn in_title(&self) -> Vec<Address> {
        let named = addresses::in_line(&self.sender.subject).into_iter();
        named.filter(|found| is_candidate(found, self.sender)).map(|found| found.address).collect()
    }

    /// `ann` alone on a line after "...the following recipients:" is a user of the domain that speaks.
    fn bare_user(&self, lines: &[&str]) -> Option<Address> {
        let domain = self.sender.domain.as_deref()?;
        let mut after = lines.iter().skip_while(|line| !line.trim_end().ends_with(':')).skip(1);
        let user = after.find(|line| !line.trim().is_empty())?.trim();
        let is_word =
            user.len() <= 32 && user.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
        Address::parse(&format!("{user}@{domain}")).filter(|_| is_word && self.sender.is_system)
    }
}

/// Not the notice's own author or reader, not somebody it speaks *from*, and no help desk.
fn is_candidate(found: &InLine<'_>, sender: &Sender) -> bool {
    let is_own = sender.own.iter().any(|own| own.is_same(&found.address));
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
    before.to_lowercase()
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
