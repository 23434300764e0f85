//! The MIME tree, flattened to its leaves, with the caps on parts and depth (EM-106, EM-107, EM-128).

use std::borrow::Cow;

use super::content_type::{self, ContentType};
use super::fields::{self, Fields};
use super::limits::Limits;

/// One part that is no container. An attached mail (`message/rfc822`) is a leaf: what is in it is not this mail (EM-128).
pub(super) struct Leaf<'a> {
    /// Such as `text/plain`.
    pub(super) kind: String,
    /// The declared charset.
    pub(super) charset: Option<String>,
    /// The file name, as declared.
    pub(super) name: Option<String>,
    /// Whether the part declares itself an attachment.
    pub(super) is_attachment: bool,
    /// The transfer encoding in lower case.
    pub(super) encoding: String,
    /// Still encoded.
    pub(super) body: &'a [u8],
    /// Whether an alternative to it may stand beside it.
    pub(super) in_alternative: bool,
    /// Whether it is shown within the text, such as a picture.
    pub(super) is_inline: bool,
    /// `format=flowed` (RFC 3676), and whether the space before a break is part of the break.
    pub(super) flowed: Option<bool>,
    /// Whether it carries words of the mail and is no file (EM-109).
    pub(super) is_body: bool,
}

/// The leaves in the order of reading.
pub(super) struct Structure<'a> {
    /// The kind that the mail's own header declares.
    pub(super) root_kind: String,
    /// At most [`Limits::parts`].
    pub(super) leaves: Vec<Leaf<'a>>,
    /// Whether parts were left out.
    pub(super) is_cut: bool,
}

/// A part still to be looked at.
struct Pending<'f, 'a> {
    fields: Cow<'f, Fields>,
    body: &'a [u8],
    depth: usize,
    in_alternative: bool,
    default_kind: &'static str,
}

/// Walks the tree without recursion, so that depth costs no stack.
pub(super) fn walk<'a>(root: &Fields, body: &'a [u8], limits: &Limits) -> Structure<'a> {
    let root_kind = content_type::kind(root.first("content-type").unwrap_or(""));
    let mut structure = Structure { root_kind, leaves: Vec::new(), is_cut: false };
    let first = Pending {
        fields: Cow::Borrowed(root),
        body,
        depth: 0,
        in_alternative: false,
        default_kind: "text/plain",
    };
    let (mut pending, mut seen) = (vec![first], 0_usize);
    while let Some(part) = pending.pop() {
        seen += 1;
        if seen > limits.parts {
            structure.is_cut = true;
            break;
        }
        let declared = content_type::read(part.fields.first("content-type").unwrap_or(""));
        match boundary(&declared) {
            Some(_) if part.depth >= limits.depth => structure.is_cut = true,
            Some(boundary) => {
                let room = limits.parts.saturating_sub(seen);
                let (children, is_cut) = children(&part, &declared, boundary, room, limits);
                structure.is_cut |= is_cut;
                pending.extend(children.into_iter().rev());
            }
            None => structure.leaves.push(leaf(&part, declared)),
        }
    }
    mark_bodies(&mut structure.leaves);
    structure
}

