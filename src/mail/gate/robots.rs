//! Senders behind whom nobody reads (EM-11, EM-12).

use super::super::bounce;
use super::super::read::Mail;
use super::super::robots::{self, Robot};
use super::{Ours, SkipReason};

/// Looks at From, Sender and Return-Path, the last as raw text because bounces put a bare word there, and at the
/// name: nobody is called "Mail Delivery Subsystem".
pub(super) fn is_from_a_robot(mail: &Mail, _: &Ours<'_>) -> Option<SkipReason> {
    let authors =
        mail.from.iter().map(|named| named.address.local()).chain(mail.sender.iter().map(|s| s.local()));
    let raw = ["return-path", "from", "sender"].into_iter().flat_map(|name| mail.signals.fields.all(name));
    let by_address = authors.chain(raw.map(robots::bare_local)).find_map(judge);
    let mut names = mail.from.iter().filter_map(|named| named.name.as_deref());
    by_address.or_else(|| names.any(bounce::is_system_name).then_some(SkipReason::RobotSender))
}

/// What is wrong with a local part, if anything.
pub(super) fn judge(local: &str) -> Option<SkipReason> {
    robots::judge(local).map(|robot| match robot {
        Robot::System | Robot::Service => SkipReason::RobotSender,
        Robot::Role => SkipReason::RoleSender,
    })
}
