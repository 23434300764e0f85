//! The model's markdown as events that are safe to write out: words, their shape, and links that may stand.
//!
//! What a mail must not carry does not come through: markup of HTML is shown as the characters that it is made of,
//! a picture is its description, a link that may not stand is its words (SR-69, EM-58).

use std::ops::Range;

use pulldown_cmark::{
    CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, TextMergeStream,
};
use url::Url;

use super::super::clean;
use super::links::{Links, Piece};

/// Quotes and lists that one line may open; more of them cost the parser their number on every line that follows.
const DEEPEST: usize = 50;

/// The events of `words`; `link_removed` stands for a link that may not stand.
pub(super) fn events<'a>(words: &'a str, links: &Links, link_removed: &'a str) -> Vec<Event<'a>> {
    if words.lines().any(is_too_deep) {
        return unshaped(words, links, link_removed);
    }
    let parsed = Parser::new_ext(words, Options::ENABLE_TABLES).into_offset_iter();
    let plainer = parsed.filter_map(|(event, place)| plainer(words, event, &place));
    let mut safe = Safe { links, link_removed, place: Place::Words, events: Vec::new() };
    for event in TextMergeStream::new(plainer) {
        safe.take(event);
    }
    safe.events
}

/// The same text without any shape but its lines.
pub(super) fn unshaped<'a>(text: &str, links: &Links, link_removed: &'a str) -> Vec<Event<'a>> {
    let mut safe = Safe { links, link_removed, place: Place::Words, events: Vec::new() };
    safe.events.push(Event::Start(Tag::Paragraph));
    safe.text(text);
    safe.events.push(Event::End(TagEnd::Paragraph));
    safe.events
}

fn is_too_deep(line: &str) -> bool {
    let is_mark = |c: char| c.is_ascii_digit() || c.is_whitespace() || ">-*+.)".contains(c);
    let marks = line.split(|c| !is_mark(c)).next().unwrap_or_default();
    marks.split_whitespace().count() + marks.matches('>').count() > DEEPEST
}

/// One event without what only a web page knows; `place` is where it stands in `words`.
fn plainer<'a>(words: &'a str, event: Event<'a>, place: &Range<usize>) -> Option<Event<'a>> {
    match event {
        Event::Start(Tag::Emphasis) | Event::End(TagEnd::Emphasis) if is_within_word(words, place) => {
            Some(Event::Text("*".into()))
        }
        Event::Start(Tag::Strong) | Event::End(TagEnd::Strong) if is_within_word(words, place) => {
            Some(Event::Text("**".into()))
        }
        Event::InlineHtml(markup) if is_line_break(&markup) => Some(Event::HardBreak),
        Event::InlineHtml(markup) | Event::Html(markup) => Some(Event::Text(markup)),
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        Event::Start(Tag::HtmlBlock) => Some(Event::Start(Tag::Paragraph)),
        Event::End(TagEnd::HtmlBlock) => Some(Event::End(TagEnd::Paragraph)),
        Event::Start(Tag::Heading { .. }) => Some(Event::Start(heading())),
        Event::End(TagEnd::Heading(_)) => Some(Event::End(heading().to_end())),
        Event::Start(Tag::CodeBlock(_)) => Some(Event::Start(Tag::CodeBlock(CodeBlockKind::Indented))),
        // People who write mails mean the ends of their lines.
        Event::SoftBreak => Some(Event::HardBreak),
        other => Some(other),
    }
}

/// `5*3*2` is a product and not a slanted three.
fn is_within_word(words: &str, place: &Range<usize>) -> bool {
    let bytes = words.as_bytes();
    let before = place.start.checked_sub(1).and_then(|index| bytes.get(index));
    let is_of_word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_of_word(before) || is_of_word(bytes.get(place.end))
}

fn is_line_break(markup: &str) -> bool {
    matches!(markup.to_ascii_lowercase().as_str(), "<br>" | "<br/>" | "<br />")
}

/// All headings are one: a mail has no chapters.
fn heading<'a>() -> Tag<'a> {
    Tag::Heading { level: HeadingLevel::H3, id: None, classes: Vec::new(), attrs: Vec::new() }
}

/// Where the text that comes stands.
enum Place {
    Words,
    /// In a link that is written.
    Link,
    /// In a link of which only the words are written.
    FormerLink,
    Code,
}

/// The events so far, with nothing in them that may not stand.
struct Safe<'a, 'l> {
    links: &'l Links,
    link_removed: &'a str,
    place: Place,
    events: Vec<Event<'a>>,
}

impl<'a> Safe<'a, '_> {
    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Text(text) => self.text(&text),
            Event::Code(text) => self.code(&text),
            Event::Start(Tag::Link { dest_url, .. }) => match self.links.allowed(&dest_url) {
                Some(url) => {
                    self.place = Place::Link;
                    self.events.push(Event::Start(link(&url)));
                }
                None => self.place = Place::FormerLink,
            },
            Event::End(TagEnd::Link) => {
                if matches!(self.place, Place::Link) {
                    self.events.push(Event::End(TagEnd::Link));
                }
                self.place = Place::Words;
            }
            Event::Start(Tag::CodeBlock(_)) => {
                self.place = Place::Code;
                self.events.push(event);
            }
            Event::End(TagEnd::CodeBlock) => {
                self.place = Place::Words;
                self.events.push(event);
            }
            other => self.events.push(other),
        }
    }

    /// Character references can spell what was cleaned away before, so text is cleaned here again.
    fn text(&mut self, text: &str) {
        let text = clean::lines(text);
        if matches!(self.place, Place::Code) {
            return self.line(&text);
        }
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.events.push(Event::HardBreak);
            }
            self.line(line);
        }
    }

    fn line(&mut self, text: &str) {
        let mut words = String::new();
        for piece in self.links.pieces(text) {
            match piece {
                Piece::Link(shown, url) if matches!(self.place, Place::Words) => {
                    let shown = Event::Text(shown.to_owned().into());
                    self.push_words(&mut words);
                    self.events.extend([Event::Start(link(&url)), shown, Event::End(TagEnd::Link)]);
                }
                other => self.add_words(other, &mut words),
            }
        }
        self.push_words(&mut words);
    }

    fn push_words(&mut self, words: &mut String) {
        if !words.is_empty() {
            self.events.push(Event::Text(std::mem::take(words).into()));
        }
    }

    fn code(&mut self, text: &str) {
        let text = clean::lines(text);
        let mut words = String::new();
        self.links.pieces(&text).into_iter().for_each(|piece| self.add_words(piece, &mut words));
        self.events.push(Event::Code(words.into()));
    }

    fn add_words(&self, piece: Piece<'_>, words: &mut String) {
        match piece {
            Piece::Words(shown) | Piece::Link(shown, _) => words.push_str(shown),
            Piece::Forbidden => words.push_str(self.link_removed),
            Piece::Name(name) => words.push_str(&name.replace('.', "[.]")),
        }
    }
}

fn link<'a>(url: &Url) -> Tag<'a> {
    let dest_url = url.to_string().into();
    Tag::Link { link_type: LinkType::Inline, dest_url, title: "".into(), id: "".into() }
}
