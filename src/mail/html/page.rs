//! The text as it is drawn: lines, quote marks, cells, bullets and link targets (EM-116).

use std::borrow::Cow;

use super::elements;

/// Deepest level of quotes that is drawn.
const DEEPEST_QUOTE: usize = 8;

/// Pictures up to this width and height, in pixels, are marks of a tracker and not for readers (EM-126).
const TRACKER_PIXELS: u32 = 2;

/// Gives the value of an attribute.
pub(super) type Attribute<'a, 'b> = dyn Fn(&str) -> Option<Cow<'a, str>> + 'b;

/// The text so far.
#[derive(Default)]
pub(super) struct Page {
    text: String,
    longest: usize,
    /// For each open `blockquote` whether it is a quote, or else an indented paragraph.
    quotes: Vec<bool>,
    link: Option<(String, usize)>,
    /// A cell began; a mark is due when both it and the one before it have words.
    is_new_cell: bool,
}

impl Page {
    pub(super) fn new(longest: usize) -> Self {
        Self { longest, ..Self::default() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() > self.longest
    }

    pub(super) fn into_text(self) -> String {
        self.text.trim().to_owned()
    }

    /// Adds words; outside of preformatted text white space only separates them.
    pub(super) fn write(&mut self, text: &str, keeps_lines: bool) {
        for c in text.chars() {
            match c {
                '\n' if keeps_lines => self.new_line(),
                '\r' if keeps_lines => {}
                _ if keeps_lines => self.push(c),
                '\u{a0}' => self.push(' '),
                _ if c.is_whitespace() => self.space(),
                _ => self.push(c),
            }
        }
    }

    /// An element begins.
    pub(super) fn open(&mut self, name: &str, attribute: &Attribute<'_, '_>) {
        if elements::is_block(name) || matches!(name, "table" | "tr" | "caption") {
            self.fresh_line();
        }
        match name {
            "br" => self.new_line(),
            "hr" => self.line_of("----"),
            "p" => self.blank_line(),
            "li" => self.write("- ", true),
            "td" | "th" => self.is_new_cell = true,
            "blockquote" => self.quotes.push(is_quote(attribute)),
            "img" => self.picture(attribute),
            "a" => self.link = attribute("href").map(|target| (target.trim().to_owned(), self.text.len())),
            _ => {}
        }
    }

    /// An element ends.
    pub(super) fn close(&mut self, name: &str) {
        match name {
            "p" => self.blank_line(),
            "a" => self.close_link(),
            _ => {}
        }
        if elements::is_block(name) || matches!(name, "table" | "tr" | "caption") {
            self.fresh_line();
        }
        if name == "blockquote" {
            self.quotes.pop();
        }
    }

    fn picture(&mut self, attribute: &Attribute<'_, '_>) {
        let is_small = |side: &str| {
            attribute(side)
                .and_then(|size| size.trim_end_matches("px").parse::<u32>().ok())
                .is_some_and(|size| size <= TRACKER_PIXELS)
        };
        if !(is_small("width") && is_small("height")) {
            self.write(&attribute("alt").unwrap_or_default(), false);
        }
    }

    /// Adds the target when the words do not already say it (EM-116).
    fn close_link(&mut self) {
        let Some((target, start)) = self.link.take() else { return };
        let words = self.text.get(start..).unwrap_or("").trim();
        let lower = target.to_ascii_lowercase();
        let is_web =
            ["http://", "https://", "mailto:", "tel:", "ftp://"].iter().any(|start| lower.starts_with(start));
        let bare = target
            .split_once(':')
            .filter(|_| !lower.starts_with("http"))
            .map_or(target.as_str(), |(_, bare)| bare);
        let says_it = words.contains(bare.trim_end_matches('/'));
        if is_web && !words.is_empty() && !says_it && target.len() <= self.longest {
            self.write(" <", true);
            self.write(&target.replace(char::is_whitespace, "%20"), true);
            self.push('>');
        }
    }

    fn push(&mut self, c: char) {
        let is_line_start = self.text.is_empty() || self.text.ends_with('\n');
        if is_line_start {
            let depth = self.quotes.iter().filter(|is_quote| **is_quote).count();
            (0..depth.min(DEEPEST_QUOTE)).for_each(|_| self.text.push_str("> "));
        } else if self.is_new_cell && !c.is_whitespace() {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push_str(" | ");
        }
        self.is_new_cell &= c.is_whitespace();
        self.text.push(c);
    }

    fn space(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(' ');
        }
    }

    fn new_line(&mut self) {
        self.is_new_cell = false;
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
        self.write(mark, true);
        self.new_line();
    }
}

/// Web mails indent a paragraph with a `blockquote` that says it has no border.
fn is_quote(attribute: &Attribute<'_, '_>) -> bool {
    let style = attribute("style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
    let is_cited = attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("cite"))
        || attribute("class").is_some_and(|class| class.contains("quote"));
    is_cited || !(style.contains("border:none") || style.contains("border:0"))
}
