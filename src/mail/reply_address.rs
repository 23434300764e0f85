//! Our own address with a signed detail, by which an answer finds its thread where the ids of its header are lost
//! (EM-66 to EM-68): `support+r.{thread}.{last day}.{tag}@shop.example`.
//!
//! Whoever has seen a reply knows its address, so the tag binds the thread to owner, mailbox and correspondent: in
//! anybody else's mail it means nothing, and to the correspondent it opens no more than a Message-ID does (EM-67).

use uuid::Uuid;

use super::address::Address;
use super::read::Mail;
use crate::clock::Timestamp;

/// Stands between the address and the detail.
const MARK: &str = "+r.";
/// Digits of the thread: 128 bits in base 32, five to a digit.
const THREAD: usize = 26;
/// Digits of the last day, counted from 1970.
const DAY: usize = 4;
/// Digits of the tag: 80 bits.
const TAG: usize = 16;
/// Length of the detail.
const DETAIL: usize = THREAD + 1 + DAY + 1 + TAG;
/// Longest local part in bytes (RFC 5321 section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;
/// Longest local part of an address that has room for a detail.
pub const LONGEST_SIGNED: usize = LONGEST_LOCAL - MARK.len() - DETAIL;
/// How many days after a reply its address leads to the thread.
const LIFETIME: i64 = 365;
const MILLIS_OF_A_DAY: i64 = 24 * 60 * 60 * 1000;

/// The keyed tag of some bytes.
pub type AddressTag = [u8; 10];

/// Who writes with whom.
#[derive(Clone, Copy)]
pub struct Parties<'a> {
    /// The owner.
    pub user: Uuid,
    /// The owner's mailbox.
    pub mailbox: Uuid,
    /// The person outside, in comparable form.
    pub correspondent: &'a str,
}

/// Whether an address has room for a detail: at most [`LONGEST_SIGNED`] characters before the `@`, and no quotes.
pub fn has_room_for_detail(own: &Address) -> bool {
    own.local().len() <= LONGEST_SIGNED && !own.local().starts_with('"')
}

/// The address for answers to a reply in `thread`; `None` where `own` has no room for a detail.
pub fn signed_address(
    own: &Address,
    parties: Parties<'_>,
    thread: Uuid,
    now: Timestamp,
    tag: &dyn Fn(&[u8]) -> AddressTag,
) -> Option<Address> {
    let last_day = u32::try_from(today(now) + LIFETIME).ok()?;
    let tag = tag(&tagged_bytes(parties, thread, last_day));
    let detail = Detail { thread, last_day, tag }.written();
    let (local, domain) = (own.local(), own.domain());
    has_room_for_detail(own).then(|| Address::parse(&format!("{local}{MARK}{detail}@{domain}"))).flatten()
}

/// The thread that an address of `mail` names, where it was written for these parties and still holds.
pub fn signed_thread(
    mail: &Mail,
    parties: Parties<'_>,
    now: Timestamp,
    is_tag: &dyn Fn(&[u8], &AddressTag) -> bool,
) -> Option<Uuid> {
    let is_good = |detail: &Detail| {
        let bytes = tagged_bytes(parties, detail.thread, detail.last_day);
        today(now) <= i64::from(detail.last_day) && is_tag(&bytes, &detail.tag)
    };
    let addresses = mail.to.iter().chain(&mail.cc).chain(&mail.delivered_to);
    let mut details = addresses.filter_map(|address| split(address.local())).map(|(_, detail)| detail);
    details.find(is_good).map(|detail| detail.thread)
}

/// The address without a detail of this form, whoever signed it.
pub fn unsigned(address: &Address) -> Address {
    let own = split(address.local()).map(|(local, _)| format!("{local}@{}", address.domain()));
    own.and_then(|own| Address::parse(&own)).unwrap_or_else(|| address.clone())
}

/// The text without such details: programs write our address above what they quote, and what a model has read it can
/// be made to tell.
pub fn without_details(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['r', 'R']) {
        let (before, found) = rest.split_at(at);
        let end = "r.".len() + DETAIL;
        let detail = found.get("r.".len()..end).and_then(Detail::read);
        let is_detail = detail.is_some() && found.get(1..2) == Some(".");
        out.push_str(if is_detail { without_plus(before) } else { before });
        let (kept, after) = found.split_at(if is_detail { end } else { 1 });
        out.push_str(if is_detail { "" } else { kept });
        rest = after;
    }
    out + rest
}

/// In links the plus is encoded.
fn without_plus(text: &str) -> &str {
    let encoded = || text.strip_suffix("%2B").or_else(|| text.strip_suffix("%2b"));
    text.strip_suffix('+').or_else(encoded).unwrap_or(text)
}

/// What stands behind the mark.
struct Detail {
    thread: Uuid,
    last_day: u32,
    tag: AddressTag,
}

impl Detail {
    fn written(&self) -> String {
        let [thread, last_day, tag] = [
            digits(self.thread.as_u128(), THREAD),
            digits(self.last_day.into(), DAY),
            digits(self.tag.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)), TAG),
        ];
        format!("{thread}.{last_day}.{tag}")
    }

    /// Some hosts change the case of what stands before the `@`.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let thread = number(parts.next()?, THREAD)?;
        let last_day = number(parts.next()?, DAY)?;
        let [.., a, b, c, d, e, f, g, h, i, j] = number(parts.next()?, TAG)?.to_be_bytes();
        parts.next().is_none().then_some(())?;
        let tag = [a, b, c, d, e, f, g, h, i, j];
        Some(Self { thread: Uuid::from_u128(thread), last_day: u32::try_from(last_day).ok()?, tag })
    }
}

/// A local part as what stands before the mark, and the detail.
fn split(local: &str) -> Option<(&str, Detail)> {
    let (before, detail) = local.split_at_checked(local.len().checked_sub(DETAIL)?)?;
    let (own, mark) = before.split_at_checked(before.len().checked_sub(MARK.len())?)?;
    let is_marked = mark.eq_ignore_ascii_case(MARK) && !own.is_empty();
    is_marked.then(|| Detail::read(detail)).flatten().map(|detail| (own, detail))
}

/// All that is signed; the only part of unknown length is the last.
fn tagged_bytes(parties: Parties<'_>, thread: Uuid, last_day: u32) -> Vec<u8> {
    let Parties { user, mailbox, correspondent } = parties;
    let ids = [user, mailbox, thread].map(Uuid::into_bytes);
    [ids.concat().as_slice(), &last_day.to_be_bytes(), correspondent.as_bytes()].concat()
}

fn today(now: Timestamp) -> i64 {
    now.millis().div_euclid(MILLIS_OF_A_DAY)
}

/// RFC 4648 section 7, in lower case.
fn digits(number: u128, length: usize) -> String {
    let digit = |at: usize| u32::try_from((number >> (5 * at)) & 31).ok();
    (0..length).rev().filter_map(|at| char::from_digit(digit(at)?, 32)).collect()
}

fn number(digits: &str, length: usize) -> Option<u128> {
    let are_digits = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    are_digits.then(|| u128::from_str_radix(digits, 32).ok()).flatten()
}
