//! Mail that we sent (EM-15, EM-16, EM-17).

use super::super::address::Address;
use super::super::loop_mark::is_own_loop_mark;
use super::super::message_id::is_own_message_id;
use super::super::read::{Mail, address_list};
use super::{Ours, SkipReason};

/// From, Sender, Reply-To or Return-Path is an address of the same owner, plus forms included (EM-15).
pub(super) fn is_from_ourselves(mail: &Mail, ours: &Ours<'_>) -> Option<SkipReason> {
    let authors = mail.from.iter().map(|named| &named.address);
    let others = mail.sender.iter().chain(&mail.reply_to);
    let is_own = authors.chain(others).any(|address| is_ours(address, ours));
    let mut return_paths = mail.signals.fields.all("return-path").flat_map(|value| address_list(value, 1));
    (is_own || return_paths.any(|path| is_ours(&path.address, ours))).then_some(SkipReason::Ourselves)
}

/// Whether it is an address of the same owner or a plus form of one.
pub(super) fn is_ours(address: &Address, ours: &Ours<'_>) -> bool {
    let (whole, base) = (address.normalized(), address.without_detail().normalized());
    ours.addresses.iter().map(Address::normalized).any(|own| own == whole || own == base)
}

/// Our Message-ID or our loop mark, each known by its keyed tag (EM-16, EM-17).
pub(super) fn carries_our_mark(mail: &Mail, ours: &Ours<'_>) -> Option<SkipReason> {
    if mail.message_id.as_ref().is_some_and(|id| is_own_message_id(id, ours.message_tag)) {
        return Some(SkipReason::OwnMessageId);
    }
    let is_mark = |value: &str| is_own_loop_mark(value, &ours.installation, ours.message_tag);
    mail.signals.fields.all("x-agent-loop").any(is_mark).then_some(SkipReason::OwnLoopMark)
}
