//! The reply as bytes (section 2 of the mail rules).

use postkey::clock::Timestamp;
use postkey::mail::reply::{ComposeError, Draft, Voice, compose};
use postkey::mail::{Address, Mail, RfcMessageId};

use super::{address, id, mail_with, read};

/// What one test wants different; everything else is a plain reply.
pub struct Given<'a> {
    pub parent: Mail,
    pub from: Address,
    pub reply_to: Option<Address>,
    pub to: Address,
    pub from_name: Option<&'a str>,
    pub to_name: Option<&'a str>,
    pub body: &'a str,
    pub on_behalf_of: Option<&'a str>,
    pub voice: Voice<'a>,
    pub link_domains: Vec<String>,
    pub model: &'a str,
    pub message_id: RfcMessageId,
    pub date: Timestamp,
}

impl Default for Given<'_> {
    fn default() -> Self {
        Self {
            parent: read(mail_with("")),
            from: address("shop@postkey.example"),
            reply_to: None,
            to: address("ann@example.org"),
            from_name: Some("The Shop"),
            to_name: Some("Ann Miller"),
            body: "We open at nine.",
            on_behalf_of: Some("Bob's Shop"),
            voice: Voice::default(),
            link_domains: Vec::new(),
            model: "openai/some-model",
            message_id: id("0123.4567@postkey.example"),
            date: Timestamp::from_millis(1_784_000_000_000),
        }
    }
}

impl Given<'_> {
    pub fn compose(&self) -> Result<Vec<u8>, ComposeError> {
        compose(&Draft {
            parent: &self.parent,
            from: &self.from,
            from_name: self.from_name,
            reply_to: self.reply_to.as_ref(),
            to: &self.to,
            to_name: self.to_name,
            body: self.body,
            on_behalf_of: self.on_behalf_of,
            voice: self.voice,
            link_domains: &self.link_domains,
            message_id: &self.message_id,
            date: self.date,
            loop_mark: "test-1;hop=1;00",
            model: self.model,
        })
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.compose().unwrap()
    }
}

/// Unfolded header lines.
pub fn header_lines(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).unwrap();
    let header = text.split_once("\r\n\r\n").unwrap().0;
    header.replace("\r\n ", " ").replace("\r\n\t", " ").split("\r\n").map(str::to_owned).collect()
}

pub fn field(bytes: &[u8], name: &str) -> Option<String> {
    let start = format!("{name}: ");
    let values: Vec<String> =
        header_lines(bytes).iter().filter_map(|line| line.strip_prefix(&start).map(str::to_owned)).collect();
    assert!(values.len() <= 1, "{name} comes {} times", values.len());
    values.into_iter().next()
}

fn reply_to(parent: &str) -> Vec<u8> {
    Given { parent: read(parent), ..Given::default() }.bytes()
}

/// The subject that a reader of the reply sees.
fn subject_for(parent: &str) -> String {
    read(Given { parent: Mail { subject: parent.to_owned(), ..Mail::default() }, ..Given::default() }.bytes())
        .subject
}

/// The fields whose names a reply may have; any other name was injected.
pub const FIELDS: [&str; 16] = [
    "From",
    "Reply-To",
    "To",
    "Date",
    "Message-ID",
    "Subject",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "X-Agent-Loop",
    "X-AI-Generated",
    "X-AI-Model",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// The properties that hold for every reply, whatever went into it.
pub fn assert_sound(bytes: &[u8]) {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_ascii() && !text.replace("\r\n", "").contains(['\r', '\n', '\0']), "CRLF and ASCII only");
    assert!(text.split("\r\n").all(|line| line.len() <= 998), "no long line (EM-49)");
    let header = text.split("\r\n\r\n").next().unwrap();
    assert!(
        header.split_whitespace().all(|word| !word.starts_with("=?") || word.len() <= 75),
        "short encoded words"
    );
    let once =
        ["From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type", "Auto-Submitted"];
    let names: Vec<String> = header_lines(bytes)
        .iter()
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("{line:?}")).0.to_owned())
        .collect();
    for name in once {
        assert_eq!(names.iter().filter(|found| *found == name).count(), 1, "{name} in {names:?}");
    }
    assert!(names.iter().all(|name| FIELDS.contains(&name.as_str())), "{names:?}");
}

