//! The sample mails, read by mail-parser.

use postkey::demo::samples::{self, Earlier};

use super::{START, letter};

#[test]
fn samples_are_what_they_say() {
    let earlier = Earlier { references: &["root@x", "parent@x"], subject: "Parcel", text: "one\ntwo" };
    let letter = letter("sample@out.test");
    let all = [
        ("text/plain", samples::plain(&letter)),
        ("text/html", samples::html_only(&letter)),
        ("multipart/alternative", samples::alternative(&letter)),
        ("text/plain", samples::thread_reply(&letter, &earlier)),
        ("multipart/report", samples::bounce(&letter, &earlier, "lost@out.test")),
        ("text/plain", samples::out_of_office(&letter, &earlier)),
    ];
    for (kind, bytes) in &all {
        let mail = mail_parser::MessageParser::default().parse(bytes).unwrap();
        let content = mail_parser::MimeHeaders::content_type(&mail).unwrap();
        assert_eq!(format!("{}/{}", content.ctype(), content.subtype().unwrap()), *kind);
        assert_eq!(mail.message_id(), Some("sample@out.test"));
        assert_eq!(mail.date().unwrap().to_timestamp() * 1000, START.millis());
        assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("bob@out.test"));
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
        assert_eq!(
            mail.header("Auto-Submitted").is_some(),
            *kind == "multipart/report" || text.contains("(vacation)")
        );
    }
    let reply = mail_parser::MessageParser::default().parse(&all[3].1).unwrap();
    assert_eq!(reply.references().as_text_list().unwrap(), ["root@x", "parent@x"]);
    assert!(reply.body_text(0).unwrap().ends_with("wrote:\r\n\r\n> one\r\n> two\r\n"));
    assert!(all[4].1.starts_with(b"Return-Path: <>\r\n"));
    let report = mail_parser::MessageParser::default().parse(&all[4].1).unwrap();
    assert_eq!(report.parts.len(), 4);
    let html = mail_parser::MessageParser::default().parse(&all[1].1).unwrap();
    assert_eq!(html.subject(), Some("Shipping to Zürich"));
    assert!(html.body_text(0).unwrap().contains("Zürich"));
}
