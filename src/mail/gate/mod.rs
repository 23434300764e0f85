//! The pure decision whether a mail may be answered, before any model is asked.
//!
//! The list `CHECKS` is the gate: cheap and certain first, every check a rule, every refusal a stored reason. What
//! only a person can answer is held instead. Rules that need the store, a clock or the folder (EM-25 to EM-30) do not
//! belong here.

mod addressed;
mod automatic;
mod hold;
mod invitation;
mod ourselves;
mod reason;
mod recipient;
mod report;
mod returned;
mod robots;

pub use hold::HoldReason;
pub use reason::SkipReason;

use super::address::Address;
use super::message_id::RfcMessageId;
use super::read::Mail;

/// What the gate says about one mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be answered, to this one address (EM-39).
    Answer {
        /// The only recipient.
        recipient: Address,
    },
    /// It is stored and never answered.
    Skip(SkipReason),
    /// A person decides; nothing is sent before.
    Hold(HoldReason),
}

/// Who we are, as far as the gate must know.
pub struct Ours<'a> {
    /// Addresses and aliases of all mailboxes and agents of the same owner (EM-15).
    pub addresses: Vec<Address>,
    /// The addresses of the mailbox that the mail came to, aliases and forwarders included. EM-19 and EM-20 apply
    /// only when there is one.
    pub mailbox: Vec<Address>,
    /// What the owner allows beyond the defaults.
    pub allowed: Allowed,
    /// Whether we sent the mail of this Message-ID (EM-13, EM-14).
    pub sent: &'a (dyn Fn(&RfcMessageId) -> bool + Send + Sync),
    /// The keyed tag of our Message-IDs and loop marks.
    pub message_tag: &'a (dyn Fn(&[u8]) -> [u8; 16] + Send + Sync),
    /// The name of this installation, as its loop marks carry it.
    pub installation: String,
}

/// Switches of a mailbox; by default all are off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Mail that names none of the mailbox's addresses, such as blind copies, is answered (EM-19).
    pub unaddressed: bool,
    /// Mail that the mailbox got a copy of is answered (EM-20).
    pub copies: bool,
}

type Check = fn(&Mail, &Ours<'_>) -> Option<SkipReason>;

const CHECKS: [Check; 21] = [
    report::has_unread_headers,
    report::has_null_return_path,
    automatic::is_auto_submitted,
    automatic::has_bulk_precedence,
    automatic::is_from_a_list,
    automatic::wants_no_answer,
    automatic::is_autoresponse,
    automatic::is_marked_by_a_machine,
    report::is_report,
    report::has_status_part,
    returned::is_bounce,
    returned::returns_our_mail,
    returned::is_complaint,
    returned::is_challenge,
    returned::is_automatic_by_subject,
    invitation::is_calendar_answer,
    robots::is_from_a_robot,
    ourselves::is_from_ourselves,
    ourselves::carries_our_mark,
    report::has_too_many_hops,
    addressed::judge,
];

/// Decides about `mail`; total, and the same for the same mail and the same `ours` (EM-31, EM-32).
pub fn decide(mail: &Mail, ours: &Ours<'_>) -> Decision {
    if let Some(reason) = CHECKS.iter().find_map(|check| check(mail, ours)) {
        return Decision::Skip(reason);
    }
    match recipient::choose(mail, ours) {
        Err(reason) => Decision::Skip(reason),
        Ok(recipient) => match hold::judge(mail, &recipient) {
            Some(reason) => Decision::Hold(reason),
            None => Decision::Answer { recipient },
        },
    }
}
