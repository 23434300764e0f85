//! From bytes to a mail (section 5 of the mail rules).

use postkey::mail::RfcMessageId;

use super::{address, id, mail_with, read};

fn alternative(plain: &str, html: &str) -> String {
    format!(
        "From: ann@example.org\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{plain}\r\n\
         --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    )
}

fn html(body: &str) -> String {
    read(format!("From: ann@example.org\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{body}"))
        .text
        .visible
}

fn plain(body: &str) -> (String, String) {
    let text =
        read(format!("From: ann@example.org\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}")).text;
    (text.visible, text.quoted)
}

#[test]
fn the_fields_of_a_mail_are_read() {
    let header = "Reply-To: <team@example.org>\r\nCc: Bob <bob@x.org>, Friends: c@x.org, d@x.org;\r\n\
                  In-Reply-To: <old@x.org>\r\nReferences: <older@x.org>\r\n <old@x.org>\r\nSender: sec@example.org\r\n";
    let mail = read(mail_with(header));
    assert_eq!(mail.from[0].name.as_deref(), Some("Ann Miller"));
    assert_eq!(mail.from[0].address, address("ann@example.org"));
    assert_eq!(mail.sender, Some(address("sec@example.org")));
    assert_eq!(mail.reply_to, [address("team@example.org")]);
    assert_eq!(mail.to, [address("shop@postkey.example")]);
    assert_eq!(mail.cc, [address("bob@x.org"), address("c@x.org"), address("d@x.org")]);
    assert_eq!(mail.subject, "Opening hours");
    assert_eq!(mail.message_id, Some(id("first@example.org")));
    assert_eq!(mail.in_reply_to, [id("old@x.org")]);
    assert_eq!(mail.references, [id("older@x.org"), id("old@x.org")]);
    assert_eq!(mail.date.unwrap().to_string(), "2026-07-14T08:00:00Z");
    assert_eq!(mail.text.visible, "When do you open?");
}

#[test]
fn a_mail_without_a_message_id_is_a_mail() {
    let mail = read("From: ann@example.org\r\n\r\nHello");
    assert_eq!((mail.message_id, mail.subject.as_str(), mail.date), (None, "", None));
}

#[test]
fn a_bare_message_id_is_taken() {
    assert_eq!(read("Message-ID: a@b\r\n\r\n").message_id, RfcMessageId::parse("a@b"));
}

#[test]
fn em_62_the_topmost_delivery_field_of_the_most_telling_kind_comes_first() {
    let header = "X-Original-To: b@x.org\r\nDelivered-To: <A@x.org>\r\nDelivered-To: forged@x.org\r\n";
    assert_eq!(read(mail_with(header)).delivered_to, [address("A@x.org"), address("b@x.org")]);
}

#[test]
fn em_52_an_encoded_line_break_is_gone_after_reading() {
    let mail = read(
        "From: =?utf-8?q?Ann=0D=0ABcc:_x=40y?= <ann@example.org>\r\nSubject: =?utf-8?q?a=0D=0ABcc:_x=40y?=\r\n\r\n",
    );
    assert_eq!(mail.subject, "a Bcc: x@y");
    assert_eq!(mail.from[0].name.as_deref(), Some("Ann Bcc: x@y"));
    assert_eq!(mail.from[0].address, address("ann@example.org"));
}

#[test]
fn em_111_charsets_are_decoded_and_wrong_labels_forgiven() {
    let cases: [(&str, &[u8], &str); 7] = [
        ("iso-8859-1", b"Gr\xFC\xDFe", "Grüße"),
        ("utf-8", "Grüße".as_bytes(), "Grüße"),
        ("iso-8859-1", "Grüße".as_bytes(), "Grüße"),
        ("x-unheard-of", b"Gr\xFC\xDFe", "Grüße"),
        ("windows-1251", b"\xCF\xF0\xE8\xE2\xE5\xF2", "Привет"),
        ("x-gbk", b"\xC4\xE3\xBA\xC3", "你好"),
        ("ks_c_5601-1987", b"\xBE\xC8", "안"),
    ];
    for (label, bytes, expected) in cases {
        let header = format!("Content-Type: text/plain; charset={label}\r\n\r\n");
        assert_eq!(read([header.as_bytes(), bytes].concat()).text.visible, expected, "{label}");
    }
    assert_eq!(read(b"Subject: x\r\n\r\nGr\xFC\xDFe").text.visible, "Grüße");
}

#[test]
fn em_112_raw_bytes_in_a_header_use_the_charset_of_the_body() {
    let header =
        b"Subject: \xCF\xF0\xE8\xE2\xE5\xF2\r\nContent-Type: text/plain; charset=windows-1251\r\n\r\n";
    assert_eq!(read(header).subject, "Привет");
    assert_eq!(read("Subject: Grüße\r\n\r\n").subject, "Grüße");
    assert_eq!(read(b"Subject: Gr\xFC\xDFe\r\n\r\n").subject, "Grüße");
}

#[test]
fn transfer_encodings_are_read_leniently() {
    let body = |encoding: &str, body: &str| {
        read(format!(
            "Content-Transfer-Encoding: {encoding}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}"
        ))
        .text
        .visible
    };
    assert_eq!(body("base64", "R3LDvMOfZQ=="), "Grüße");
    assert_eq!(body("BASE64", "R3LD\r\nvM!OfZQ"), "Grüße");
    assert_eq!(body("quoted-printable", "Gr=C3=BC=C3=\r\n=9Fe =zz 100=25="), "Grüße =zz 100%");
}

#[test]
fn em_109_plain_text_is_used_unless_it_says_less() {
    assert_eq!(read(alternative("Hello there", "<p>Hello <b>there</b></p>")).text.visible, "Hello there");
    assert_eq!(read(alternative("", "<p>Hello</p>")).text.visible, "Hello");
    assert_eq!(read(alternative("Your client does not support HTML.", "<p>Hi</p>")).text.visible, "Hi");
    let long = "many words stand here in the page ".repeat(5);
    assert_eq!(read(alternative("Hi", &format!("<p>{long}</p>"))).text.visible, long.trim());
}

#[test]
fn em_110_a_page_is_a_page_wherever_it_stands() {
    for kind in ["related", "mixed", "x-unknown"] {
        let mail = read(format!(
            "From: ann@example.org\r\nContent-Type: multipart/{kind}; boundary=edge\r\n\r\n--edge\r\n\
             Content-Type: text/html\r\n\r\n<p>When do you <b>open</b>?</p>\r\n--edge--\r\n"
        ));
        assert_eq!(mail.text.visible, "When do you open?", "{kind}");
    }
}

#[test]
fn em_109_text_around_a_picture_is_joined() {
    let mail = read(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nBefore\r\n--b\r\nContent-Type: image/png; name=\"a.png\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b\r\n\r\nAfter\r\n--b--",
    );
    assert_eq!(mail.text.visible, "Before\nAfter");
    assert_eq!((mail.attachments[0].name.as_str(), mail.attachments[0].bytes), ("a.png", 3));
}

#[test]
fn em_115_what_a_reader_cannot_see_is_left_out() {
    let page = "<html><head><title>T</title><style>p{}</style></head><body>Seen<!-- no --><script>no</script>\
                <div style=\"Display: NONE\"><div>no</div>no</div><span hidden>no</span><p style='font-size:0px'>no</p>\
                <textarea>no</textarea><template>no</template> too</body></html>";
    assert_eq!(html(page).split_whitespace().collect::<Vec<_>>(), ["Seen", "too"]);
    assert!(read(format!("Content-Type: text/html\r\n\r\n{page}")).flags.has_hidden_text);
}

#[test]
fn em_116_links_pictures_cells_lists_and_quotes_are_kept() {
    assert_eq!(html("<a href=\"https://x.org/a?b=1&amp;c=2\">here</a>"), "here <https://x.org/a?b=1&c=2>");
    assert_eq!(html("<a href=\"https://x.org\">https://x.org</a>"), "https://x.org");
    assert_eq!(html("<img src=x alt=\"A logo\">"), "A logo");
    assert_eq!(html("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>"), "a | b\nc");
    assert_eq!(html("<ul><li>one</li><li>two</li></ul>"), "- one\n- two");
    assert_eq!(html("a<br>b &lt;c&gt; &amp; &#8364; &nosuch; 1 < 2"), "a\nb <c> & € &nosuch; 1 < 2");
    assert_eq!(
        html("<p>mine</p><blockquote>old<br>older</blockquote><p>end</p>"),
        "mine\n\n> old\n> older\n\nend"
    );
}

#[test]
fn em_117_invisible_characters_are_removed() {
    let (visible, _) = plain("pa\u{200B}y\u{202E}pal\u{E0041} \u{1F468}\u{200D}\u{1F469}");
    assert_eq!(visible, "paypal \u{1F468}\u{200D}\u{1F469}");
}

#[test]
fn em_119_history_is_split_off() {
    let histories = [
        "On Mon, 13 Jul 2026 at 10:00, Shop <shop@postkey.example> wrote:\r\n> Hello\r\n> there\r\n",
        "On Mon, 13 Jul 2026 at 10:00, Shop\r\n<shop@postkey.example> wrote:\r\n> Hello\r\n",
        "Am 13.07.2026 um 10:00 schrieb Shop:\r\n> Hallo\r\n",
        "-----Original Message-----\r\nFrom: Shop\r\nHello\r\n",
        "From: Shop <shop@postkey.example>\r\nSent: Monday\r\nTo: Ann\r\n\r\nHello\r\n",
        "Von: Shop\r\nGesendet: Montag\r\nAn: Ann\r\n\r\nHallo\r\n",
        "> all of it\r\n> quoted\r\n",
    ];
    for history in histories {
        let (visible, quoted) = plain(&format!("Thanks!\r\n\r\n{history}"));
        assert_eq!(visible, "Thanks!", "{history}");
        assert_eq!(quoted, history.replace("\r\n", "\n").trim(), "{history}");
    }
}

#[test]
fn em_119_splitting_never_empties_or_tears_a_mail() {
    for whole in [
        "> only quoted\n> lines",
        "> a question\nmy answer\n> another\nanother answer",
        "My boss wrote:\nplease hurry",
        "Look:\n---------- Forwarded message ---------\nFrom: Bob <bob@x.org>\nDate: Monday\n\nthe matter",
        "Date: 1\nno header block",
    ] {
        assert_eq!(plain(whole), (whole.to_owned(), String::new()));
    }
}

#[test]
fn em_124_file_names_lose_their_paths() {
    let named = |name: &str| {
        let header =
            format!("Content-Type: application/pdf\r\nContent-Disposition: attachment; {name}\r\n\r\nx");
        read(header).attachments[0].name.clone()
    };
    assert_eq!(named("filename=\"../../etc/passwd\""), "passwd");
    assert_eq!(named("filename=\"C:\\\\x\\\\a.pdf \""), "a.pdf");
    assert_eq!(named("filename*=utf-8''%e2%82%ac.pdf"), "€.pdf");
    assert_eq!(named("filename=\"=?utf-8?q?a=0D=0Ab.pdf?=\""), "a b.pdf");
    assert_eq!(named("filename=\"..\""), "attachment-1");
    assert_eq!(named("x=y"), "attachment-1");
}

#[test]
fn em_127_an_encrypted_mail_is_known() {
    assert!(read("Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx").flags.is_encrypted);
    assert!(read("Content-Type: text/plain\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n").flags.is_encrypted);
    assert!(!read(mail_with("")).flags.is_encrypted);
}

#[test]
fn em_128_an_attached_mail_is_not_this_mail() {
    let mail = read(
        "Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nouter text\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nFrom: x@y.org\r\n\r\ninner text\r\n--b--",
    );
    assert_eq!(
        (mail.subject.as_str(), mail.text.visible.as_str(), mail.from.len()),
        ("outer", "outer text", 0)
    );
    assert_eq!(mail.attachments[0].kind, "message/rfc822");
}

#[test]
fn debug_shows_no_mail_text() {
    let shown = format!("{:?}", read(mail_with("")));
    assert!(!shown.contains("open") && !shown.contains("ann") && !shown.contains("Opening"), "{shown}");
}
