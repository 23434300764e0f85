//! The header block: its fields in order, as many as the caps allow (EM-107, EM-130, EM-131).

use super::charset;
use super::content_type;
use super::encoded_words;
use super::limits::Limits;

/// The fields of one header block, names in lower case, values unfolded and readable but not decoded.
///
/// Fields of the same name are all kept, because "the last one" hides the others (CT-7).
#[derive(Clone, Default)]
pub struct Fields {
    fields: Vec<Field>,
    is_cut: bool,
}

#[derive(Clone)]
struct Field {
    name: String,
    value: String,
}

impl Fields {
    /// The value of the first field of that name (lower case).
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// The value of the last field of that name.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.all(name).last()
    }

    /// The values of every field of that name, from the top.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| field.value.as_str())
    }

    /// Every field as name and value, from the top.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (field.name.as_str(), field.value.as_str()))
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Whether fields were left out because the block was beyond a cap.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }
}

struct RawField<'a> {
    name: &'a [u8],
    value: Vec<u8>,
}

/// Mails of old Macintosh programs end their lines with CR alone (EM-130).
pub(super) fn with_line_feeds(raw: &[u8]) -> Option<Vec<u8>> {
    let is_cr_only = !raw.contains(&b'\n') && raw.contains(&b'\r');
    is_cr_only.then(|| raw.iter().map(|byte| if *byte == b'\r' { b'\n' } else { *byte }).collect())
}

/// Splits `raw` into its header block and the body; a line that is no field ends the block and begins the body.
pub(super) fn split<'a>(raw: &'a [u8], limits: &Limits) -> (Fields, &'a [u8]) {
    let mut rest = raw.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(raw);
    let mut fields: Vec<RawField<'_>> = Vec::new();
    let (mut seen_bytes, mut is_cut) = (0_usize, false);
    while !rest.is_empty() {
        let (line, after) = next_line(rest);
        if line.is_empty() {
            rest = after;
            break;
        }
        seen_bytes = seen_bytes.saturating_add(rest.len() - after.len());
        let is_continuation = line.starts_with(b" ") || line.starts_with(b"\t");
        match name_and_value(line) {
            _ if is_mbox_mark(line, fields.is_empty()) => {}
            _ if seen_bytes > limits.header_bytes => is_cut = true,
            _ if is_continuation && !fields.is_empty() => {
                if !is_cut && let Some(last) = fields.last_mut() {
                    last.value.extend_from_slice(line);
                }
            }
            Some(_) if fields.len() >= limits.header_fields => is_cut = true,
            Some((name, value)) => fields.push(RawField { name, value: value.to_vec() }),
            None => break,
        }
        rest = after;
    }
    (readable(fields, is_cut), rest)
}

/// A value as a parser of single fields wants it: without line breaks, with a line end, and with its encoded words
/// [`encoded_words::marked`].
pub(super) fn one_line(value: &str) -> String {
    encoded_words::marked(value.replace(['\r', '\n'], " ")) + "\n"
}

/// The first line without its line end, and what follows.
pub(super) fn next_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let (line, after) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    (line.strip_suffix(b"\r").unwrap_or(line), after.strip_prefix(b"\n").unwrap_or(after))
}

fn name_and_value(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let (name, value) = line.split_at_checked(colon)?;
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
    is_name.then(|| (name, value.strip_prefix(b":").unwrap_or(value)))
}

/// The line that mbox files put before a mail, or its quoted form within a block.
fn is_mbox_mark(line: &[u8], is_first: bool) -> bool {
    line.starts_with(b">From ") || (is_first && line.starts_with(b"From "))
}

/// Raw 8-bit values are UTF-8, else in the charset of the body, else in what they all together look like (EM-112).
fn readable(raw: Vec<RawField<'_>>, is_cut: bool) -> Fields {
    let is_utf8 = |field: &&RawField<'_>| std::str::from_utf8(&field.value).is_ok();
    let strange: Vec<u8> =
        raw.iter().filter(|field| !is_utf8(field)).flat_map(|field| field.value.clone()).collect();
    let charset = if strange.is_empty() { String::new() } else { charset_of(&strange, &raw) };
    let fields = raw.into_iter().map(|field| {
        let value = match String::from_utf8(field.value) {
            Ok(value) => value,
            Err(error) => charset::decode(error.as_bytes(), Some(&charset)),
        };
        let name = String::from_utf8_lossy(field.name).to_ascii_lowercase();
        Field { name, value: encoded_words::joined(value) }
    });
    Fields { fields: fields.collect(), is_cut }
}

fn charset_of(strange: &[u8], raw: &[RawField<'_>]) -> String {
    let declared = raw.iter().find(|field| field.name.eq_ignore_ascii_case(b"content-type"));
    let declared =
        declared.and_then(|field| content_type::read(&String::from_utf8_lossy(&field.value)).charset());
    declared.filter(|label| label != "utf-8").unwrap_or_else(|| charset::guess(strange).name().to_owned())
}
