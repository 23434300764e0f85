//! The rules of `<style>` elements, as far as they are simple: `p`, `.class`, `#id`, `p.class`.
//!
//! Rules within `@media` and the like hold on some screens only and are passed over, and so are selectors of several
//! steps. That can only show more than a reader sees, never less.

use std::collections::HashMap;

use super::declarations::Declarations;

/// Most bytes of style text that are read.
const MOST_BYTES: usize = 256 * 1024;

/// Most rules that are kept.
const MOST_RULES: usize = 2000;

/// Most classes of one element that are looked up.
const MOST_CLASSES: usize = 20;

/// What a page declares about its elements.
#[derive(Default)]
pub(super) struct Sheet {
    rules: HashMap<String, Declarations>,
    read_bytes: usize,
    has_unknown_background: bool,
}

impl Sheet {
    /// Adds the rules of one `<style>`.
    pub(super) fn read(&mut self, text: &str) {
        self.read_bytes = self.read_bytes.saturating_add(text.len());
        if self.read_bytes > MOST_BYTES {
            self.has_unknown_background = true;
            return;
        }
        let text = without_comments(text);
        let mut rest = text.as_str();
        while let Some((selectors, after)) = rest.split_once('{') {
            let selectors = selectors.rsplit(';').next().unwrap_or("").trim();
            let (declarations, after) = block(after, selectors.starts_with('@'));
            if !selectors.starts_with('@') {
                self.add_all(selectors, declarations);
            }
            rest = after;
        }
    }

    /// Whether some element may stand before a background that no simple rule tells.
    pub(super) fn has_unknown_background(&self) -> bool {
        self.has_unknown_background
    }

    /// The declarations for an element, the general ones first.
    pub(super) fn matching(&self, name: &str, classes: Option<&str>, id: Option<&str>) -> Vec<Declarations> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let classes: Vec<&str> = classes.unwrap_or("").split_whitespace().take(MOST_CLASSES).collect();
        let mut keys = vec!["*".to_owned(), name.to_owned()];
        keys.extend(classes.iter().map(|class| format!(".{class}")));
        keys.extend(classes.iter().map(|class| format!("{name}.{class}")));
        keys.extend(id.into_iter().flat_map(|id| [format!("#{id}"), format!("{name}#{id}")]));
        keys.iter().filter_map(|key| self.rules.get(key)).copied().collect()
    }

    /// Adds one rule for each of its selectors; what it declares is read once, however many these are.
    fn add_all(&mut self, selectors: &str, declarations: &str) {
        let rule = Declarations::read(declarations);
        let mut are_all_added = true;
        for selector in selectors.split(',') {
            are_all_added &= self.add(selector.trim(), rule);
        }
        self.has_unknown_background |= !are_all_added && declarations.contains("background");
    }

    /// Whether the selector is simple and there was room for its rule.
    fn add(&mut self, selector: &str, rule: Declarations) -> bool {
        let is_simple = |c: char| c.is_alphanumeric() || "-_.#*".contains(c);
        let parts = selector.matches(['.', '#']).count();
        if selector.is_empty()
            || parts > 1
            || !selector.chars().all(is_simple)
            || self.rules.len() >= MOST_RULES
        {
            return false;
        }
        let (name, rest) = selector.split_at(selector.find(['.', '#']).unwrap_or(selector.len()));
        self.rules.entry(format!("{}{rest}", name.to_ascii_lowercase())).or_default().add(rule);
        true
    }
}

/// The inside of a block and what follows it; one with blocks within ends where they are all closed.
fn block(text: &str, has_blocks: bool) -> (&str, &str) {
    if !has_blocks {
        return text.split_once('}').unwrap_or((text, ""));
    }
    let mut depth = 1_usize;
    for (at, byte) in text.bytes().enumerate() {
        depth = match byte {
            b'{' => depth + 1,
            b'}' => depth - 1,
            _ => depth,
        };
        if depth == 0 {
            let (inside, rest) = text.split_at_checked(at).unwrap_or((text, ""));
            return (inside, rest.strip_prefix('}').unwrap_or(""));
        }
    }
    (text, "")
}

fn without_comments(text: &str) -> String {
    let text = text.replace("<!--", " ").replace("-->", " ");
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    out
}
