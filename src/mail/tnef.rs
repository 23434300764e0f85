//! Names and sizes of the files within a `winmail.dat` (MS-OXTNEF, EM-125). The files themselves are not unpacked.

use super::charset;

/// The first four bytes, in little endian order.
const SIGNATURE: u32 = 0x223E_9F78;

/// `attAttachRendData`: a new file begins.
const RENDERING: u32 = 0x0006_9002;
/// `attAttachTitle`: its short name.
const TITLE: u32 = 0x0001_8010;
/// `attAttachData`: its content.
const DATA: u32 = 0x0006_800F;
/// `attAttachment`: its properties.
const PROPERTIES: u32 = 0x0006_9005;
/// `attOemCodepage`: the charset of names that are not in Unicode.
const CODEPAGE: u32 = 0x0006_9007;

/// `PidTagAttachLongFilename`, the whole name.
const LONG_NAME: u16 = 0x3707;
/// `PidTagDisplayName`, which mails that were attached carry.
const DISPLAY_NAME: u16 = 0x3001;

/// Most files that are listed.
const MOST_FILES: usize = 100;

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    /// As declared, empty when there is none.
    pub(super) name: String,
    /// Size of the content.
    pub(super) bytes: usize,
}

/// The files of `bytes`; none when they are no TNEF, and those before a damaged place otherwise.
pub(super) fn files(bytes: &[u8]) -> Vec<File> {
    let mut reader = Reader { rest: bytes };
    let mut found = Found::default();
    if reader.u32() == Some(SIGNATURE) && reader.u16().is_some() {
        while found.files.len() <= MOST_FILES && found.attribute(&mut reader).is_some() {}
    }
    found.files.truncate(MOST_FILES);
    found.files
}

#[derive(Default)]
struct Found {
    files: Vec<File>,
    charset: Option<String>,
    has_long_name: bool,
}

impl Found {
    /// Reads one attribute: level, id, length, data, checksum.
    fn attribute(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        reader.take(1)?;
        let id = reader.u32()?;
        let length = usize::try_from(reader.u32()?).ok()?;
        let data = reader.take(length)?;
        reader.take(2)?;
        match id {
            RENDERING => {
                self.files.push(File::default());
                self.has_long_name = false;
            }
            CODEPAGE => self.charset = Reader { rest: data }.u32().map(|page| format!("windows-{page}")),
            TITLE if !self.has_long_name => {
                let name = charset::decode(until_zero(data), self.charset.as_deref());
                self.name(name);
            }
            DATA => self.bytes(data.len()),
            PROPERTIES => self.properties(Reader { rest: data }).unwrap_or_default(),
            _ => {}
        }
        Some(())
    }

    fn name(&mut self, name: String) {
        if let Some(file) = self.files.last_mut().filter(|_| !name.is_empty()) {
            file.name = name;
        }
    }

    fn bytes(&mut self, bytes: usize) {
        if let Some(file) = self.files.last_mut() {
            file.bytes = bytes;
        }
    }

    /// Looks for the long name among the properties of a file.
    fn properties(&mut self, mut reader: Reader<'_>) -> Option<()> {
        for _ in 0..reader.u32()?.min(1000) {
            let (id, values) = property(&mut reader)?;
            let has_name = self.files.last().is_some_and(|file| !file.name.is_empty());
            let is_better = id == LONG_NAME || (id == DISPLAY_NAME && !has_name);
            if let Some(Text { bytes, is_wide }) = values.filter(|_| is_better) {
                let label = if is_wide { Some("utf-16le") } else { self.charset.as_deref() };
                let name = charset::decode(bytes, label).trim_end_matches('\0').to_owned();
                self.has_long_name |= id == LONG_NAME && !name.is_empty();
                self.name(name);
            }
        }
        Some(())
    }
}

/// A text value.
struct Text<'a> {
    bytes: &'a [u8],
    is_wide: bool,
}

/// Reads one property: its id, and its value when that is one text (MS-OXTNEF section 2.1.3.4).
fn property<'a>(reader: &mut Reader<'a>) -> Option<(u16, Option<Text<'a>>)> {
    let kind = reader.u16()?;
    let id = reader.u16()?;
    if id >= 0x8000 {
        skip_name(reader)?;
    }
    let is_list = kind & 0x1000 != 0;
    let size: usize = match kind & 0x0FFF {
        0x0002 | 0x0003 | 0x0004 | 0x000A | 0x000B => 4,
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => 8,
        0x0048 => 16,
        0x000D | 0x001E | 0x001F | 0x0102 => 0,
        _ => return None,
    };
    if size > 0 {
        let count = if is_list { usize::try_from(reader.u32()?).ok()? } else { 1 };
        reader.take(size.checked_mul(count)?)?;
        return Some((id, None));
    }
    let mut value = None;
    for _ in 0..reader.u32()?.min(1000) {
        let length = usize::try_from(reader.u32()?).ok()?;
        value = Some(reader.padded(length)?);
    }
    let is_wide = kind & 0x0FFF == 0x001F;
    let is_text = is_wide || kind & 0x0FFF == 0x001E;
    Some((id, value.filter(|_| is_text).map(|bytes| Text { bytes, is_wide })))
}

/// A property with a name of its own carries it before the value.
fn skip_name(reader: &mut Reader<'_>) -> Option<()> {
    reader.take(16)?;
    if reader.u32()? == 0 {
        return reader.u32().map(|_| ());
    }
    let length = usize::try_from(reader.u32()?).ok()?;
    reader.padded(length).map(|_| ())
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)
}

/// Reads little endian numbers from the front.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(taken)
    }

    /// A value that is filled up to four bytes; the last of all may not be.
    fn padded(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let value = self.take(bytes)?;
        let padding = (4 - bytes % 4) % 4;
        self.take(padding.min(self.rest.len()))?;
        Some(value)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }
}
