//! Whether the mail was meant for the mailbox that got it.

use postkey::mail::gate::{Allowed, Decision, Ours, SkipReason, decide};

use super::{address, mail_with, ours, read};

/// The decision for a mail to `to` that came to the mailbox `shop@postkey.example`.
fn decision(headers: &str, to: &str, allowed: Allowed) -> Decision {
    let mail = mail_with(headers).replace("To: Shop <shop@postkey.example>", &format!("To: {to}"));
    let ours = Ours { mailbox: vec![address("shop@postkey.example")], allowed, ..ours() };
    decide(&read(mail), &ours)
}

fn by_default(headers: &str, to: &str) -> Decision {
    decision(headers, to, Allowed::default())
}

fn answer() -> Decision {
    Decision::Answer { recipient: address("ann@example.org") }
}

#[test]
fn em_19_a_mail_that_names_the_mailbox_is_answered() {
    for to in ["shop@postkey.example", "SHOP@Postkey.Example", "b@x.org, shop+sales@postkey.example"] {
        assert_eq!(by_default("", to), answer());
    }
    assert_eq!(by_default("Resent-To: shop@postkey.example\r\n", "b@x.org"), answer());
}

#[test]
fn em_19_a_mail_that_names_somebody_else_is_not_answered() {
    for to in ["b@x.org", "undisclosed-recipients:;", "myshop@postkey.example"] {
        assert_eq!(by_default("", to), Decision::Skip(SkipReason::NotAddressed));
    }
    let allowed = Allowed { unaddressed: true, ..Allowed::default() };
    assert_eq!(decision("", "b@x.org", allowed), answer());
}

#[test]
fn em_19_forwarded_mail_is_known_by_the_field_of_our_own_host() {
    let received = "Received: from a by b; Tue, 14 Jul 2026 10:00:00 +0200\r\n";
    for field in ["Delivered-To", "X-Original-To", "Envelope-To"] {
        let line = format!("{field}: <shop@postkey.example>\r\n");
        assert_eq!(by_default(&format!("{line}{received}"), "b@x.org"), answer());
        // EM-63: below the first Received it may be the sender's invention.
        let forged = by_default(&format!("{received}{line}"), "b@x.org");
        assert_eq!(forged, Decision::Skip(SkipReason::NotAddressed));
    }
}

#[test]
fn em_20_a_copy_is_not_answered_unless_the_owner_allows_it() {
    let copy = "Cc: The Shop <shop@postkey.example>\r\n";
    assert_eq!(by_default(copy, "b@x.org"), Decision::Skip(SkipReason::OnlyCopied));
    assert_eq!(by_default(copy, "shop@postkey.example"), answer());
    let allowed = Allowed { copies: true, ..Allowed::default() };
    assert_eq!(decision(copy, "b@x.org", allowed), answer());
}

#[test]
fn em_19_and_em_20_wait_until_the_mailbox_is_known() {
    super::assert_answered(mail_with("").replace("shop@postkey.example", "b@x.org"), "ann@example.org");
}
