//! Mails that were built to hurt (EM-31, EM-106, EM-107): a value each, soon, and never an answer to what was not read.

use std::time::Duration;

use postkey::mail::gate::SkipReason;

use super::{assert_answered, assert_skipped, mail_with, processor_time, read};

/// Generous for a slow machine; a quadratic reading takes minutes.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn em_31_nothing_at_all_is_no_mail_to_answer() {
    assert_skipped("", SkipReason::NoReplyAddress);
    assert_skipped("\r\n\r\n", SkipReason::NoReplyAddress);
    assert_skipped([0_u8; 300], SkipReason::NoReplyAddress);
}

#[test]
fn em_107_ten_thousand_headers_are_cut_and_not_answered() {
    let headers: String = (0..10_000).map(|n| format!("X-Filler-{n}: {n}\r\n")).collect();
    let mail = read(mail_with(&headers));
    assert!(mail.flags.are_headers_cut);
    assert_eq!(mail.text.visible, "When do you open?");
    assert_skipped(mail_with(&headers), SkipReason::Unreadable);
}

#[test]
fn em_107_a_header_block_beyond_its_bytes_is_cut_and_not_answered() {
    let header = format!("X-Long: {}\r\n", "a\r\n ".repeat(100_000));
    assert_skipped(mail_with(&header), SkipReason::Unreadable);
}

fn nested(depth: usize) -> String {
    let mut mail = "From: ann@example.org\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n".to_owned();
    for level in 0..depth {
        let next = level + 1;
        mail.push_str(&format!(
            "--b{level}\r\n\r\nlevel {level}\r\n--b{level}\r\nContent-Type: multipart/mixed; boundary=b{next}\r\n\r\n"
        ));
    }
    mail
}

#[test]
fn em_107_five_hundred_nested_parts_are_cut_before_parsing() {
    let mail = read(nested(500));
    assert!(mail.flags.are_parts_cut);
    assert!(mail.text.visible.contains("level 9"));
    assert!(!mail.text.visible.contains("level 11"));
}

#[test]
fn em_106_a_hundred_thousand_parts_or_levels_end_soon() {
    let before = processor_time();
    read(nested(50_000));
    let wide =
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\nx\r\n".repeat(100_000));
    let mail = read(wide);
    assert!(mail.flags.are_parts_cut);
    assert!(mail.attachments.len() + mail.text.visible.lines().count() < 200);
    assert!(processor_time() - before < SOON);
}

#[test]
fn em_106_a_hundred_thousand_addresses_are_bounded() {
    let many = "a@example.org, ".repeat(15_000);
    assert_eq!(read(mail_with(&format!("Cc: {many}z@example.org\r\n"))).cc.len(), 100);
}

#[test]
fn em_107_long_text_is_cut_with_a_note() {
    let mail = read(format!("From: a@example.org\r\n\r\n{}", "word and word\r\n".repeat(20_000)));
    assert!(mail.flags.is_text_cut);
    assert!(mail.text.visible.len() < 66 * 1024);
    assert!(mail.text.visible.ends_with("was cut.]"));
}

#[test]
fn em_123_one_megabyte_on_one_line_ends_soon() {
    let before = processor_time();
    for piece in [
        "a",
        ">",
        "<",
        "<a ",
        "<div>",
        "&",
        "<!--",
        "=",
        "<script",
        "(",
        "On 1 2 3 wrote: ",
        "<blockquote>x",
        "\"",
        "<p x=\"",
    ] {
        let line = piece.repeat(1_000_000 / piece.len());
        for kind in ["text/plain", "text/html"] {
            read(format!("From: a@example.org\r\nContent-Type: {kind}\r\n\r\n{line}"));
        }
        read(format!("From: {}\r\n\r\nx", piece.repeat(200_000 / piece.len())));
        read(format!("Content-Type: {}\r\n\r\nx", piece.repeat(200_000 / piece.len())));
        read(format!("References: {}\r\n\r\nx", piece.repeat(200_000 / piece.len())));
        read(format!("Subject: {}\r\n\r\nx", piece.repeat(200_000 / piece.len())));
    }
    assert!(processor_time() - before < SOON * 4, "{:?}", processor_time() - before);
}

