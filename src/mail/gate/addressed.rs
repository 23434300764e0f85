//! Whether the mail was meant for this mailbox (EM-19, EM-20, EM-63; RFC 3834 section 2).

use super::super::address::Address;
use super::super::read::{Mail, address_list};
use super::{Ours, SkipReason};

/// Fields that the receiving host writes on top of its own `Received`.
const DELIVERY_FIELDS: [&str; 6] =
    ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-gm-original-to"];

/// A mailbox that is named in Cc alone, or nowhere, is not asked.
///
/// Lists and blind copies name somebody else. Forwarded mail does as well, but there our own host says to whom it
/// delivered.
pub(super) fn judge(mail: &Mail, ours: &Ours<'_>) -> Option<SkipReason> {
    if ours.mailbox.is_empty() {
        return None;
    }
    let is_named = |list: &[Address]| list.iter().any(|address| is_mailbox(address, ours));
    if is_named(&mail.to) || is_named(&resent(mail, "resent-to")) {
        return None;
    }
    if is_named(&mail.cc) || is_named(&resent(mail, "resent-cc")) {
        return (!ours.allowed.copies).then_some(SkipReason::OnlyCopied);
    }
    let is_excused = ours.allowed.unaddressed || is_named(&delivered_by_our_host(mail));
    (!is_excused).then_some(SkipReason::NotAddressed)
}

fn is_mailbox(address: &Address, ours: &Ours<'_>) -> bool {
    let (whole, base) = (address.normalized(), address.without_detail().normalized());
    ours.mailbox.iter().map(Address::normalized).any(|own| own == whole || own == base)
}

fn resent(mail: &Mail, name: &str) -> Vec<Address> {
    let fields = mail.signals.fields.all(name);
    fields.flat_map(|value| address_list(value, 100)).map(|named| named.address).collect()
}

/// Only above the first `Received`: what stands below it may be the sender's invention (EM-63).
fn delivered_by_our_host(mail: &Mail) -> Vec<Address> {
    let top = mail.signals.fields.iter().take_while(|(name, _)| *name != "received");
    let values = top.filter(|(name, _)| DELIVERY_FIELDS.contains(name)).map(|(_, value)| value);
    values.flat_map(|value| address_list(value, 1)).map(|named| named.address).collect()
}
