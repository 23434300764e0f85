//! Bounces, reports and mails that ran in circles (EM-1, EM-9, EM-10, EM-18, EM-31).

use super::super::read::{Mail, is_null_path};
use super::{Ours, SkipReason};

/// More `Received` fields than this are a loop (EM-18).
const MOST_HOPS: usize = 100;

/// Fields by which hosts pass on the envelope sender.
const RETURN_PATHS: [&str; 3] = ["return-path", "x-envelope-from", "x-original-return-path"];

/// Kinds of parts that report on another mail.
const STATUS_KINDS: [&str; 5] = [
    "message/delivery-status",
    "message/global-delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
    "message/tracking-status",
];

/// Fields beyond the caps may hold the mark of a robot: not answering is the safe side (EM-31).
pub(super) fn has_unread_headers(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    mail.flags.are_headers_cut.then_some(SkipReason::Unreadable)
}

/// An empty return path in any of the fields that carry one; a missing field is not empty (EM-1, CT-7b).
pub(super) fn has_null_return_path(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    let mut paths = RETURN_PATHS.into_iter().flat_map(|name| mail.signals.fields.all(name));
    paths.any(is_null_path).then_some(SkipReason::NullReturnPath)
}

/// The whole mail is a report, of whatever kind (EM-9).
pub(super) fn is_report(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    (mail.signals.root_kind == "multipart/report").then_some(SkipReason::Report)
}

/// A report as a part; one inside an attached mail is not a part of this one (EM-10).
pub(super) fn has_status_part(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    let mut kinds = mail.signals.leaf_kinds.iter();
    kinds.any(|kind| STATUS_KINDS.contains(&kind.as_str())).then_some(SkipReason::StatusPart)
}

/// RFC 5321 section 6.3 (EM-18).
pub(super) fn has_too_many_hops(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    (mail.hops() > MOST_HOPS).then_some(SkipReason::TooManyHops)
}
