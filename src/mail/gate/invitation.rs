//! Calendar mail (EM-21; RFC 5546).

use super::super::read::Mail;
use super::{Ours, SkipReason};

/// `METHOD:REPLY` and `CANCEL`: programs keep calendars with them.
pub(super) fn is_calendar_answer(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    matches!(method(mail), Some("REPLY" | "CANCEL")).then_some(SkipReason::CalendarAnswer)
}

/// `METHOD:REQUEST`, `COUNTER` and the like: somebody waits for a calendar's answer.
pub(super) fn is_invitation(mail: &Mail) -> bool {
    matches!(method(mail), Some("REQUEST" | "COUNTER" | "ADD" | "DECLINECOUNTER"))
}

/// Of a calendar that is the body; one that is attached to words is a file.
fn method(mail: &Mail) -> Option<&str> {
    mail.signals.calendar_method.as_deref()
}