#[test]
fn em_35_em_37_sr_89_a_reply_has_one_of_each_field_and_its_marks() {
    let bytes = Given::default().bytes();
    assert_sound(&bytes);
    let expected = [
        ("From", "\"The Shop\" <shop@postkey.example>"),
        ("To", "\"Ann Miller\" <ann@example.org>"),
        ("Date", "Tue, 14 Jul 2026 03:33:20 +0000"),
        ("Message-ID", "<0123.4567@postkey.example>"),
        ("Subject", "Re: Opening hours"),
        ("In-Reply-To", "<first@example.org>"),
        ("References", "<first@example.org>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "multipart/alternative; boundary=\"=_7888be0e3fd125410f560cd7\""),
        ("Auto-Submitted", "auto-replied"),
        ("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply"),
        ("X-Agent-Loop", "test-1;hop=1;00"),
        ("X-AI-Generated", "true"),
        ("X-AI-Model", "openai/some-model"),
    ];
    for (name, value) in expected {
        assert_eq!(field(&bytes, name).as_deref(), Some(value), "{name}");
    }
    // EM-38, EM-39.
    for name in ["Precedence", "Cc", "Bcc", "Reply-To"] {
        assert_eq!(field(&bytes, name), None);
    }
}

#[test]
fn em_66_answers_go_to_the_address_that_the_draft_names() {
    let reply_to = Some(address("shop+r.x@grün.example"));
    let bytes = Given { reply_to, ..Given::default() }.bytes();
    assert_sound(&bytes);
    let expected = "\"The Shop\" <shop+r.x@xn--grn-ioa.example>";
    assert_eq!(field(&bytes, "Reply-To").as_deref(), Some(expected));
}

#[test]
fn em_55_the_same_draft_gives_the_same_bytes() {
    assert_eq!(Given::default().bytes(), Given::default().bytes());
}

#[test]
fn em_44_a_parent_without_an_id_gets_no_threading_headers() {
    let bytes = reply_to("From: ann@example.org\r\nSubject: x\r\n\r\nHello");
    assert_eq!((field(&bytes, "In-Reply-To"), field(&bytes, "References")), (None, None));
}

#[test]
fn em_45_references_are_the_parents_chain_and_the_parent() {
    let references = |header: &str| field(&reply_to(&mail_with(header)), "References").unwrap();
    assert_eq!(references("References: <a@x> <b@x>\r\n"), "<a@x> <b@x> <first@example.org>");
    assert_eq!(references("In-Reply-To: <b@x>\r\n"), "<b@x> <first@example.org>");
    assert_eq!(references("In-Reply-To: <b@x> <c@x>\r\n"), "<first@example.org>");
    assert_eq!(references("References: <a@x>\r\nIn-Reply-To: <b@x>\r\n"), "<a@x> <first@example.org>");
}

#[test]
fn em_46_order_is_kept_each_id_once_and_the_parent_last() {
    let header = "References: <a@x>,<first@example.org> <b@x><a@x>\r\n\tjunk <c@x>\r\n";
    let bytes = reply_to(&mail_with(header));
    assert_eq!(field(&bytes, "References").unwrap(), "<a@x> <b@x> <c@x> <first@example.org>");
    assert_eq!(field(&bytes, "In-Reply-To").unwrap(), "<first@example.org>");
}

