//! HTML as a flat run of tags and text: no tree, so no depth and no stack to overflow.

/// One step of the document.
pub(super) enum Token<'a> {
    /// Text between tags, entities still encoded.
    Text(&'a str),
    /// `<name ...>`.
    Open(Tag<'a>),
    /// `</name>`, the name in lower case.
    Close(String),
}

/// An opening tag.
pub(super) struct Tag<'a> {
    /// In lower case.
    pub(super) name: String,
    attributes: &'a str,
}

/// Elements whose content is no markup (WHATWG HTML 13.2.5.2 to 13.2.5.5).
const RAW: [&str; 9] =
    ["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"];

/// Longest tag that is read for its attributes, in bytes; the attributes of a longer one are not looked at.
const LONGEST_TAG: usize = 8 * 1024;

/// Reads the document from the front; one pass.
pub(super) struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    /// Tokens of `html`.
    pub(super) fn new(html: &'a str) -> Self {
        Self { rest: html }
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Goes behind the next `mark`, or to the end.
    fn skip_past(&mut self, mark: &str) {
        self.rest = self.rest.split_once(mark).map_or("", |(_, rest)| rest);
    }

    fn text(&mut self) -> Token<'a> {
        // A `<` that opens no tag is text itself.
        let end =
            self.rest.char_indices().skip(1).find(|(_, c)| *c == '<').map_or(self.rest.len(), |(at, _)| at);
        Token::Text(self.take(end))
    }

    fn tag(&mut self) -> Token<'a> {
        let end = tag_end(self.rest);
        let inner = self.take(end).trim_start_matches('<').trim_end_matches('>');
        let (is_close, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        let name_end = inner.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(inner.len());
        let (name, attributes) = inner.split_at_checked(name_end).unwrap_or((inner, ""));
        let name = name.to_ascii_lowercase();
        if is_close {
            return Token::Close(name);
        }
        if RAW.contains(&name.as_str()) {
            self.skip_raw(&name);
        }
        Token::Open(Tag { name, attributes: super::super::clean::cut_bytes(attributes, LONGEST_TAG) })
    }

    /// Leaves the closing tag of a raw element as the next token; without one the document ends here.
    fn skip_raw(&mut self, name: &str) {
        while let Some((_, after)) = self.rest.split_once("</") {
            if after.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                let skipped = self.rest.len() - after.len() - "</".len();
                self.take(skipped);
                return;
            }
            self.rest = after;
        }
        self.rest = "";
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let second = self.rest.strip_prefix('<').and_then(|rest| rest.chars().next());
            match second {
                Some('!') if self.rest.starts_with("<!--") => self.skip_past("-->"),
                Some('!' | '?') => self.skip_past(">"),
                Some(c) if c == '/' || c.is_ascii_alphabetic() => return Some(self.tag()),
                _ => return Some(self.text()),
            }
        }
    }
}

impl<'a> Tag<'a> {
    /// Whether anything but the name stands in the tag.
    pub(super) fn has_attributes(&self) -> bool {
        self.attributes.contains(|c: char| c.is_alphabetic())
    }

    /// The raw value of an attribute; an empty text when it stands without a value.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a str> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if rest.is_empty() {
                return None;
            }
            let end = rest.find(|c: char| c.is_whitespace() || c == '=' || c == '/').unwrap_or(rest.len());
            let (key, after) = rest.split_at_checked(end.max(1)).unwrap_or((rest, ""));
            let (value, after) = value(after);
            if key.eq_ignore_ascii_case(name) {
                return Some(value);
            }
            rest = after;
        }
    }
}

/// The value after an attribute's name, and what follows it.
fn value(after: &str) -> (&str, &str) {
    let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
        return ("", after);
    };
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = value.find(char::is_whitespace).unwrap_or(value.len());
    value.split_at_checked(end).unwrap_or((value, ""))
}

/// Bytes up to and including the `>` that closes the tag; one within quotes does not.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    let mut after_equals = false;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') if after_equals => quote = Some(byte),
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            after_equals = byte == b'=';
        }
    }
    text.len()
}
