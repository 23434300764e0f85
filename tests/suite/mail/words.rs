//! The words of a reply: markdown in, clean text and safe HTML out (EM-56, EM-58, SR-69).

use postkey::mail::Mail;
use postkey::mail::reply::ComposeError;
use proptest::prelude::*;

use super::reply::{Given, assert_sound};
use super::{id, read};

/// The two parts of a reply without its disclosure, decoded.
struct Parts {
    plain: String,
    html: String,
}

fn parts(given: &Given<'_>) -> Parts {
    let bytes = given.bytes();
    assert_sound(&bytes);
    let message = mail_parser::MessageParser::default().parse(&bytes).unwrap();
    let kinds: Vec<String> = message
        .parts
        .iter()
        .map(|part| mail_parser::MimeHeaders::content_type(part).unwrap().subtype().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["alternative", "plain", "html"], "plain comes first");
    let text = |index: usize| message.parts[index].text_contents().unwrap().replace("\r\n", "\n");
    Parts { plain: text(1), html: text(2) }
}

fn words(body: &str) -> Parts {
    parts(&Given { body, on_behalf_of: None, ..Given::default() })
}

fn linking(body: &str, domains: &[&str]) -> Parts {
    let link_domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
    parts(&Given { body, link_domains, on_behalf_of: None, ..Given::default() })
}

/// What stands between `<body>` and `</body>`.
fn markup(parts: &Parts) -> &str {
    let (_, rest) = parts.html.split_once("<body dir=\"auto\">\n").unwrap();
    rest.split_once("</body>").unwrap().0.trim_end()
}

#[test]
fn em_56_markdown_becomes_text_that_reads_well() {
    let body = "# Opening hours\n\nWe are **open** from *nine* to `17:00`:\n\n* Monday\n* Tuesday\n  with lunch\n    \
                1. soup\n    2. salad\n\n> You asked\n> for it\n\n---\n\n| Day | Hours |\n|---|---|\n| Mon | 9-17 |\n\n\
                ```\nlet x = 1;\n```\nKind regards\nBob";
    let expected = "Opening hours\n\nWe are open from nine to 17:00:\n\n- Monday\n- Tuesday\n  with lunch\n  \
                    1. soup\n  2. salad\n\n> You asked\n> for it\n\n* * *\n\nDay | Hours\nMon | 9-17\n\n    \
                    let x = 1;\n\nKind regards\nBob\n";
    assert_eq!(words(body).plain, expected);
}

#[test]
fn em_56_the_html_says_the_same_in_few_elements() {
    let parts = words("We are **open**\nfrom *nine*:\n\n1. Mon & Tue\n2. Fri\n\n`code`");
    assert_eq!(
        markup(&parts),
        "<p>We are <strong>open</strong><br />\nfrom <em>nine</em>:</p>\n<ol>\n<li>Mon &amp; Tue</li>\n<li>Fri</li>\n\
         </ol>\n<p><code>code</code></p>"
    );
}

#[test]
fn em_56_what_only_looks_like_markdown_is_kept() {
    for kept in ["5*3*2 = 30", "snake_case_name", "2 * 3 * 4", "1986. A good year", "a < b && c > d", "~~x~~"]
    {
        assert_eq!(words(kept).plain, format!("{kept}\n"));
    }
    assert_eq!(words("A\n\n\n\nB").plain, "A\n\nB\n");
    assert_eq!(words("这是**重点**内容").plain, "这是重点内容\n");
}

#[test]
fn em_58_html_in_the_words_is_shown_and_not_obeyed() {
    let body =
        "<script>alert(1)</script>\n\nHi <img src=x onerror=y> <b onclick=z>you</b><br>there &lt;i&gt;";
    let parts = words(body);
    for element in ["<script", "<img", "<b ", "<i>"] {
        assert!(!parts.html.contains(element), "{element} in {}", parts.html);
    }
    assert!(parts.plain.contains("<script>alert(1)</script>"), "{}", parts.plain);
    assert!(parts.plain.contains("<b onclick=z>you</b>\nthere <i>"), "{}", parts.plain);
}

#[test]
fn em_58_character_references_cannot_bring_back_invisible_characters() {
    let parts = words("a&#8203;b&#x202E;c&#0;d&#13;e");
    for text in [&parts.plain, &parts.html] {
        assert!(!text.contains(['\u{200B}', '\u{202E}', '\0']), "{text:?}");
    }
}