#[test]
fn em_48_a_long_chain_keeps_its_first_and_its_last_ids() {
    let chain: String = (0..50).map(|n| format!("<{n}@x.org> ")).collect();
    let references = field(&reply_to(&mail_with(&format!("References: {chain}\r\n"))), "References").unwrap();
    let ids: Vec<&str> = references.split(' ').collect();
    assert_eq!((ids.len(), ids[0], ids[1], ids[19]), (20, "<0@x.org>", "<32@x.org>", "<first@example.org>"));

    let long = "y".repeat(200);
    let chain: String = (0..10).map(|n| format!("<{n}{long}@x.org> ")).collect();
    let references = field(&reply_to(&mail_with(&format!("References: {chain}\r\n"))), "References").unwrap();
    assert!(
        references.len() <= 900
            && references.starts_with("<0y")
            && references.ends_with(" <first@example.org>")
    );
}

#[test]
fn em_48_an_id_that_cannot_be_written_is_left_out() {
    let endless = format!("<{}@x.org>", "z".repeat(900));
    let bytes = reply_to(&mail_with(&format!("References: <a@x> {endless} <ü@x> <b@x>\r\n")));
    assert_eq!(field(&bytes, "References").unwrap(), "<a@x> <b@x> <first@example.org>");
    let bytes = reply_to(&mail_with("").replace("<first@example.org>", &endless));
    assert_eq!((field(&bytes, "In-Reply-To"), field(&bytes, "References")), (None, None));
    assert_sound(&bytes);
}

#[test]
fn em_50_reply_prefixes_of_any_language_become_one() {
    let hours = [
        "Hours",
        "Re: Hours",
        "RE: re: Hours",
        "AW: Hours",
        "Re[2]: Hours",
        "RE^3: Hours",
        "Antw: SV: Hours",
        "Re : Hours",
        "回复：Hours",
        "Отв: Hours",
        "  re:Hours",
    ];
    for parent in hours {
        assert_eq!(subject_for(parent), "Re: Hours", "{parent}");
    }
    assert_eq!(subject_for("Fwd: Re: Hours"), "Re: Fwd: Re: Hours");
    assert_eq!(subject_for("WG: Hours"), "Re: WG: Hours");
    assert_eq!(subject_for("Reply: x"), "Re: Reply: x");
    assert_eq!(subject_for("12:30 Uhr?"), "Re: 12:30 Uhr?");
    for empty in ["", "   ", "Re:", "Re: AW: "] {
        assert_eq!(subject_for(empty), "Re: (no subject)");
    }
    assert_eq!(subject_for("Grüße aus 東京"), "Re: Grüße aus 東京");
}

#[test]
fn em_51_a_long_subject_is_cut_between_characters() {
    assert_eq!(subject_for(&"x".repeat(1000)).chars().count(), 200);
    let marks = subject_for(&"e\u{301}".repeat(300));
    assert!(marks.ends_with("e\u{301}") && marks.chars().count() <= 200, "{marks}");
    assert_sound(
        &Given { parent: Mail { subject: "語".repeat(500), ..Mail::default() }, ..Given::default() }.bytes(),
    );
}

#[test]
fn em_52_an_encoded_line_break_cannot_add_a_header() {
    let parent = "From: =?utf-8?q?Ann=0D=0ABcc:_x=40y=0D=0A?= <ann@example.org>\r\n\
                  Subject: =?utf-8?q?a=0D=0ABcc:_x=40y=0D=0A=0D=0Abody?=\r\nMessage-ID: <a@x>\r\n\r\nHello";
    let parent = read(parent);
    let name = parent.from[0].name.clone();
    assert_sound(&Given { parent, to_name: name.as_deref(), ..Given::default() }.bytes());
}

#[test]
fn em_52_nothing_that_is_given_can_add_a_header() {
    let evil = "x\r\nBcc: y@z.org\r\n\r\nbody\0\u{2028}\u{202E}=?utf-8?q?=0D=0A?=";
    let parent = Mail { subject: evil.to_owned(), ..Mail::default() };
    let given = Given {
        parent,
        from_name: Some(evil),
        to_name: Some(evil),
        body: evil,
        model: evil,
        ..Given::default()
    };
    assert_sound(&given.bytes());
    assert_eq!(field(&given.bytes(), "To").unwrap(), "ann@example.org");
}

