//! HTML to the text that a reader sees (EM-115, EM-116).

use super::read;

fn page(body: &str) -> postkey::mail::Mail {
    read(format!("From: ann@example.org\nContent-Type: text/html; charset=utf-8\n\n{body}"))
}

fn text(body: &str) -> String {
    page(body).text.visible
}

#[test]
fn em_115_hidden_text_is_left_out_and_counted() {
    for hidden in [
        "<div style='display:none'>secret</div>",
        "<div style='visibility: hidden !important'>secret</div>",
        "<span style='opacity:0'>secret</span>",
        "<span style='font-size:0'>secret</span>",
        "<span style='FONT-SIZE:1px'>secret</span>",
        "<span style='mso-hide:all'>secret</span>",
        "<div style='max-height:0;overflow:hidden'>secret</div>",
        "<p style='text-indent:-9999px'>secret</p>",
        "<div style='position:absolute;left:-5000px'>secret</div>",
        "<span style='color:#ffffff'>secret</span>",
        "<font color=white>secret</font>",
        "<table bgcolor='#102030'><tr><td style='color:rgb(16, 32, 49)'>secret</table>",
        "<div hidden>secret</div>",
        "<div aria-hidden=true>secret</div>",
        "<style>.x{display:none} p.y, #z { color : #fff }</style><b class='a x'>secret</b>",
        "<style>p.y, #z { color : #fff }</style><p class=y>sec</p><i id=z>ret</i>",
        "<style>.x{height:0} .x{overflow:hidden}</style><p class=x>secret</p>",
        "<style>.x, i {font-size:0} .x{font-size:smaller}</style><p class=x>sec</p><i>ret</i>",
        "<style>.x{background:#123456} .x{background:none;color:#123455}</style><p class=x>secret</p>",
        "<div style=display:none><b><div></b>secret</div></div>",
        "<p hidden>secret<p>",
    ] {
        let mail = page(&format!("Seen {hidden} too"));
        let words: Vec<&str> = mail.text.visible.split_whitespace().collect();
        assert_eq!(words, ["Seen", "too"], "{hidden}");
        assert!(mail.flags.has_hidden_text, "{hidden}");
        assert_eq!(mail.flags.hidden_chars, 6, "{hidden}");
    }
}

#[test]
fn em_115_what_can_be_seen_is_kept() {
    for seen in [
        // A gap between columns is often made with a size of zero.
        "<td style='font-size:0'><div style='font-size:14px'>shown</div></td>",
        "<div style='background:#123456'><span style='color:white'>shown</span></div>",
        "<div style='background-image:url(x.png)'><span style='color:white'>shown</span></div>",
        "<table background=x.png><tr><td><font color=white>shown</font></table>",
        "<style>@media (max-width:600px){.x{display:none}} .y{color:red}</style><p class=x>shown</p>",
        "<style>.head a {background:blue}</style><a style='color:#fff'>shown</a>",
        "<p style='height:0'>shown</p>",
        "<style>.x{height:0} p{overflow:hidden}</style><p class=x>shown</p>",
        "<style>.x{font-size:0;color:#fff} .x{font-size:12px} .x{color:nonsense}</style><p class=x>shown</p>",
        "<div style='display:none'>".trim_end_matches("<div style='display:none'>"),
        "<b style='opacity:0.9'>shown</b>",
    ] {
        let mail = page(&format!("{seen}<p>end</p>"));
        assert!(!mail.flags.has_hidden_text, "{seen}");
        assert_eq!(mail.text.visible.contains("shown"), seen.contains("shown"), "{seen}");
    }
}

#[test]
fn em_115_hidden_text_is_told_of_even_when_the_plain_text_is_used() {
    let mail = read(
        "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nHello there\n\
         --b\nContent-Type: text/html\n\n<p>Hello there</p><p hidden>secret</p>\n--b--\n",
    );
    assert_eq!((mail.text.visible.as_str(), mail.flags.hidden_chars), ("Hello there", 6));
}

#[test]
fn em_116_tables_lists_and_links_stay_readable() {
    let table = "<table><tr><th>Day<th>Time<tr><td>Monday<td>9 &ndash; 5<tr><td><td>closed</table>";
    assert_eq!(text(table), "Day | Time\nMonday | 9 – 5\nclosed");
    assert_eq!(text("<ol><li>one<li>two</ol>end"), "- one\n- two\nend");
    assert_eq!(text("<a href='https://x.org/path'>our <b>page</b></a>."), "our page <https://x.org/path>.");
    assert_eq!(text("<a href='mailto:a@x.org'>a@x.org</a>"), "a@x.org");
    assert_eq!(text("<a href='javascript:alert(1)'>press</a>"), "press");
    assert_eq!(text("<pre>a\n  b</pre>"), "a\n  b");
    assert_eq!(text("<div style='white-space:pre-wrap'>a\nb</div>"), "a\nb");
    assert_eq!(text("a&nbsp;b&shy;c"), "a bc");
}

#[test]
fn em_116_an_indented_paragraph_is_no_quote_and_a_quote_is() {
    let indented = "<p>mine</p><blockquote style=\"margin:0 0 0 40px;border:none\">also mine</blockquote>";
    assert_eq!(text(indented), "mine\n\nalso mine");
    let mail = page(
        "<p>Thanks!</p><div class=gmail_quote>On Tue, Jul 14, 2026 at 10:00 AM Shop &lt;<a href='mailto:s@x.org'>s@x.org</a>&gt; \
         wrote:<br><blockquote>We open at nine.</blockquote></div>",
    );
    assert_eq!(mail.text.visible, "Thanks!");
    assert!(mail.text.quoted.ends_with("> We open at nine."));
}

#[test]
fn em_126_tracking_pictures_have_no_words() {
    assert_eq!(
        text("<img width=1 height='1px' alt=tracker>Hi<img width=100 height=1 alt=' line'>"),
        "Hi line"
    );
}
