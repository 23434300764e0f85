//! HTML to the text that a reader would see (EM-115 and EM-116 in part).
//!
//! Own reading instead of a tree builder: one pass, bounded memory, no recursion, and nothing that is hidden by its
//! own attributes gets through. Hiding by `<style>` rules, colours and positions is not seen yet.

mod tokens;

use mail_parser::decoders::html::add_html_token;
use tokens::{Tag, Token, Tokens};

/// Elements whose text is not for readers.
const DROPPED: [&str; 14] = [
    "head", "title", "style", "script", "template", "noscript", "textarea", "svg", "math", "object",
    "select", "iframe", "noframes", "noembed",
];

/// Elements without content: they have no closing tag to wait for.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// Elements that stand on lines of their own.
const BLOCKS: [&str; 26] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "header",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "tr",
    "ul",
];

/// Deepest level of quotes that is drawn.
const DEEPEST_QUOTE: usize = 8;

/// The text of `html`, at most about `longest` bytes, and whether something hidden was left out.
pub(super) fn to_text(html: &str, longest: usize) -> (String, bool) {
    let mut page = Page { longest, ..Page::default() };
    for token in Tokens::new(html) {
        if page.text.len() > longest {
            break;
        }
        match token {
            Token::Text(text) => page.write(text),
            Token::Open(tag) => page.open(&tag),
            Token::Close(name) => page.close(&name),
        }
    }
    (page.text.trim().to_owned(), page.has_hidden)
}

#[derive(Default)]
struct Page {
    text: String,
    longest: usize,
    quote_depth: usize,
    pre_depth: usize,
    link: Option<(String, usize)>,
    /// The element that is left out, and how many of its name are open within it.
    skipping: Option<(String, usize)>,
    has_hidden: bool,
}

impl Page {
    fn write(&mut self, encoded: &str) {
        if self.skipping.is_some() {
            return;
        }
        for c in decode_entities(encoded).chars() {
            let keeps_space = self.pre_depth > 0;
            match c {
                '\n' if keeps_space => self.new_line(),
                _ if c.is_whitespace() && !keeps_space => self.space(),
                _ => self.push(c),
            }
        }
    }

    fn open(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        if let Some((skipped, open)) = &mut self.skipping {
            *open += usize::from(skipped == name);
            return;
        }
        let is_hidden = is_hidden(tag);
        if !VOID.contains(&name) && (is_hidden || DROPPED.contains(&name)) {
            self.has_hidden |= is_hidden;
            self.skipping = Some((name.to_owned(), 1));
            return;
        }
        self.draw_open(name, tag);
    }

    fn draw_open(&mut self, name: &str, tag: &Tag<'_>) {
        if BLOCKS.contains(&name) {
            self.fresh_line();
        }
        match name {
            "br" => self.new_line(),
            "hr" => self.line_of("----"),
            "p" => self.blank_line(),
            "li" => self.write("- "),
            "td" | "th" => self.space(),
            "pre" => self.pre_depth += 1,
            "blockquote" => self.quote_depth = (self.quote_depth + 1).min(DEEPEST_QUOTE),
            "img" => self.write(tag.attribute("alt").unwrap_or("")),
            "a" => self.link = tag.attribute("href").map(|target| (decode_entities(target), self.text.len())),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        if let Some((skipped, open)) = &mut self.skipping {
            *open -= usize::from(skipped == name);
            // `head` may be left unclosed: the body ends it.
            if *open == 0 {
                self.skipping = None;
            }
            return;
        }
        match name {
            "pre" => self.pre_depth = self.pre_depth.saturating_sub(1),
            "p" => self.blank_line(),
            "a" => self.close_link(),
            _ => {}
        }
        if BLOCKS.contains(&name) {
            self.fresh_line();
        }
        if name == "blockquote" {
            self.quote_depth = self.quote_depth.saturating_sub(1);
        }
    }

    /// Adds the target when the words do not already say it (EM-116).
    fn close_link(&mut self) {
        let Some((target, start)) = self.link.take() else { return };
        let words = self.text.get(start..).unwrap_or("").trim();
        let bare = target.trim_start_matches("mailto:");
        let is_web =
            target.starts_with("http://") || target.starts_with("https://") || target.starts_with("mailto:");
        if is_web && !words.is_empty() && !words.contains(bare) && target.len() <= self.longest {
            let shown = format!(" <{target}>");
            shown.chars().for_each(|c| self.push(c));
        }
    }

    fn push(&mut self, c: char) {
        if self.quote_depth > 0 && (self.text.is_empty() || self.text.ends_with('\n')) {
            (0..self.quote_depth).for_each(|_| self.text.push_str("> "));
        }
        self.text.push(c);
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn new_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    fn fresh_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.new_line();
        }
    }

    fn blank_line(&mut self) {
        self.fresh_line();
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn line_of(&mut self, mark: &str) {
        self.fresh_line();
        mark.chars().for_each(|c| self.push(c));
        self.new_line();
    }
}

/// Whether the element's own attributes keep it from being seen (EM-115).
fn is_hidden(tag: &Tag<'_>) -> bool {
    if !tag.has_attributes() {
        return false;
    }
    let style: String =
        tag.attribute("style").unwrap_or("").to_ascii_lowercase().split_whitespace().collect();
    let declarations = || style.split(';').map(|one| one.trim_end_matches("!important"));
    let has = |wanted: &str| declarations().any(|one| one == wanted);
    let is_collapsed = ["height:0", "max-height:0", "width:0", "max-width:0"]
        .iter()
        .any(|zero| has(zero) || has(&format!("{zero}px")));
    let is_tiny = ["font-size:0", "font-size:0px", "font-size:1px", "font-size:0pt", "font-size:0em"];
    tag.attribute("hidden").is_some()
        || tag.attribute("aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || ["display:none", "visibility:hidden", "opacity:0", "mso-hide:all"].into_iter().any(has)
        || is_tiny.into_iter().any(has)
        || (is_collapsed && has("overflow:hidden"))
}

/// Longest entity with its `&` and `;`, in bytes.
const LONGEST_ENTITY: usize = 34;

fn decode_entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split('&');
    out.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let name_end = piece.bytes().take(LONGEST_ENTITY).position(|byte| byte == b';');
        match name_end.and_then(|end| piece.split_at_checked(end + 1)) {
            Some((name, after)) => {
                add_html_token(&mut out, format!("&{name}").as_bytes(), false);
                out.push_str(after);
            }
            None => {
                out.push('&');
                out.push_str(piece);
            }
        }
    }
    out
}
