//! The pure decision whether a mail may be answered, before any model is asked.
//!
//! The list `CHECKS` is the gate: cheap and certain first, every check a rule, every refusal a stored reason.
//! Deeper checks (EM-13, EM-14, EM-19 to EM-30) join the list; those that need the store or a clock do not belong here.

mod automatic;
mod ourselves;
mod reason;
mod recipient;
mod report;
mod robots;

pub use reason::SkipReason;

use super::address::Address;
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
}

/// Who we are, as far as the gate must know.
pub struct Ours<'a> {
    /// Addresses and aliases of all mailboxes and agents of the same owner (EM-15).
    pub addresses: Vec<Address>,
    /// The keyed tag of our Message-IDs and loop marks.
    pub message_tag: &'a (dyn Fn(&[u8]) -> [u8; 16] + Send + Sync),
    /// The name of this installation, as its loop marks carry it.
    pub installation: String,
}

type Check = fn(&Mail, &Ours<'_>) -> Option<SkipReason>;

const CHECKS: [Check; 14] = [
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
    robots::is_from_a_robot,
    ourselves::is_from_ourselves,
    ourselves::carries_our_mark,
    report::has_too_many_hops,
];

/// Decides about `mail`; total, and the same for the same mail and the same `ours` (EM-31, EM-32).
pub fn decide(mail: &Mail, ours: &Ours<'_>) -> Decision {
    match CHECKS.iter().find_map(|check| check(mail, ours)) {
        Some(reason) => Decision::Skip(reason),
        None => match recipient::choose(mail, ours) {
            Ok(recipient) => Decision::Answer { recipient },
            Err(reason) => Decision::Skip(reason),
        },
    }
}
