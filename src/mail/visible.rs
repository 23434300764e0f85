//! The words of a mail: which parts carry them, cleaned, bounded, and split from the history (EM-107, EM-109, EM-119).

use std::fmt;

use super::clean;
use super::limits::Limits;
use super::structure::Leaf;
use super::{charset, flowed, html, quotes, transfer, uuencode};

/// Stands where text was cut off (EM-107: with a visible note).
const CUT_NOTE: &str = "\n[The rest of this mail was too long and was cut.]";

/// What a reader of the mail sees, as clean text with `\n` line ends. `Debug` shows lengths only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct VisibleText {
    /// What the correspondent wrote now.
    pub visible: String,
    /// What their program repeated; empty when nothing was split off.
    pub quoted: String,
    /// How they sign, and what their program puts below their words.
    pub signature: String,
}

impl fmt::Debug for VisibleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "VisibleText {{ visible: {} bytes, quoted: {} bytes, signature: {} bytes }}",
            self.visible.len(),
            self.quoted.len(),
            self.signature.len()
        )
    }
}

/// The text and what happened to it on the way.
#[derive(Default)]
pub(super) struct Found {
    pub(super) text: VisibleText,
    pub(super) is_cut: bool,
    pub(super) hidden_chars: usize,
    pub(super) invisible_chars: usize,
}

/// Reads the words out of the leaves.
pub(super) fn find(leaves: &[Leaf<'_>], is_forward: bool, limits: &Limits) -> Found {
    let plain = gather(leaves, "text/plain", limits);
    let has_choice = leaves.iter().any(|leaf| leaf.in_alternative);
    let rich = if has_choice { gather(leaves, "text/html", limits) } else { Found::default() };
    let hidden_chars = plain.hidden_chars + rich.hidden_chars;
    let mut found = if is_plain_enough(&plain.text.visible, &rich.text.visible) { plain } else { rich };
    found.hidden_chars = hidden_chars;
    if found.text.visible.len() > limits.text_bytes {
        found.is_cut = true;
        found.text.visible = clean::cut_bytes(&found.text.visible, limits.text_bytes).to_owned();
    }
    found.text = quotes::split(&found.text.visible, is_forward);
    if found.is_cut {
        let last =
            if found.text.quoted.is_empty() { &mut found.text.visible } else { &mut found.text.quoted };
        last.push_str(CUT_NOTE);
    }
    found
}

/// All words, taking `preferred` where the sender offered alternatives.
fn gather(leaves: &[Leaf<'_>], preferred: &str, limits: &Limits) -> Found {
    let mut found = Found::default();
    let wanted =
        leaves.iter().filter(|leaf| leaf.is_body && (!leaf.in_alternative || leaf.kind == preferred));
    for leaf in wanted {
        let room = (limits.text_bytes + 1).saturating_sub(found.text.visible.len());
        found.is_cut |= leaf.body.len() > room.saturating_mul(ENCODED_PER_WORDS);
        let words = words(leaf, room);
        found.hidden_chars += words.hidden_chars;
        found.invisible_chars += words.invisible_chars;
        let text = words.text.trim_end();
        if !found.text.visible.is_empty() && !text.is_empty() {
            found.text.visible.push('\n');
        }
        found.text.visible.push_str(text);
    }
    found
}

/// Markup and transfer encoding are bigger than the words in them; so much more of a leaf is decoded.
const ENCODED_PER_WORDS: usize = 16;

/// What one part says.
struct Words {
    text: String,
    hidden_chars: usize,
    invisible_chars: usize,
}

fn words(leaf: &Leaf<'_>, room: usize) -> Words {
    let longest = room.saturating_mul(ENCODED_PER_WORDS);
    let encoded = leaf.body.get(..longest).unwrap_or(leaf.body);
    let bytes = uuencode::without_files(transfer::decode(encoded, &leaf.encoding));
    let is_html = leaf.kind == "text/html";
    let label = leaf.charset.clone().or_else(|| is_html.then(|| charset::of_page(&bytes)).flatten());
    let decoded = charset::decode(&bytes, label.as_deref());
    let html::Words { text, hidden_chars } = match leaf.flowed {
        _ if is_html => html::to_text(&decoded, room),
        Some(is_delsp) => html::Words { text: flowed::unfold(&decoded, is_delsp), hidden_chars: 0 },
        None => html::Words { text: decoded, hidden_chars: 0 },
    };
    let cleaned = clean::counted_lines(clean::cut_bytes(&text, room.saturating_mul(2)));
    Words { text: cleaned.text, hidden_chars, invisible_chars: cleaned.invisible_chars }
}

/// What a text attachment says, at most `room` bytes.
pub(super) fn readable(leaf: &Leaf<'_>, room: usize) -> String {
    let text = words(leaf, room).text;
    let kept = clean::cut_bytes(text.trim_end(), room);
    if kept.len() < text.trim_end().len() { format!("{kept}{CUT_NOTE}") } else { kept.to_owned() }
}

/// Plain text is used unless there is HTML and it is empty, a stub, or says far less than that (EM-109).
fn is_plain_enough(plain: &str, rich: &str) -> bool {
    let count = |text: &str| text.split_whitespace().count();
    let says_enough = || !plain.trim().is_empty() && !is_stub(plain) && count(plain) * 5 >= count(rich);
    rich.trim().is_empty() || says_enough()
}

/// "Your client does not support HTML" and its like.
fn is_stub(plain: &str) -> bool {
    let lower = clean::cut_bytes(plain, 400).to_lowercase();
    let speaks_of_html = lower.contains("html")
        && ["support", "view", "display", "unterst"].iter().any(|word| lower.contains(word));
    plain.len() < 300 && speaks_of_html
}
