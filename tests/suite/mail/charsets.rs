//! Bytes to readable text (EM-111 to EM-113, EM-117).

use base64::Engine;

use super::read;

fn body(header: &str, bytes: &[u8]) -> String {
    read([format!("Subject: x\n{header}\n\n").as_bytes(), bytes].concat()).text.visible
}

#[test]
fn em_111_undeclared_text_is_known_by_its_bytes() {
    // "Добрый день, мы хотели бы узнать, когда вы открываетесь." in KOI8-R and in windows-1251.
    let russian = "Добрый день, мы хотели бы узнать, когда вы открываетесь.";
    let (koi8, _, _) = encoding_rs::KOI8_R.encode(russian);
    let (windows, _, _) = encoding_rs::WINDOWS_1251.encode(russian);
    let japanese = "お世話になっております。営業時間を教えてください。";
    let (shift_jis, _, _) = encoding_rs::SHIFT_JIS.encode(japanese);
    let (euc, _, _) = encoding_rs::EUC_JP.encode(japanese);
    let (jis, _, _) = encoding_rs::ISO_2022_JP.encode(japanese);
    let chinese = "您好，请问你们什么时候开门？谢谢。";
    let (gbk, _, _) = encoding_rs::GBK.encode(chinese);
    for header in
        ["X-Nothing: x", "Content-Type: text/plain", "Content-Type: text/plain; charset=unknown-8bit"]
    {
        assert_eq!(body(header, &koi8), russian);
        assert_eq!(body(header, &windows), russian);
        assert_eq!(body(header, &shift_jis), japanese);
        assert_eq!(body(header, &euc), japanese);
        assert_eq!(body(header, &jis), japanese);
        assert_eq!(body(header, &gbk), chinese);
    }
}

#[test]
fn em_111_marks_and_pages_tell_their_charset() {
    assert_eq!(
        body("Content-Type: text/plain; charset=us-ascii", b"\xEF\xBB\xBFGr\xC3\xBC\xC3\x9Fe"),
        "Grüße"
    );
    assert_eq!(body("Content-Type: text/plain", b"\xFF\xFEh\0i\0"), "hi");
    let page = b"<html><meta charset=\"windows-1251\"><p>\xCF\xF0\xE8\xE2\xE5\xF2</p>";
    assert_eq!(body("Content-Type: text/html", page), "Привет");
    assert_eq!(body("Content-Type: text/plain; charset=utf-7", b"Gr+APwA3w-e"), "Grüße");
    assert_eq!(body("Content-Type: text/plain; charset=cp-850", b"Gr\x81\xE1e"), "Grüße");
}

#[test]
fn em_111_a_label_that_the_bytes_contradict_is_not_believed() {
    assert_eq!(
        body("Content-Type: text/plain; charset=big5", "Grüße aus Köln, schöne Tage".as_bytes()),
        "Grüße aus Köln, schöne Tage"
    );
    // A character that was cut at the end does not change how the rest is read.
    assert_eq!(
        body(
            "Content-Type: text/plain; charset=utf-8",
            b"\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3"
        ),
        "äääääääääää\u{FFFD}"
    );
}

#[test]
fn em_112_raw_header_bytes_are_read_all_together() {
    let russian = "Вопрос о времени работы вашего магазина";
    let (koi8, _, _) = encoding_rs::KOI8_R.encode(russian);
    let mail = read([b"Subject: ".as_slice(), &koi8, b"\nFrom: ann@example.org\n\nx"].concat());
    assert_eq!(mail.subject, russian);
}

#[test]
fn em_113_encoded_words_are_joined_before_they_are_decoded() {
    // The two bytes of "ü" stand in two words.
    let subject = |value: &str| read(format!("Subject: {value}\n\n")).subject;
    assert_eq!(subject("=?utf-8?Q?Gr=C3?= =?UTF-8?q?=BC=C3=9Fe?="), "Grüße");
    assert_eq!(subject("=?utf-8?B?R3LD?=\n =?utf-8?B?vMOfZQ==?= und mehr"), "Grüße und mehr");
    assert_eq!(subject("=?iso-8859-1*de?Q?Gr=FC=DFe?="), "Grüße");
    assert_eq!(subject("=?x-unheard-of?Q?Gr=FC=DFe?="), "Grüße");
    assert_eq!(subject("a =?utf-8?X?b?= c"), "a =?utf-8?X?b?= c");
    assert_eq!(subject("100 =? 50"), "100 =? 50");
    let mail = read("From: =?utf-8?Q?M=C3?= =?utf-8?Q?=BCller,_Ann?= <ann@example.org>\n\n");
    assert_eq!(mail.from[0].name.as_deref(), Some("Müller, Ann"));
    assert_eq!(mail.from[0].address.as_str(), "ann@example.org");
}

#[test]
fn em_117_invisible_characters_are_counted_and_spelling_stays() {
    let read = |text: &str| {
        let mail = read(format!("Content-Type: text/plain; charset=utf-8\n\n{text}"));
        (mail.text.visible, mail.flags.invisible_chars)
    };
    assert_eq!(read("pa\u{200B}y\u{2060}\u{FEFF}pal\u{202E}\u{E0041}\u{3164}"), ("paypal".to_owned(), 6));
    assert_eq!(read("a\u{200D}b\u{200C}c\u{FE0F}\u{FE0F}"), ("abc".to_owned(), 4));
    for spelt in [
        "\u{1F468}\u{200D}\u{1F469}",
        "می\u{200C}خواهم",
        "क्\u{200D}ष",
        "\u{2764}\u{FE0F}",
        "1\u{FE0F}\u{20E3}",
    ] {
        assert_eq!(read(spelt), (spelt.to_owned(), 0));
    }
    assert_eq!(read("Gru\u{308}ße").0, "Grüße");
    assert_eq!(read("a\u{0007}b\u{0085}c").1, 0);
}

#[test]
fn em_113_what_is_no_whole_word_is_shown_as_it_came() {
    let subject = |value: &str| read(format!("Subject: {value}\n\n")).subject;
    assert_eq!(subject("Re: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?utf-8?Q?cut_o"), "Re: Grüße =?utf-8?Q?cut_o");
    assert_eq!(subject("=?= =?? =?utf-8 ?=?"), "=?= =?? =?utf-8 ?=?");
    let long = "Grüße ".repeat(2000);
    let word = format!("=?utf-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(&long));
    assert_eq!(subject(&word), long.trim_end());
    let mail =
        read("From: =?utf-8?Q?cut <b=?c@example.org>\nTo: =?d@example.org, \"=?e\" <f@example.org>\n\n");
    assert_eq!(mail.from[0].name.as_deref(), Some("=?utf-8?Q?cut"));
    assert_eq!(mail.from[0].address.as_str(), "b=?c@example.org");
    assert_eq!(
        mail.to.iter().map(|address| address.as_str()).collect::<Vec<_>>(),
        ["=?d@example.org", "f@example.org"]
    );
    let named = read("Content-Type: application/x; name=\"=?utf-8?Q?cut.bin\"\n\nx");
    assert_eq!(named.attachments[0].declared_name.as_deref(), Some("=?utf-8?Q?cut.bin"));
}