#[test]
fn sr_69_a_picture_is_only_its_description() {
    let parts = linking("![our shop](https://shop.example/x.png)", &["shop.example"]);
    assert_eq!(parts.plain, "our shop\n");
    assert_eq!(markup(&parts), "<p>our shop</p>");
}

#[test]
fn sr_69_a_link_to_the_agents_domain_is_kept() {
    let allowed = ["shop.example"];
    let parts = linking("See [our page](https://www.shop.example/a?b=1&c).", &allowed);
    assert_eq!(parts.plain, "See our page <https://www.shop.example/a?b=1&c>.\n");
    assert_eq!(markup(&parts), "<p>See <a href=\"https://www.shop.example/a?b=1&amp;c\">our page</a>.</p>");
    let parts =
        linking("See https://shop.example/a_b_c, shop.example/x or <https://SHOP.example/>.", &allowed);
    assert_eq!(parts.plain, "See https://shop.example/a_b_c, shop.example/x or https://SHOP.example/.\n");
    assert_eq!(parts.html.matches("<a href=\"https://shop.example/").count(), 3, "{}", parts.html);
}

#[test]
fn sr_69_any_other_link_is_only_its_words() {
    let targets = [
        "https://evil.example/x",
        "https://shop.example.evil.example/",
        "https://notshop.example/",
        "https://shop.example@evil.example/",
        "https://user:pass@shop.example/",
        "javascript:alert(1)",
        "data:text/html;base64,PGI+",
        "mailto:ann@shop.example?bcc=all@x.org",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "//shop.example/",
        "https://xn--shop-.example/",
    ];
    for target in targets {
        let parts = linking(&format!("See [our page]({target}) now"), &["shop.example"]);
        assert_eq!(parts.plain, "See our page now\n", "{target}");
        assert!(!parts.html.contains("<a ") && !parts.html.contains("evil"), "{}", parts.html);
    }
}

#[test]
fn sr_69_a_bare_link_is_taken_out_and_a_bare_name_cannot_be_clicked() {
    let removed = [
        "https://evil.example/?q=secret",
        "www.evil.example",
        "evil.example/a",
        "HTTP://EVIL.example",
        "ftp://evil.example",
    ];
    for link in removed {
        let parts = words(&format!("See {link} now"));
        assert_eq!(parts.plain, "See [link removed] now\n", "{link}");
        assert!(!parts.html.to_lowercase().contains("evil"), "{}", parts.html);
    }
    let parts = words("I use evil.com, Node.js, v1.2/v1.3 and report.pdf.Thanks.It works: ann@evil.com");
    assert_eq!(
        parts.plain,
        "I use evil[.]com, Node.js, v1.2/v1.3 and report.pdf.Thanks.It works: ann@evil.com\n"
    );
    assert!(!parts.html.contains("<a "));
}

#[test]
fn sr_69_a_link_cannot_be_put_together_from_shapes() {
    for body in
        ["See evil.**com** now", "See www.*evil*.example/a", "`https:`//evil.example/", "evil&#8203;.com"]
    {
        let parts = words(body);
        assert!(!parts.plain.contains("evil.com") && !parts.plain.contains("://evil"), "{}", parts.plain);
        assert!(!parts.plain.contains("www.evil"), "{}", parts.plain);
        assert!(!parts.html.contains("www.evil") && !parts.html.contains("<strong>"), "{}", parts.html);
    }
}

#[test]
fn sr_69_no_link_begins_within_another() {
    for body in ["See shop.example/a?b*evil.com now", "See [it](https://shop.example/a*evil.com)"] {
        let parts = linking(body, &["shop.example"]);
        assert!(!parts.plain.contains("*evil.com"), "{}", parts.plain);
        assert!(!parts.html.contains("href"), "{}", parts.html);
    }
}

#[test]
fn sr_69_the_words_of_a_link_cannot_name_another_one() {
    let parts = linking("[https://bank.example/](https://shop.example/)", &["shop.example"]);
    assert_eq!(parts.plain, "[link removed] <https://shop.example/>\n");
}

#[test]
fn sr_69_without_domains_or_with_senseless_ones_nothing_is_linked() {
    for domains in [&[][..], &["", " ", ".", "*", "127.0.0.1", "http://shop.example"]] {
        let parts = linking("https://shop.example/ and http://127.0.0.1/", domains);
        assert_eq!(parts.plain, "[link removed] and [link removed]\n");
    }
}