#[test]
fn em_131_broken_frames_still_show_their_text() {
    let frames = [
        // No closing boundary.
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nfound",
        // White space after the boundary.
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b  \r\n\r\nfound\r\n--b-- \r\n",
        // A container without a boundary.
        "Content-Type: multipart/mixed\r\n\r\nfound",
        // No empty line between header and body of a part.
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nfound\r\n--b--",
        "From ann Tue Jul 14 10:00:00 2026\r\nSubject: x\r\n\r\nfound",
        "\u{FEFF}Subject: x\r\n\r\nfound",
        "Subject: x\n\nfound",
        "Subject: x\r\rfound",
    ];
    for frame in frames {
        assert_eq!(read(frame).text.visible, "found", "{frame:?}");
    }
}

#[test]
fn em_130_line_ends_do_not_change_what_is_read() {
    let crlf = mail_with("Sender: sec@example.org\r\n");
    assert_answered(&crlf, "ann@example.org");
    assert_answered(crlf.replace("\r\n", "\n"), "ann@example.org");
    assert_answered(crlf.replace("\r\n", "\r"), "ann@example.org");
}

/// One page of HTML.
fn page(body: &str) -> String {
    format!("From: a@example.org\r\nContent-Type: text/html\r\n\r\n{body}")
}

#[test]
fn em_115_a_rule_for_thousands_of_selectors_costs_what_it_is_long() {
    let before = processor_time();
    let rule = format!("{}b{{{}display:none}}", "b,".repeat(2000), "x:y;".repeat(25_000));
    let mail = read(page(&format!("<style>{rule}</style>{}", "<b>x</b>".repeat(200))));
    assert_eq!((mail.flags.hidden_chars, mail.text.visible.as_str()), (200, ""));
    assert!(processor_time() - before < SOON, "{:?}", processor_time() - before);
}

#[test]
fn em_115_a_long_rule_is_not_read_again_for_every_element() {
    let before = processor_time();
    let rule = format!("b{{{}display:none}}", "a:b;".repeat(60_000));
    let mail = read(page(&format!("<style>{rule}</style>{}x", "<b>".repeat(100_000))));
    assert_eq!((mail.flags.hidden_chars, mail.text.visible.as_str()), (1, ""));
    assert!(processor_time() - before < SOON, "{:?}", processor_time() - before);
}

#[test]
fn em_106_end_tags_far_within_other_elements_cost_no_more() {
    let before = processor_time();
    let outside = format!("<i><ul><li><p><button><ul><table><td>{}", "<b>".repeat(248));
    let leaf = format!("--b\r\nContent-Type: text/html\r\n\r\n{outside}{}x\r\n", "</i>".repeat(250_000));
    let mail = read(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", leaf.repeat(4)));
    assert_eq!(mail.text.visible.matches('x').count(), 4);
    assert!(processor_time() - before < SOON * 4, "{:?}", processor_time() - before);
}

#[test]
fn em_113_encoded_words_without_an_end_cost_what_they_are_long() {
    let before = processor_time();
    for stub in ["=?ab?q?x", "x =?ab?q?", " =?ab?b?AAAA", "=?ab ", "=?ab?q?x=GG"] {
        let stubs = stub.repeat(240_000 / stub.len());
        for field in ["Subject", "From", "To"] {
            read(format!("{field}: {stubs}\r\n\r\nx"));
            read(format!("{field}: {stubs}?=\r\n\r\nx"));
        }
        read(format!("From: {stubs}<a@example.org>\r\n\r\nx"));
    }
    let named = format!(
        "--b\r\nContent-Type: text/plain; name*=utf-8''{}\r\n\r\nx\r\n",
        "%3D%3Fab%3Fq%3Fx".repeat(900)
    );
    read(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", named.repeat(90)));
    assert!(processor_time() - before < SOON, "{:?}", processor_time() - before);
}