/// Text without a file name is the mail's words; failing that the first text that does not call itself an attachment.
fn mark_bodies(leaves: &mut [Leaf<'_>]) {
    let may_be =
        |leaf: &Leaf<'_>| matches!(leaf.kind.as_str(), "text/plain" | "text/html") && !leaf.is_attachment;
    for leaf in leaves.iter_mut() {
        leaf.is_body = may_be(leaf) && leaf.name.is_none();
    }
    if !leaves.iter().any(|leaf| leaf.is_body)
        && let Some(first) = leaves.iter_mut().find(|leaf| may_be(leaf))
    {
        first.is_body = true;
    }
}

fn boundary(declared: &ContentType) -> Option<&str> {
    let boundary = declared.parameter("boundary").filter(|boundary| !boundary.is_empty());
    boundary.filter(|_| declared.kind.starts_with("multipart/"))
}

fn children<'f, 'a>(
    part: &Pending<'f, 'a>,
    declared: &ContentType,
    boundary: &str,
    room: usize,
    limits: &Limits,
) -> (Vec<Pending<'f, 'a>>, bool) {
    let (bodies, is_cut) = split(part.body, boundary.trim_end(), room);
    let default_kind = if declared.kind == "multipart/digest" { "message/rfc822" } else { "text/plain" };
    let in_alternative = part.in_alternative || declared.kind == "multipart/alternative";
    let children = bodies.into_iter().map(|raw| {
        let (fields, body) = fields::split(raw, limits);
        Pending { fields: Cow::Owned(fields), body, depth: part.depth + 1, in_alternative, default_kind }
    });
    (children.collect(), is_cut)
}

/// The parts between the boundary lines, at most `room`; a missing last boundary is forgiven (RFC 2046 section 5.1.1).
fn split<'a>(body: &'a [u8], boundary: &str, room: usize) -> (Vec<&'a [u8]>, bool) {
    let mut parts = Vec::new();
    let (mut rest, mut part): (&[u8], Option<&'a [u8]>) = (body, None);
    while !rest.is_empty() {
        let (line, after) = fields::next_line(rest);
        if let Some(is_last) = boundary_line(line, boundary) {
            if parts.len() >= room {
                return (parts, true);
            }
            parts.extend(part.map(|start| without_end(start, rest)));
            part = (!is_last).then_some(after);
            if is_last {
                break;
            }
        }
        rest = after;
    }
    if parts.len() >= room {
        return (parts, part.is_some());
    }
    parts.extend(part);
    (parts, false)
}

/// `Some(true)` for the closing line.
fn boundary_line(line: &[u8], boundary: &str) -> Option<bool> {
    let tail = line.strip_prefix(b"--")?.strip_prefix(boundary.as_bytes())?.trim_ascii_end();
    match tail {
        b"" => Some(false),
        b"--" => Some(true),
        _ => None,
    }
}

/// What of `start` stands before `rest` (its own tail), without the line end that belongs to the boundary.
fn without_end<'a>(start: &'a [u8], rest: &[u8]) -> &'a [u8] {
    let part = start.get(..start.len().saturating_sub(rest.len())).unwrap_or(start);
    let part = part.strip_suffix(b"\n").unwrap_or(part);
    part.strip_suffix(b"\r").unwrap_or(part)
}

fn leaf<'a>(part: &Pending<'_, 'a>, declared: ContentType) -> Leaf<'a> {
    let disposition = content_type::read(part.fields.first("content-disposition").unwrap_or(""));
    let name = disposition.parameter("filename").or_else(|| declared.parameter("name"));
    let encoding = part.fields.first("content-transfer-encoding").unwrap_or("");
    let encoding = encoding.split([';', '(']).next().unwrap_or("").trim().to_ascii_lowercase();
    let is_flowed = declared.parameter("format").is_some_and(|format| format.eq_ignore_ascii_case("flowed"));
    let is_delsp = declared.parameter("delsp").is_some_and(|delsp| delsp.eq_ignore_ascii_case("yes"));
    Leaf {
        name: name.map(str::to_owned),
        flowed: is_flowed.then_some(is_delsp),
        is_inline: disposition.kind == "inline" || part.fields.has("content-id"),
        is_body: false,
        is_attachment: disposition.kind == "attachment",
        charset: declared.charset(),
        kind: if is_leaf_kind(&declared.kind) { declared.kind } else { part.default_kind.to_owned() },
        encoding,
        body: part.body,
        in_alternative: part.in_alternative,
    }
}

/// An unreadable kind, or a container that names no boundary, is read as what the place expects (EM-131).
fn is_leaf_kind(kind: &str) -> bool {
    kind.contains('/') && !kind.starts_with("multipart/")
}
