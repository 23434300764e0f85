//! What the correspondent wrote now, what their program repeated, and how they sign (EM-119 to EM-122).
//!
//! Every line is told what it is (`line`, `introduction`, `header_block`), then where it goes. Programs repeat mails
//! in a few shapes, and only these are taken out:
//!
//! | shape | what goes |
//! |---|---|
//! | words, introduction or title or printed header, old mail to the end | from there to the end |
//! | words, quoted lines to the end | the quoted lines |
//! | introduction, one quote, words to the end | the introduction and the quote |
//! | words and quoted lines in turn | the introductions only |
//!
//! In doubt a line stays: a mail that would be empty is kept whole, and a forwarded mail is matter, not history.

mod boilerplate;
mod header_block;
mod introduction;
mod line;
pub(super) mod signature;

use line::{Kind, Line, Proof, unquoted};

use super::visible::VisibleText;

/// Where a line goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Visible,
    Quoted,
    Signature,
}

/// Splits `text`; of a mail whose subject says that it is a forward, a repeated mail is the matter (EM-121).
pub(super) fn split(text: &str, is_forward: bool) -> VisibleText {
    let mut lines = line::read(text);
    introduction::mark(&mut lines);
    header_block::mark(&mut lines);
    if is_nobodys(&lines) {
        return VisibleText { quoted: text.trim().to_owned(), ..VisibleText::default() };
    }
    let mut page = Page { places: vec![Place::Visible; lines.len()], end: lines.len(), lines };
    page.take_last_signature();
    page.take_history(is_forward);
    page.take_last_quote();
    page.take_signature();
    if page.has_words() {
        page.into_text()
    } else {
        VisibleText { visible: trimmed(text), ..VisibleText::default() }
    }
}

/// Introductions of quotes that quote nothing: nobody wrote a word.
fn is_nobodys(lines: &[Line<'_>]) -> bool {
    let last = lines.iter().rfind(|line| line.kind != Kind::Blank);
    let may_be = |line: &Line<'_>| line::read(unquoted(line.text)).iter().all(introduction::may_end);
    // Most mails end with other words, and then the rest need not be looked at.
    if !last.is_some_and(may_be) {
        return false;
    }
    let mut inner: Vec<Line<'_>> = lines.iter().flat_map(|line| line::read(unquoted(line.text))).collect();
    introduction::mark(&mut inner);
    let has_introduction = inner.iter().any(|line| matches!(line.kind, Kind::Introduction(_)));
    has_introduction && inner.iter().all(|line| matches!(line.kind, Kind::Introduction(_) | Kind::Blank))
}

struct Page<'a> {
    lines: Vec<Line<'a>>,
    places: Vec<Place>,
    /// Where a forward begins, or the end of the text.
    end: usize,
}

impl<'a> Page<'a> {
    fn kind(&self, at: usize) -> Kind {
        self.lines.get(at).map_or(Kind::Blank, |line| line.kind)
    }

    fn place(&mut self, from: usize, to: usize, place: Place) {
        self.places.get_mut(from..to).unwrap_or_default().fill(place);
    }

    fn has_words_before(&self, at: usize) -> bool {
        (0..at)
            .any(|before| self.is_visible(before) && self.kind(before) == Kind::Text && !self.is_rule(before))
    }

    fn has_words(&self) -> bool {
        (0..self.lines.len()).any(|at| self.is_visible(at) && self.kind(at) != Kind::Blank)
    }

    fn is_visible(&self, at: usize) -> bool {
        self.places.get(at) == Some(&Place::Visible)
    }

    fn is_rule(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(Line::is_rule)
    }

    /// The signature below everything, also below the history.
    fn take_last_signature(&mut self) {
        let is_words = |line: &Line<'_>| matches!(line.kind, Kind::Text | Kind::Blank);
        let tail = self.lines.iter().rposition(|line| !is_words(line)).map_or(0, |last| last + 1);
        let lines = self.lines.get(tail..).unwrap_or_default();
        let start = tail + signature::start(lines);
        self.place(start, self.lines.len(), Place::Signature);
        self.end = start;
    }

    /// From the top: the first forward ends the search, the first history everything.
    fn take_history(&mut self, is_forward: bool) {
        let mut at = 0;
        while at < self.end {
            match self.kind(at) {
                Kind::Forward => self.end = at,
                Kind::History if is_forward || !self.has_words_before(at) => self.end = at,
                Kind::History => return self.cut(at),
                Kind::Introduction(proof) => at = self.take_introduction(at, proof, is_forward),
                Kind::Blank | Kind::Text | Kind::Quote => at += 1,
            }
        }
    }

