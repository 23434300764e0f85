//! What comes back to a mail of ours and does not say so in its header.

use postkey::mail::gate::SkipReason;

use super::{assert_answered, assert_skipped, mail_with};

/// The Message-ID of a mail that we sent.
const SENT: &str = "<sent-1@postkey.example>";

/// An answer to the mail of that Message-ID, with its own subject and words.
fn answer_to(id: &str, subject: &str, words: &str) -> String {
    mail_with(&format!("In-Reply-To: {id}\r\n"))
        .replace("Opening hours", subject)
        .replace("When do you open?", words)
}

#[test]
fn em_13_an_automatic_subject_counts_when_it_answers_a_mail_of_ours() {
    for subject in [
        "Automatic reply: your order",
        "Out of Office: on holiday",
        "Automatische Antwort: Bestellung",
        "Réponse automatique : commande",
        "自動返信: ご注文",
        "Undeliverable: your order",
    ] {
        assert_skipped(answer_to(SENT, subject, "I am on a boat."), SkipReason::AutomaticSubject);
        assert_answered(answer_to("<other@x.org>", subject, "I am on a boat."), "ann@example.org");
    }
    assert_answered(answer_to(SENT, "Re: out of office setup", "It is broken."), "ann@example.org");
}

#[test]
fn em_14_a_failure_in_answer_to_a_mail_of_ours_is_a_bounce() {
    let words = "We could not deliver your letter.\r\nThe mailbox is full.";
    assert_skipped(answer_to(SENT, "Your letter", words), SkipReason::Bounce);
    assert_answered(answer_to("<other@x.org>", "Your letter", words), "ann@example.org");
    // A person who answers and tells of a failure.
    assert_answered(answer_to(SENT, "Re: Your letter", words), "ann@example.org");
}

/// A mail that carries another one with that Message-ID.
fn returning(id: &str, subject: &str) -> String {
    let parts = format!(
        "--b\r\n\r\nSee below.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {id}\r\n\
         Subject: Your order\r\n\r\nIt is on its way.\r\n--b--\r\n"
    );
    mail_with("Content-Type: multipart/mixed; boundary=b\r\n")
        .replace("Opening hours", subject)
        .replace("When do you open?\r\n", &parts)
}

#[test]
fn em_14_a_stranger_who_returns_a_mail_of_ours_is_not_answered() {
    assert_skipped(returning(SENT, "Notice"), SkipReason::Bounce);
    assert_answered(returning("<other@x.org>", "Notice"), "ann@example.org");
    assert_answered(returning(SENT, "Fwd: Your order"), "ann@example.org");
}

#[test]
fn em_23_a_complaint_without_marks_is_known_by_its_sender_or_its_title() {
    let complaint = returning("<other@x.org>", "complaint about message from 192.0.2.1");
    assert_skipped(complaint, SkipReason::Complaint);
    let provider = returning("<other@x.org>", "Notice").replace("ann@example.org", "staff@mail.example");
    assert_skipped(provider, SkipReason::Complaint);
    assert_answered(mail_with("").replace("ann@example.org", "staff@mail.example"), "staff@mail.example");
}

#[test]
fn em_24_who_asks_us_to_prove_that_we_are_people_gets_no_answer() {
    let words = "Please confirm that you are human to release your message.";
    assert_skipped(answer_to(SENT, "Your mail", words), SkipReason::Challenge);
    assert_answered(answer_to("<other@x.org>", "Your mail", words), "ann@example.org");
    let service = mail_with("").replace("ann@example.org", "verify@notify.boxbe.com");
    assert_skipped(service, SkipReason::Challenge);
}
