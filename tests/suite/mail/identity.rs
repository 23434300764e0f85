//! When two copies are one mail (EM-72, EM-77).

use super::{mail_with, read};

fn key(text: &str) -> String {
    postkey::mail::identity(text.as_bytes(), &read(text)).key
}

#[test]
fn em_72_trace_headers_line_ends_and_trailing_lines_do_not_count() {
    let mail = mail_with("");
    let trace =
        "Return-Path: <ann@example.org>\r\nDelivered-To: shop@postkey.example\r\nReceived: from a by b\r\n";
    assert_eq!(key(&mail), key(&mail_with(trace)));
    assert_eq!(key(&mail), key(&mail.replace("\r\n", "\n")));
    assert_eq!(key(&mail), key(&mail.replace("\r\n", "\r")));
    assert_eq!(key(&mail), key(&format!("{mail}\r\n\r\n")));
}

#[test]
fn em_72_another_text_or_another_id_is_another_mail() {
    let mail = mail_with("");
    assert_ne!(key(&mail), key(&mail.replace("open", "close")));
    assert_ne!(key(&mail), key(&mail.replace("first@", "second@")));
    assert_ne!(key(&mail), key(&mail.replace("When do", "When\r\ndo")));
}

#[test]
fn without_a_message_id_the_author_the_date_and_the_text_decide() {
    let mail = mail_with("").replace("Message-ID: <first@example.org>\r\n", "");
    assert!(read(&mail).message_id.is_none());
    assert_eq!(key(&mail), key(&format!("Received: x\r\n{mail}")));
    assert_ne!(key(&mail), key(&mail.replace("ann@", "bob@")));
    assert_ne!(key(&mail), key(&mail.replace("10:00:00", "10:00:01")));
}

#[test]
fn the_key_never_changes_between_versions() {
    assert_eq!(
        key("Message-ID: <a@b>\r\n\r\nHello\r\n"),
        "59ce71473c30146226ab9f09bfe65be0fa2c347f5d38bd949a5b115538236a1b"
    );
}

#[test]
fn em_28_equal_words_have_equal_hashes() {
    let one = read(mail_with(""));
    let other = read(mail_with("").replace("When do you open?", "  when DO\r\n you open?"));
    assert_eq!(one.content_hash, other.content_hash);
    assert_ne!(one.content_hash, read(mail_with("").replace("open", "close")).content_hash);
}
