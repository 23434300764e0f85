//! HTML to the text that a reader would see (EM-115, EM-116).
//!
//! The tokens come from a WHATWG tokenizer. Instead of a tree there is only the stack of open elements, which is
//! bounded, so that no nesting costs more than its own length. Everything that a reader would not see is counted
//! and left out: `hidden` by attribute, by inline style, by simple rules of a `<style>`, or by its colour.

mod declarations;
mod elements;
mod page;
mod sheet;
mod style;

use std::collections::HashMap;

use html5gum::emitters::default::{DefaultEmitter, StartTag};
use html5gum::{Token, Tokenizer};
use page::Page;
use sheet::Sheet;
use style::Look;

/// Deepest nesting that is followed; elements below it count as part of their parent.
const DEEPEST: usize = 256;

/// The text of a page.
#[derive(Default)]
pub(super) struct Words {
    pub(super) text: String,
    /// Characters that a reader would not see, white space apart; none of them is in `text`.
    pub(super) hidden_chars: usize,
}

/// Reads `html` until about `longest` bytes of text are found.
pub(super) fn to_text(html: &str, longest: usize) -> Words {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut walk = Walk { page: Page::new(longest), ..Walk::default() };
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Token::StartTag(tag) => walk.open(&tag),
            Token::EndTag(tag) => walk.close(&name_of(&tag.name)),
            Token::String(text) => walk.text(&String::from_utf8_lossy(&text.value)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
        if walk.page.is_full() {
            break;
        }
    }
    Words { text: walk.page.into_text(), hidden_chars: walk.hidden_chars }
}

#[derive(Default)]
struct Walk {
    page: Page,
    sheet: Sheet,
    open: Vec<Open>,
    /// Where elements of each name are open, the innermost last, so that nobody looks for one through all of them.
    places: HashMap<String, Vec<usize>>,
    /// The same of all blocks.
    blocks: Vec<usize>,
    /// The same of tables and their parts.
    tables: Vec<usize>,
    hidden_chars: usize,
}

/// An element whose end has not come.
struct Open {
    name: String,
    look: Look,
    /// Such as `script`: no words for anybody, seen or hidden.
    is_dropped: bool,
}

impl Walk {
    fn text(&mut self, text: &str) {
        let (look, is_dropped) = self.now();
        let is_style = self.open.last().is_some_and(|open| open.name == "style");
        match () {
            () if is_style => self.sheet.read(text),
            () if is_dropped => {}
            () if look.is_hidden() => {
                self.hidden_chars += text.chars().filter(|c| !c.is_whitespace()).count();
            }
            () => self.page.write(text, look.keeps_lines),
        }
    }

    fn now(&self) -> (Look, bool) {
        self.open.last().map_or_else(Default::default, |open| (open.look, open.is_dropped))
    }

    fn open(&mut self, tag: &StartTag<()>) {
        let name = name_of(&tag.name);
        self.close_implied(&name);
        let (outer, is_dropped) = self.now();
        let attribute = |name: &str| {
            tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(&value.value))
        };
        let look = style::look(outer, &name, &attribute, &self.sheet);
        let is_dropped = is_dropped || elements::DROPPED.contains(&name.as_str());
        if !is_dropped && !look.is_hidden() {
            self.page.open(&name, &attribute);
        }
        let is_followed = !elements::VOID.contains(&name.as_str()) && self.open.len() < DEEPEST;
        if is_followed {
            self.push(Open { name, look, is_dropped });
        }
    }

    /// A `<tr>` ends the cell before it, a paragraph the paragraph before it, and so on.
    fn close_implied(&mut self, name: &str) {
        for &(ended, fence) in elements::implied_ends(name) {
            let fence = fence.iter().filter_map(|name| self.innermost(name)).max();
            if let Some(at) = self.find(ended, fence) {
                self.close_to(at);
            }
        }
    }

    fn close(&mut self, name: &str) {
        let fence = match () {
            () if elements::is_table(name) => self.innermost("template"),
            () if elements::is_block(name) => self.tables.last().copied(),
            () => self.blocks.last().max(self.tables.last()).copied(),
        };
        match self.find(name, fence) {
            Some(at) => self.close_to(at),
            None if matches!(name, "p" | "br") => self.page.open(name, &|_| None),
            None => {}
        }
    }

    /// Where the innermost open element of that name stands, unless a fence stands within it.
    fn find(&self, name: &str, fence: Option<usize>) -> Option<usize> {
        self.innermost(name).filter(|at| fence <= Some(*at))
    }

    fn innermost(&self, name: &str) -> Option<usize> {
        self.places.get(name)?.last().copied()
    }

    fn push(&mut self, open: Open) {
        let at = self.open.len();
        self.blocks.extend(elements::is_block(&open.name).then_some(at));
        self.tables.extend(elements::is_table(&open.name).then_some(at));
        self.places.entry(open.name.clone()).or_default().push(at);
        self.open.push(open);
    }

    fn close_to(&mut self, at: usize) {
        while self.open.len() > at {
            let Some(open) = self.open.pop() else { return };
            self.blocks.pop_if(|place| *place == self.open.len());
            self.tables.pop_if(|place| *place == self.open.len());
            if let Some(places) = self.places.get_mut(&open.name) {
                places.pop();
            }
            if !open.is_dropped && !open.look.is_hidden() {
                self.page.close(&open.name);
            }
        }
    }
}

fn name_of(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}
