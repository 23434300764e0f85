//! Who speaks in a bounce: mail systems by their names, and the titles that they give their notices (EM-11, EM-13).

use std::collections::HashSet;

use super::super::clean;
use super::super::fields::Fields;
use super::super::read::{address_list, decode_words, is_null_path};
use super::super::robots::{self, Robot};
use super::phrases::speaks_of_failure;

/// Display names of mail systems, letters and digits only; a person is not called so.
const SYSTEM_NAMES: [&str; 16] = [
    "maildelivery",
    "maildeliverysystem",
    "maildeliverysubsystem",
    "maildeliveryservice",
    "deliverysubsystem",
    "mailadministrator",
    "mailerdaemon",
    "mailsystem",
    "mailsystemadministrator",
    "microsoftexchange",
    "microsoftoutlook",
    "postmaster",
    "postmasteraccount",
    "systemadministrator",
    "internetmaildelivery",
    "maildeliveryagent",
];

/// How notices are titled, in lower case; the title begins so.
const SUBJECTS: &[&str] = &[
    "undeliver",
    "undelivered",
    "unzustellbar",
    "nicht zustellbar",
    "nicht zugestellt",
    "non-delivery",
    "nondelivery",
    "nondeliverable",
    "non delivery",
    "not delivered",
    "delivery status notification",
    "delivery notification",
    "delivery failure",
    "delivery failed",
    "delivery has failed",
    "delivery problem",
    "delivery report",
    "delivery error",
    "delivery delayed",
    "delivery incomplete",
    "delivery warning",
    "email delivery failure",
    "e-mail delivery failure",
    "message delivery failure",
    "message delivery has failed",
    "message delayed",
    "message not delivered",
    "message undeliverable",
    "message status - undeliverable",
    "mail delivery",
    "mail delayed",
    "mail error",
    "mail failed",
    "mail failure",
    "mail not delivered",
    "mail undeliverable",
    "mail could not be delivered",
    "mail system error",
    "failed mail",
    "failed delivery",
    "failed to deliver",
    "failure delivery",
    "failure notice",
    "returned mail",
    "returned to sender",
    "returned email",
    "permanent delivery failure",
    "permanent failure",
    "permanent error",
    "temporary failure",
    "warning: could not send message",
    "warning: message",
    "unable to deliver",
    "fehler bei der zustellung",
    "échec de la remise",
    "échec de remise",
    "non remis",
    "no se puede entregar",
    "impossibile recapitare",
    "mancata consegna",
    "não é possível entregar",
    "недоставленное сообщение",
];

/// What is known of the sender and the title before a word is read.
pub(super) struct Sender {
    /// A mail system, by its address or its name.
    pub(super) is_system: bool,
    /// The return path is empty, as bounces have it, and holiday notes as well.
    pub(super) has_null_path: bool,
    /// The title begins as that of a bounce or speaks of failed delivery.
    pub(super) has_bounce_subject: bool,
    /// The title is one of an answer or a forward, which people write.
    pub(super) is_answer: bool,
    /// The title is one of a forward.
    pub(super) is_forward: bool,
    /// The title, one clean line.
    pub(super) subject: String,
}

impl Sender {
    pub(super) fn of(fields: &Fields) -> Self {
        let subject = clean::line(&decode_words(fields.first("subject").unwrap_or("")));
        Self {
            is_system: is_system(fields),
            has_null_path: fields.all("return-path").any(is_null_path),
            has_bounce_subject: has_bounce_subject(&subject) || speaks_of_failure(&subject),
            is_answer: is_answer_subject(&subject),
            is_forward: is_forward(&subject),
            subject,
        }
    }
}

/// Who takes part in the notice itself.
pub(super) struct Parties {
    /// Who wrote it and whom it was sent to, normalised. They are not the ones that failed.
    pub(super) own: HashSet<String>,
    /// The domain that speaks, for users that it names without a domain.
    pub(super) domain: Option<String>,
}

impl Parties {
    pub(super) fn of(fields: &Fields) -> Self {
        let addresses =
            |name: &str| fields.first(name).map(|value| address_list(value, 10)).unwrap_or_default();
        let own = ["from", "to", "reply-to"].into_iter().flat_map(addresses);
        Self {
            own: own.map(|named| named.address.normalized()).collect(),
            domain: addresses("from").first().map(|named| named.address.domain().to_owned()),
        }
    }
}

/// Whether a title begins like a bounce's; marks in brackets before it do not count.
pub(in super::super) fn has_bounce_subject(subject: &str) -> bool {
    let lower = subject.to_lowercase();
    let bare = match lower.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => &lower,
    };
    let bare = bare.trim_start_matches(|c: char| !c.is_alphanumeric());
    SUBJECTS.iter().any(|start| bare.starts_with(start))
}

/// Whether a display name is that of a mail system.
pub(in super::super) fn is_system_name(name: &str) -> bool {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    SYSTEM_NAMES.contains(&plain.as_str())
}

/// Whether a mail system wrote it, by its address or its name.
pub(super) fn is_system(fields: &Fields) -> bool {
    let from = fields.first("from").unwrap_or("");
    let raw = ["from", "sender", "return-path"].into_iter().flat_map(|name| fields.all(name));
    let is_robot = raw.map(robots::bare_local).any(|local| robots::judge(local) == Some(Robot::System));
    let name = from.rsplit_once('<').map_or("", |(name, _)| name);
    let comment =
        from.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(name, _)| name);
    is_robot || is_system_name(&decode_words(name)) || is_system_name(comment)
}

/// `Re:`, `AW:`, `Fwd:`, `WG:`: two or three letters and a colon, or a longer known one.
pub(in super::super) fn is_answer_subject(subject: &str) -> bool {
    let Some(start) = prefix(subject) else { return false };
    let letters = start.chars().filter(|c| c.is_alphabetic()).count();
    let is_short = (1..=3).contains(&letters) && start.chars().count() <= 6;
    is_short || ["antw", "res", "rép"].contains(&start.as_str()) || is_forward(subject)
}

/// Whether somebody passes the mail on.
fn is_forward(subject: &str) -> bool {
    let forwards = ["fwd", "fw", "forward", "wg", "tr", "rv", "enc", "doorst", "vb", "转发", "轉寄"];
    prefix(subject).is_some_and(|start| forwards.contains(&start.as_str()))
}

/// What stands before the first colon of a title, in lower case.
fn prefix(subject: &str) -> Option<String> {
    subject.split_once(':').map(|(start, _)| start.trim().to_lowercase())
}