#[test]
fn em_53_a_name_that_looks_like_an_address_is_not_repeated() {
    let to = |name| field(&Given { to_name: Some(name), ..Given::default() }.bytes(), "To").unwrap();
    for name in ["ceo@bank.example", "", "  ", "a <b>"] {
        assert_eq!(to(name), "ann@example.org", "{name}");
    }
    let quoted = to("Miller, \"Ann\"");
    assert!(quoted.ends_with(" <ann@example.org>") && !quoted.contains(", "), "{quoted}");
    let long = read(Given { to_name: Some(&"n".repeat(300)), ..Given::default() }.bytes());
    assert_eq!(long.to, [address("ann@example.org")]);
}

#[test]
fn em_56_long_and_foreign_text_arrives_as_it_was_written() {
    let long = "A very long line. ".repeat(100);
    let words = format!("{}\n\n東京 café = 100%\n\na tab\there\nend", long.trim_end());
    let bytes = Given { body: &words, ..Given::default() }.bytes();
    assert_sound(&bytes);
    let body = String::from_utf8(bytes.clone()).unwrap().split_once("\r\n\r\n").unwrap().1.to_owned();
    assert!(body.split("\r\n").all(|line| line.len() <= 76));
    assert!(read(&bytes).text.visible.starts_with(&words));
}

#[test]
fn em_58_dots_and_from_lines_survive() {
    let bytes = Given { body: "A\n.\n..\nFrom here on\n.hidden", ..Given::default() }.bytes();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(!text.contains("\r\n.") && !text.contains("\r\nFrom "));
    assert!(read(&bytes).text.visible.starts_with("A\n.\n..\nFrom here on\n.hidden\n"));
}

#[test]
fn em_58_words_that_look_like_a_mail_stay_words() {
    let words = "Bcc: all@example.org\n\n--b\nContent-Type: text/html\n\n<b>x</b>\n--b--";
    let mail = read(Given { body: words, ..Given::default() }.bytes());
    assert!(mail.text.visible.starts_with(words));
    assert_eq!((mail.attachments.len(), mail.to.len(), mail.cc.len()), (0, 1, 0));
}

#[test]
fn a_domain_beyond_ascii_is_written_as_a_label() {
    let given = Given { to: address("ann@bücher.example"), ..Given::default() };
    assert_eq!(field(&given.bytes(), "To").unwrap(), "\"Ann Miller\" <ann@xn--bcher-kva.example>");
}

#[test]
fn what_cannot_be_written_is_an_error_that_a_person_decides() {
    let error = |given: Given<'_>| given.compose().unwrap_err();
    assert_eq!(error(Given { to: address("a..b@phone.example"), ..Given::default() }), ComposeError::To);
    assert_eq!(error(Given { to: address("żółw@example.org"), ..Given::default() }), ComposeError::To);
    assert_eq!(error(Given { from: address("a.@phone.example"), ..Given::default() }), ComposeError::From);
    assert_eq!(error(Given { body: " \r\n\u{200B}", ..Given::default() }), ComposeError::NoText);
    assert_eq!(
        error(Given { message_id: id(&"x".repeat(300)), ..Given::default() }),
        ComposeError::MessageId
    );
}

#[test]
fn times_beyond_the_calendar_do_not_stop_a_reply() {
    for millis in [i64::MIN, -1, 0, i64::MAX] {
        assert_sound(&Given { date: Timestamp::from_millis(millis), ..Given::default() }.bytes());
    }
}

#[test]
fn our_own_gate_refuses_our_own_reply() {
    super::assert_skipped(Given::default().bytes(), postkey::mail::gate::SkipReason::AutoSubmitted);
}