    fn cut(&mut self, at: usize) {
        self.place(at, self.end, Place::Quoted);
        self.end = at;
    }

    /// Decides about the introduction at `at` and gives the line where the search goes on.
    fn take_introduction(&mut self, at: usize, proof: Proof, is_forward: bool) -> usize {
        let below = self.skip(at, |kind| matches!(kind, Kind::Introduction(_)));
        let next = self.skip(below, |kind| kind == Kind::Blank);
        let quote_end = self.skip(next, |kind| kind != Kind::Text);
        let has_quote = self.kind(next) == Kind::Quote || self.has_bars(next);
        let has_words = self.has_words_before(at);
        match (has_words, has_quote) {
            (_, false) if proof == Proof::WithQuote => return below,
            (true, false) if is_forward => self.end = at,
            (true, false) => self.cut(at),
            (true, true) if quote_end == self.end || self.has_bars(next) => self.cut(at),
            (false, true) if quote_end == self.end => self.end = at,
            (false, true) if !self.has_quote_after(quote_end) => {
                self.place(at, quote_end, Place::Quoted);
                return quote_end;
            }
            _ => self.place(at, below, Place::Quoted),
        }
        below
    }

    /// The first line from `at` on that is none of those.
    fn skip(&self, at: usize, is_skipped: impl Fn(Kind) -> bool) -> usize {
        (at..self.end).find(|at| !is_skipped(self.kind(*at))).unwrap_or(self.end)
    }

    fn has_quote_after(&self, at: usize) -> bool {
        (at..self.end).any(|at| self.kind(at) == Kind::Quote)
    }

    /// Some programs quote with bars; a table begins with them as well, but not below an introduction.
    fn has_bars(&self, at: usize) -> bool {
        at < self.end && self.lines.get(at).is_some_and(|line| line.bare.starts_with('|'))
    }

    /// Quoted lines at the end, unless the words right above point to them.
    fn take_last_quote(&mut self) {
        let is_old =
            |at: &usize| self.is_visible(*at) && !matches!(self.kind(*at), Kind::Quote | Kind::Blank);
        let Some(last) = (0..self.end).rev().find(is_old) else { return };
        let points_below = self.lines.get(last).is_some_and(|line| line.bare.ends_with([':', '：']));
        let has_introduction =
            self.lines.get(last..self.end).unwrap_or_default().iter().any(is_quoted_introduction);
        let has_quote = (last + 1..self.end).any(|at| self.kind(at) == Kind::Quote);
        if has_quote && self.has_words_before(last + 1) && (!points_below || has_introduction) {
            self.cut(last + 1);
        }
    }

    fn take_signature(&mut self) {
        let start = signature::start(self.lines.get(..self.end).unwrap_or_default());
        let has_some = |mut range: std::ops::Range<usize>| {
            range.any(|at| self.is_visible(at) && self.kind(at) != Kind::Blank)
        };
        if has_some(0..start) && has_some(start..self.end) {
            let signed = (start..self.end).filter(|at| self.is_visible(*at)).collect::<Vec<_>>();
            signed.into_iter().for_each(|at| self.place(at, at + 1, Place::Signature));
        }
    }

    fn into_text(self) -> VisibleText {
        let all = |wanted: Place| {
            let lines = self.lines.iter().zip(&self.places).filter(|(_, place)| **place == wanted);
            trimmed(&lines.map(|(line, _)| line.text).collect::<Vec<_>>().join("\n"))
        };
        VisibleText {
            visible: all(Place::Visible),
            quoted: all(Place::Quoted),
            signature: all(Place::Signature),
        }
    }
}

/// `> On Monday Ann wrote:`
fn is_quoted_introduction(line: &Line<'_>) -> bool {
    let mut inner = line::read(unquoted(line.text));
    introduction::mark(&mut inner);
    inner.iter().any(|line| matches!(line.kind, Kind::Introduction(_)))
}

/// Without blank lines around it; the first line keeps its indentation.
fn trimmed(text: &str) -> String {
    let text = text.trim_end();
    let start = text.find(|c: char| !c.is_whitespace()).unwrap_or(0);
    let first_line = text.get(..start).and_then(|blank| blank.rfind('\n')).map_or(0, |end| end + 1);
    text.get(first_line..).unwrap_or("").to_owned()
}
