//! What a JSON line says.

use super::{ASKED, AUTOMATIC, line, program};
use serde_json::json;

#[tokio::test]
async fn a_line_has_exactly_the_promised_keys_in_their_order() {
    let program = program();
    program.write("mail.eml", ASKED);
    let printed = program.run("explain --json mail.eml").await.done();
    let keys = [
        "file",
        "decision",
        "reason",
        "rule",
        "from",
        "reply_to",
        "to",
        "subject",
        "message_id",
        "visible_text",
        "quoted_text",
        "attachments",
        "failed_recipients",
        "flags",
    ];
    let places: Vec<usize> = keys.iter().map(|key| printed.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted(), "{printed}");
    assert_eq!(super::one(&printed).as_object().unwrap().len(), keys.len(), "{printed}");
}

#[tokio::test]
async fn a_mail_that_may_be_answered_is_shown_whole() {
    let expected = json!({
        "file": "mail.eml", "decision": "answer", "reason": null, "rule": null, "from": "ann@example.org",
        "reply_to": "ann.miller@example.org", "to": ["shop@postkey.example", "hello@postkey.example"],
        "subject": "Opening hours", "message_id": "first@example.org", "visible_text": "When do you open?",
        "quoted_text": "On Mon, 13 Jul 2026 at 18:02, Shop <shop@postkey.example> wrote:\n> Good evening.",
        "attachments": [], "failed_recipients": [], "flags": [],
    });
    assert_eq!(line(ASKED, "").await, expected);
}

#[tokio::test]
async fn a_skipped_mail_says_why_and_shows_its_text_all_the_same() {
    let line = line(AUTOMATIC, "").await;
    assert_eq!(
        (&line["decision"], &line["reason"], &line["rule"]),
        (&json!("skip"), &json!("auto_submitted"), &json!("EM-2"))
    );
    assert_eq!(line["visible_text"], "I am away until Monday.");
    assert_eq!(line["reply_to"], json!(null));
}

#[tokio::test]
async fn em_39_the_address_shown_is_the_one_that_would_be_answered() {
    let elsewhere = ASKED.replace("Reply-To: ann.miller@example.org", "Reply-To: bob@elsewhere.example");
    assert_eq!(line(elsewhere, "").await["reply_to"], "ann@example.org");
}

#[tokio::test]
async fn em_15_our_own_address_counts_only_where_it_is_named() {
    assert_eq!(line(ASKED, "").await["decision"], "answer");
    assert_eq!(
        line(ASKED, "--self hello@postkey.example --self shop@postkey.example").await["decision"],
        "answer"
    );
    let own = line(ASKED, "--self Ann@Example.org").await;
    assert_eq!((&own["decision"], &own["rule"]), (&json!("skip"), &json!("EM-15")));
}

#[tokio::test]
async fn a_file_without_a_header_block_is_body_text() {
    for text in
        ["\n\nNo header here.", "Hello: is this on?", "https://example.org\nis down", "Note: x\nTodo: y\n\nz"]
    {
        let line = line(text, "").await;
        assert_eq!(line["visible_text"], text.trim(), "{text:?}");
        assert_eq!((&line["from"], &line["reason"]), (&json!(null), &json!("no_reply_address")));
    }
}

#[tokio::test]
async fn attachments_are_named_with_kind_and_size() {
    let mail = "From: ann@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee there.\n--b\n\
                Content-Type: application/pdf; name=\"../bill.pdf\"\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n";
    let line = line(mail, "").await;
    assert_eq!(line["attachments"], json!([{ "name": "bill.pdf", "type": "application/pdf", "bytes": 3 }]));
    assert_eq!(line["visible_text"], "See there.");
}

#[tokio::test]
async fn what_was_found_on_the_way_is_flagged() {
    let hidden = "From: ann@example.org\nContent-Type: text/html\n\n<p>Hi<span hidden>secret</span></p>";
    assert_eq!(line(hidden, "").await["flags"], json!(["hidden_text"]));
    let many: String = (0..2000).map(|number| format!("X-Filler-{number}: x\n")).collect();
    assert_eq!(line(format!("{many}{ASKED}"), "").await["flags"], json!(["headers_cut"]));
}

#[tokio::test]
async fn an_invitation_is_held_for_a_person() {
    let mail = "From: ann@example.org\nTo: shop@postkey.example\nSubject: Meeting\n\
                Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n";
    let line = line(mail, "").await;
    assert_eq!((&line["decision"], &line["rule"]), (&json!("hold"), &json!("EM-21")));
}

const NOTICE: &str = "\
From: Mail Administrator <admin@example.net>
To: shop@postkey.example
Subject: failure notice

I was not able to deliver your message to the following addresses.
This is a permanent error; I have given up.

<gone@example.net>:
no mailbox here by that name

--- Below this line is a copy of the message.

From: shop@postkey.example
Message-ID: <0123.4567@postkey.example>
";

#[tokio::test]
async fn a_bounce_by_its_own_words_is_skipped_and_names_whom_it_did_not_reach() {
    let line = line(NOTICE, "").await;
    assert_eq!((&line["decision"], &line["reason"]), (&json!("skip"), &json!("bounce")));
    assert_eq!(line["failed_recipients"], json!(["gone@example.net"]));
    assert_eq!(line["flags"], json!(["bounce"]));
}

#[tokio::test]
async fn em_13_an_automatic_subject_counts_with_a_mail_that_we_sent() {
    let mail = "From: ann@example.org\nTo: shop@postkey.example\nSubject: Automatic reply: Opening hours\n\
                In-Reply-To: <0123.4567@postkey.example>\n\nI am on holiday.\n";
    assert_eq!(line(mail, "").await["decision"], "answer");
    assert_eq!(line(mail, "--sent other@postkey.example").await["decision"], "answer");
    let known = line(mail, "--sent other@postkey.example --sent <0123.4567@postkey.example>").await;
    assert_eq!((&known["decision"], &known["rule"]), (&json!("skip"), &json!("EM-13")));
}

#[tokio::test]
async fn em_19_a_mail_that_names_somebody_else_is_skipped_where_the_mailbox_is_known() {
    assert_eq!(line(ASKED, "--self other@postkey.example").await["rule"], "EM-19");
    let copied = ASKED.replace(
        "To: Shop <shop@postkey.example>, hello@postkey.example",
        "To: bob@example.org\nCc: shop@postkey.example",
    );
    assert_eq!(line(&copied, "").await["decision"], "answer");
    assert_eq!(line(&copied, "--self shop@postkey.example").await["rule"], "EM-20");
}

#[tokio::test]
async fn sr_90_a_wish_for_a_person_is_noticed() {
    let mail = ASKED.replace("When do you open?", "HUMAN");
    assert_eq!(line(mail, "").await["flags"], json!(["asks_for_a_person"]));
}
