//! For any input: no panic, a decision, and a sound reply.

use postkey::clock::Timestamp;
use postkey::mail::authentication::judge;
use postkey::mail::gate::decide;
use postkey::mail::reply::{Draft, Voice, compose};
use postkey::mail::wishes::wish;
use postkey::mail::{Mail, RfcMessageId, identity};
use proptest::prelude::*;

use super::reply::assert_sound;
use super::{address, id, ours, read};

/// Pieces that steer random mails into the deeper branches.
const PIECES: [&str; 36] = [
    "From: ",
    "Subject: ",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: text/html\r\n",
    "\r\n",
    "\r\n\r\n",
    "--b\r\n",
    "--b--",
    "=?utf-8?q?=0D=0A?=",
    "<a@x.org>",
    "a@x.org",
    "References: ",
    "Content-Transfer-Encoding: base64\r\n",
    "Auto-Submitted: ",
    "Return-Path: ",
    "<div style=\"display:none\">",
    "</div>",
    "&amp;",
    "> ",
    "wrote:\r\n",
    "Date: ",
    "filename*0*=utf-8''%",
    "=C3=",
    "\u{FEFF}",
    "Content-Type: message/delivery-status\r\n",
    "Final-Recipient: rfc822;",
    "Action: failed\r\n",
    "From: mailer-daemon@x.org\r\n",
    "could not be delivered to:\r\n",
    "---- Original message ----\r\n",
    "Authentication-Results: mx.x.org; dmarc=pass header.from=",
    "(\\",
    "\";",
    "HUMAN\r\n",
    "leave me alone",
    "METHOD:REPLY\r\n",
];

fn any_mail() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => prop::sample::select(PIECES.as_slice()).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn em_31_em_32_any_bytes_get_a_decision_and_the_same_again(raw in any_mail()) {
        let mail = read(&raw);
        let again = read(&raw);
        prop_assert_eq!(decide(&mail, &ours()), decide(&again, &ours()));
        prop_assert_eq!(&mail.bounce, &again.bounce);
        prop_assert_eq!(judge(&mail, Some("mx.x.org")), judge(&again, Some("mx.x.org")));
        prop_assert_eq!(wish(&mail), wish(&again));
        prop_assert_eq!(identity(&raw, &mail), identity(&raw, &again));
    }

    #[test]
    fn em_35_any_words_make_a_sound_reply(
        raw in any_mail(),
        words in "\\PC{0,200}|[\\s.=From\\r\\n\u{0}-\u{FF}]{0,300}",
        subject in any::<String>(),
        name in any::<String>(),
    ) {
        let parent = Mail { subject, ..read(&raw) };
        let composed = compose(&Draft {
            parent: &parent,
            from: &address("shop@postkey.example"),
            from_name: Some(&name),
            reply_to: Some(&address("shop+detail@postkey.example")),
            to: &address("ann@example.org"),
            to_name: Some(&name),
            body: &format!("x{words}"),
            on_behalf_of: Some(&name),
            voice: Voice::default(),
            link_domains: std::slice::from_ref(&name),
            message_id: &id("0123.4567@postkey.example"),
            date: Timestamp::from_millis(1_784_000_000_000),
            loop_mark: &name,
            model: &name,
        });
        let bytes = composed.unwrap();
        assert_sound(&bytes);
        let reply = read(&bytes);
        prop_assert_eq!(reply.message_id.as_ref().map(RfcMessageId::as_str), Some("0123.4567@postkey.example"));
        prop_assert_eq!(&reply.to, &[address("ann@example.org")]);
        prop_assert_eq!(reply.from.len(), 1);
        prop_assert!(reply.subject.starts_with("Re: "));
        prop_assert!(reply.text.visible.contains("HUMAN") || reply.text.quoted.contains("HUMAN"));
    }
}
