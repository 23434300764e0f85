//! What must be true of every mail, whatever is in it.

use std::time::{Duration, Instant};

use postkey::clock::Timestamp;
use postkey::mail::authentication::judge;
use postkey::mail::gate::{Allowed, Decision, Ours, decide};
use postkey::mail::reply::{Draft, Voice, compose};
use postkey::mail::wishes::wish;
use postkey::mail::{Address, Limits, Mail, RfcMessageId, has_header_block, identity, read};
use proptest::prelude::*;

/// Unoptimised, for half a megabyte, beside all the other tests; a quadratic reading takes minutes.
const SOON: Duration = Duration::from_secs(10);

/// Reads, judges and answers `raw`.
pub fn check(raw: &[u8]) -> Result<(), TestCaseError> {
    let started = Instant::now();
    let limits = Limits::default();
    let mail = read(raw, &limits);
    let again = read(raw, &limits);
    prop_assert_eq!(decide(&mail, &ours()), decide(&again, &ours()));
    prop_assert_eq!(identity(raw, &mail), identity(raw, &again));
    prop_assert_eq!(judge(&mail, Some("mx.postkey.example")), judge(&again, Some("mx.postkey.example")));
    prop_assert_eq!(wish(&mail), wish(&again));
    let _ = has_header_block(raw);
    check_words(&mail, &limits)?;
    check_lines(&mail)?;
    if let Decision::Answer { recipient } = decide(&mail, &ours()) {
        check_answer(&mail, &recipient)?;
    }
    prop_assert!(started.elapsed() < SOON, "{:?} for {} bytes", started.elapsed(), raw.len());
    Ok(())
}

fn ours() -> Ours<'static> {
    let addresses: Vec<Address> = Address::parse("shop@postkey.example").into_iter().collect();
    Ours {
        mailbox: addresses.clone(),
        addresses,
        allowed: Allowed { unaddressed: true, copies: true },
        sent: &|id| id.as_str().starts_with('0'),
        message_tag: &|_| [7; 16],
        installation: "fuzz".to_owned(),
    }
}

/// Bounded, and readable by a person (EM-107, EM-117).
fn check_words(mail: &Mail, limits: &Limits) -> Result<(), TestCaseError> {
    let (visible, quoted) = (&mail.text.visible, &mail.text.quoted);
    prop_assert!(visible.len() + quoted.len() <= limits.text_bytes + 1024);
    let mut steering =
        visible.chars().chain(quoted.chars()).filter(|c| c.is_control() && *c != '\n' && *c != '\t');
    prop_assert_eq!(steering.next(), None);
    let mut unseen =
        visible.chars().filter(|c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{E0000}'..='\u{E007F}'));
    prop_assert_eq!(unseen.next(), None);
    Ok(())
}

/// One line each, and no file name that leads out of a folder (EM-51, EM-124).
fn check_lines(mail: &Mail) -> Result<(), TestCaseError> {
    prop_assert!(!mail.subject.contains(char::is_control));
    for file in &mail.attachments {
        let name = &file.name;
        prop_assert!(!name.is_empty() && name != ".." && !name.contains(['/', '\\', '\0']), "{name:?}");
        prop_assert!(!name.contains(char::is_control) && !file.kind.contains(char::is_control), "{name:?}");
    }
    let addresses =
        mail.from.iter().map(|named| &named.address).chain(&mail.to).chain(&mail.cc).chain(&mail.reply_to);
    let failed = mail.bounce.iter().flat_map(|bounce| &bounce.failed_recipients);
    for address in addresses.chain(failed) {
        prop_assert!(Address::parse(address.as_str()).as_ref() == Some(address), "{}", address.as_str());
    }
    Ok(())
}

/// The answer is a mail to that one recipient and no other (EM-39, EM-44).
fn check_answer(parent: &Mail, recipient: &Address) -> Result<(), TestCaseError> {
    let (Some(from), Some(message_id)) =
        (Address::parse("shop@postkey.example"), RfcMessageId::parse("0123.4567@postkey.example"))
    else {
        return Err(TestCaseError::fail("our own address cannot be read"));
    };
    let composed = compose(&Draft {
        parent,
        from: &from,
        from_name: Some("Shop"),
        reply_to: None,
        to: recipient,
        to_name: None,
        body: "We open at nine.",
        on_behalf_of: Some("Ann"),
        voice: Voice::default(),
        link_domains: &[],
        message_id: &message_id,
        date: Timestamp::from_millis(1_784_000_000_000),
        loop_mark: "mark",
        model: "model",
    });
    // An address that only SMTPUTF8 could carry is refused, which is an answer as well (EM-133).
    let Ok(bytes) = composed else { return Ok(()) };
    let reply = read(&bytes, &Limits::default());
    prop_assert_eq!(reply.to.len() + reply.cc.len(), 1);
    prop_assert_eq!(reply.message_id, Some(message_id));
    prop_assert!(reply.in_reply_to.len() <= 1);
    prop_assert!(bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
    Ok(())
}