#[test]
fn sr_69_words_beyond_any_mail_are_for_a_person() {
    let body = "word ".repeat(20_000);
    assert_eq!(Given { body: &body, ..Given::default() }.compose().unwrap_err(), ComposeError::TooLong);
}

#[test]
fn words_that_come_to_nothing_are_no_reply() {
    for body in ["", "***", "[a]: https://x.example", "![](https://x.example/y.png)", "&#8203;"] {
        let composed = Given { body, ..Given::default() }.compose();
        assert!(matches!(composed, Err(ComposeError::NoText)) || body == "***", "{body}");
    }
}

#[test]
fn deep_and_endless_shapes_cost_what_they_are_long() {
    let deep = ">".repeat(30_000) + "x\n" + &"y\n".repeat(15_000);
    let lists = "- ".repeat(15_000) + "x\n" + &"y\n".repeat(15_000);
    let cells = "|a".repeat(200) + "|\n" + &"|-".repeat(200) + "|\n" + &"|x".repeat(20_000);
    let stars = "*a ".repeat(20_000);
    let brackets = "[".repeat(60_000);
    for body in [deep, lists, cells, stars, brackets] {
        let begun = std::time::Instant::now();
        let bytes = Given { body: &body, ..Given::default() }.bytes();
        assert!(bytes.len() < 4_000_000, "{} bytes", bytes.len());
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }
}

#[test]
fn em_58_the_boundary_cannot_be_guessed_into_the_words() {
    let other = Given { message_id: id("9.9@postkey.example"), ..Given::default() }.bytes();
    let boundary = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let first = boundary(&Given::default().bytes());
    assert_ne!(first, boundary(&other));
    let body = format!("--{first}\n\n--{first}--");
    let mail: Mail = read(Given { body: &body, ..Given::default() }.bytes());
    assert!(mail.text.visible.starts_with(&body) && mail.attachments.is_empty(), "{}", mail.text.visible);
}

/// Pieces that steer random words into links, markup and shapes.
const PIECES: [&str; 30] = [
    "[",
    "](",
    ")",
    "https://",
    "evil.com",
    "shop.example",
    "/a?b",
    "<",
    ">",
    "<script>",
    "</b>",
    "<img src=x>",
    "*",
    "**",
    "`",
    "```\n",
    "\n",
    "\n\n",
    "> ",
    "- ",
    "1. ",
    "| a |\n|---|\n",
    "&lt;",
    "&#8203;",
    "javascript:",
    "word ",
    "![",
    "\\",
    "www.",
    "\"",
];

/// The elements that a reply is made of.
const ELEMENTS: [&str; 26] = [
    "!doctype",
    "html",
    "head",
    "meta",
    "body",
    "p",
    "br",
    "strong",
    "em",
    "h3",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "code",
    "hr",
    "a",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "del",
    "sup",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sr_69_any_words_make_only_known_elements_and_allowed_links(
        pieces in prop::collection::vec(prop::sample::select(PIECES.as_slice()), 0..30),
    ) {
        let body = format!("x {}", pieces.concat());
        let parts = linking(&body, &["shop.example"]);
        for element in parts.html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let name = element.trim_start_matches('/').split(|c: char| !c.is_alphanumeric() && c != '!').next().unwrap();
            prop_assert!(ELEMENTS.contains(&name.to_lowercase().as_str()), "<{}", element);
            let target = element.split_once("href=\"").and_then(|(_, rest)| rest.split('"').next());
            let host = target.map(|target| url::Url::parse(target).unwrap().host_str().unwrap().to_owned());
            let is_ours = |host: &String| host == "shop.example" || host.ends_with(".shop.example");
            prop_assert!(host.as_ref().is_none_or(is_ours), "<{}", element);
            prop_assert!(!element.contains("src="));
        }
        let words = parts.plain.split(|c: char| c.is_whitespace() || "<>\"'()[]|*`\\".contains(c));
        for word in words {
            let leads_away = ["https://evil", "https://www.evil", "www.evil"].iter().any(|start| word.starts_with(start));
            prop_assert!(!leads_away && word != "evil.com", "{}", parts.plain);
        }
    }
}
