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
