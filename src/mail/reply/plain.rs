//! Markdown as text that reads well without its marks (EM-56).

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

/// The text of the events, without white space at its ends.
pub(super) fn write(events: &[Event<'_>]) -> String {
    let mut page = Page::default();
    for event in events {
        page.take(event);
    }
    page.out.trim_matches('\n').trim_end().to_owned()
}

/// Quotes and lists within each other that are drawn; a deeper one would cost its depth on every line.
const DEEPEST: usize = 12;

/// What comes before the next words.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    #[default]
    None,
    Line,
    Blank,
}

/// What every line within it begins with.
enum Margin {
    Quote,
    /// The item's mark, until it is written, and its width.
    Item(Option<String>, usize),
    Code,
}

#[derive(Default)]
struct Page {
    out: String,
    gap: Gap,
    /// How many margins what comes before the gap and what comes after it share.
    shared: usize,
    margins: Vec<Margin>,
    /// The next number of each open list; `None` for one without numbers.
    lists: Vec<Option<u64>>,
    /// Where the words of the open link begin, and where it leads.
    link: Option<(usize, String)>,
    is_first_cell: bool,
}

impl Page {
    fn take(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            Event::Text(text) | Event::Code(text) => self.text(text),
            Event::HardBreak => self.break_line(),
            Event::Rule => {
                self.text("* * *");
                self.part(Gap::Blank);
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::BlockQuote(_) => self.margins.push(Margin::Quote),
            Tag::CodeBlock(CodeBlockKind::Indented) => self.margins.push(Margin::Code),
            Tag::List(first) => {
                self.part(Gap::Line);
                self.lists.push(*first);
            }
            Tag::Item => {
                self.part(Gap::Line);
                let mark = self.next_mark();
                let width = mark.chars().count();
                self.margins.push(Margin::Item(Some(mark), width));
            }
            Tag::TableHead | Tag::TableRow => self.is_first_cell = true,
            Tag::TableCell if std::mem::take(&mut self.is_first_cell) => {}
            Tag::TableCell => self.text(" | "),
            Tag::Link { dest_url, .. } => {
                self.flush();
                self.link = Some((self.out.len(), dest_url.to_string()));
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Table => self.part(Gap::Blank),
            TagEnd::BlockQuote(_) | TagEnd::CodeBlock => {
                self.margins.pop();
                self.part(Gap::Blank);
            }
            TagEnd::Item => {
                self.margins.pop();
                self.part(Gap::Line);
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.part(if self.lists.is_empty() { Gap::Blank } else { Gap::Line });
            }
            TagEnd::TableHead | TagEnd::TableRow => self.part(Gap::Line),
            TagEnd::Link => self.end_link(),
            _ => {}
        }
    }

    /// Where a link leads is said behind it, unless its words say it.
    fn end_link(&mut self) {
        let Some((start, target)) = self.link.take() else { return };
        let shown = self.out.get(start..).unwrap_or_default();
        let bare = |url: &str| {
            let url = url.trim_start_matches("https://").trim_start_matches("http://");
            url.trim_end_matches('/').to_lowercase()
        };
        if bare(shown) != bare(&target) {
            self.text(&format!(" <{target}>"));
        }
    }

    fn next_mark(&mut self) -> String {
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            _ => "- ".to_owned(),
        }
    }

    fn part(&mut self, gap: Gap) {
        let inside = self.margins.len();
        self.shared = if gap > self.gap { inside } else { self.shared.min(inside) };
        self.gap = self.gap.max(gap);
    }

    fn break_line(&mut self) {
        self.part(if self.gap == Gap::None { Gap::Line } else { Gap::Blank });
    }

    fn text(&mut self, text: &str) {
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.break_line();
            }
            if !line.is_empty() {
                self.flush();
                self.out.push_str(line);
            }
        }
    }

    /// Begins the line that the next words stand on.
    fn flush(&mut self) {
        let is_new_line = self.gap > Gap::None || self.out.is_empty();
        if self.gap > Gap::None && !self.out.is_empty() {
            self.out.push('\n');
            if self.gap == Gap::Blank {
                self.blank_line();
            }
        }
        self.gap = Gap::None;
        if is_new_line {
            self.begin_line();
        }
    }

    fn begin_line(&mut self) {
        for margin in self.margins.iter_mut().take(DEEPEST) {
            match margin {
                Margin::Quote => self.out.push_str("> "),
                Margin::Code => self.out.push_str("    "),
                Margin::Item(mark, width) => match mark.take() {
                    Some(mark) => self.out.push_str(&mark),
                    None => self.out.extend(std::iter::repeat_n(' ', *width)),
                },
            }
        }
    }

    fn blank_line(&mut self) {
        let drawn = self.margins.iter().take(self.shared.min(DEEPEST));
        let quotes = drawn.filter(|margin| matches!(margin, Margin::Quote)).count();
        self.out.push_str("> ".repeat(quotes).trim_end());
        self.out.push('\n');
    }
}
