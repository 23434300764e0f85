//! What a message says, whether it is answered, and what the answer looks like. All mails here are our own words.

mod addressed;
mod addresses;
mod attachments;
mod authentication;
mod bounce;
mod charsets;
mod conversation;
mod disclosure;
mod gate;
mod held;
mod hostile;
mod html;
mod identity;
mod properties;
mod quotes;
mod read;
mod reply;
mod reply_address;
mod returned;
mod wishes;
mod words;

use postkey::mail::gate::{Allowed, Decision, HoldReason, Ours, SkipReason, decide};
use postkey::mail::{Address, Limits, Mail, RfcMessageId};

use crate::support::timing::processor_time;

/// A mail from a person, asking something, with more header lines on top.
fn mail_with(headers: &str) -> String {
    format!(
        "{headers}From: Ann Miller <ann@example.org>\r\nTo: Shop <shop@postkey.example>\r\nSubject: Opening hours\r\n\
         Date: Tue, 14 Jul 2026 10:00:00 +0200\r\nMessage-ID: <first@example.org>\r\n\r\nWhen do you open?\r\n"
    )
}

fn read(text: impl AsRef<[u8]>) -> Mail {
    postkey::mail::read(text.as_ref(), &Limits::default())
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn id(text: &str) -> RfcMessageId {
    RfcMessageId::parse(text).unwrap()
}

/// A keyed tag that is good enough for tests: different bytes give different tags.
fn tag(bytes: &[u8]) -> [u8; 16] {
    bytes
        .iter()
        .fold(0x9E37_79B9_7F4A_7C15_u128, |sum, byte| {
            (sum ^ u128::from(*byte)).wrapping_mul(0x0100_0000_01B3)
        })
        .to_be_bytes()
}

fn ours() -> Ours<'static> {
    Ours {
        addresses: vec![address("shop@postkey.example"), address("hello@postkey.example")],
        mailbox: Vec::new(),
        allowed: Allowed::default(),
        sent: &|id| id.as_str() == "sent-1@postkey.example",
        message_tag: &tag,
        installation: "test-1".to_owned(),
    }
}

fn decision(text: impl AsRef<[u8]>) -> Decision {
    decide(&read(text), &ours())
}

fn assert_skipped(text: impl AsRef<[u8]>, reason: SkipReason) {
    let text = text.as_ref();
    assert_eq!(decision(text), Decision::Skip(reason), "{}", String::from_utf8_lossy(text));
}

fn assert_held(text: impl AsRef<[u8]>, reason: HoldReason) {
    let text = text.as_ref();
    assert_eq!(decision(text), Decision::Hold(reason), "{}", String::from_utf8_lossy(text));
}

fn assert_answered(text: impl AsRef<[u8]>, recipient: &str) {
    let text = text.as_ref();
    let expected = Decision::Answer { recipient: address(recipient) };
    assert_eq!(decision(text), expected, "{}", String::from_utf8_lossy(text));
}
