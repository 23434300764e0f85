//! The document's texts as HTML.

use serde_json::Value;

/// Its paragraphs.
pub(super) fn paragraphs(value: Option<&Value>) -> String {
    let text = value.and_then(Value::as_str).unwrap_or_default();
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    paragraphs.map(|paragraph| format!("<p>{}</p>\n", marked(paragraph))).collect()
}

/// One line of text, with what stands between backticks marked as code.
pub(super) fn line(value: Option<&Value>) -> String {
    marked(value.and_then(Value::as_str).unwrap_or_default())
}

/// Code.
pub(super) fn code(text: &str) -> String {
    format!("<code>{}</code>", escape(text))
}

/// A text that means nothing to a browser.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn marked(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { code(part) } else { escape(part) }).collect()
}
