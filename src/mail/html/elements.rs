//! What the HTML standard says about single elements, as far as text needs it.

/// Elements whose text is not for readers.
pub(super) const DROPPED: [&str; 16] = [
    "title", "style", "script", "template", "noscript", "textarea", "svg", "math", "select", "iframe",
    "noframes", "noembed", "audio", "video", "canvas", "datalist",
];

/// Elements without content: they have no closing tag to wait for.
pub(super) const VOID: [&str; 15] = [
    "area", "base", "basefont", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param",
    "source", "track", "wbr",
];

const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "center",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "ul",
];

const TABLE: [&str; 9] = ["table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "colgroup"];

/// Elements that stand on lines of their own.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.contains(&name)
}

/// Tables and their parts.
pub(super) fn is_table(name: &str) -> bool {
    TABLE.contains(&name)
}

/// An element that ends, and those that keep it from ending.
type Ended = (&'static str, &'static [&'static str]);

/// Which open elements a start tag ends without an end tag of theirs (WHATWG HTML 13.2.6.4).
pub(super) fn implied_ends(name: &str) -> &'static [Ended] {
    const LISTS: &[&str] = &["ul", "ol", "dl", "table", "td", "th"];
    const ROWS: &[&str] = &["table"];
    const PARAGRAPHS: &[&str] = &["table", "td", "th", "caption", "button", "object"];
    const FOREIGN: &[Ended] = &[("p", PARAGRAPHS), ("svg", PARAGRAPHS), ("math", PARAGRAPHS)];
    match name {
        "li" => &[("li", LISTS), ("p", PARAGRAPHS)],
        "dt" | "dd" => &[("dt", LISTS), ("dd", LISTS), ("p", PARAGRAPHS)],
        "td" | "th" => &[("td", ROWS), ("th", ROWS)],
        "tr" => &[("td", ROWS), ("th", ROWS), ("tr", ROWS)],
        "thead" | "tbody" | "tfoot" => &[("tr", ROWS), ("thead", ROWS), ("tbody", ROWS), ("tfoot", ROWS)],
        "option" => &[("option", &["select"])],
        "a" => &[("a", PARAGRAPHS)],
        _ if is_block(name) || matches!(name, "table" | "hr") => FOREIGN,
        _ => &[],
    }
}
