//! What a file is by its first bytes, for the kinds that people are fooled with (EM-124).

/// A kind of file.
pub(super) struct FileKind {
    /// Its usual ending.
    pub(super) ending: &'static str,
    /// Other endings that are right for it; empty when any is.
    others: &'static [&'static str],
    magic: &'static [u8],
}

impl FileKind {
    /// Whether the ending of `name` fits.
    pub(super) fn allows(&self, name: &str) -> bool {
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        let is_of_another = || KINDS.iter().any(|kind| kind.others != ANY && kind.ending == ending);
        let is_any = self.others == ANY && !ending.is_empty() && !is_of_another();
        ending == self.ending || self.others.contains(&ending.as_str()) || is_any
    }
}

/// Many formats are one of these inside, and no list of their endings is whole.
const ANY: &[&str] = &["*"];

static KINDS: [FileKind; 15] = [
    FileKind { ending: "png", others: &["apng"], magic: b"\x89PNG\r\n\x1A\n" },
    FileKind { ending: "jpg", others: &["jpeg", "jpe", "jfif", "pjpeg"], magic: b"\xFF\xD8\xFF" },
    FileKind { ending: "gif", others: &[], magic: b"GIF8" },
    FileKind { ending: "pdf", others: &["ai"], magic: b"%PDF-" },
    FileKind { ending: "rtf", others: &["doc"], magic: b"{\\rtf" },
    FileKind {
        ending: "exe",
        others: &["dll", "scr", "com", "sys", "ocx", "cpl", "msix"],
        magic: b"MZ\x90\0",
    },
    FileKind { ending: "elf", others: &["so", "bin", "o", "run"], magic: b"\x7FELF" },
    FileKind { ending: "class", others: &["dylib", "bin"], magic: b"\xCA\xFE\xBA\xBE" },
    FileKind { ending: "lnk", others: &[], magic: b"L\0\0\0\x01\x14\x02\0" },
    FileKind { ending: "rar", others: &["cbr", "rev"], magic: b"Rar!\x1A\x07" },
    FileKind { ending: "7z", others: &["cb7"], magic: b"7z\xBC\xAF\x27\x1C" },
    FileKind { ending: "gz", others: ANY, magic: b"\x1F\x8B" },
    FileKind { ending: "zip", others: ANY, magic: b"PK\x03\x04" },
    FileKind { ending: "doc", others: ANY, magic: b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" },
    FileKind { ending: "tif", others: ANY, magic: b"II*\0" },
];

/// The kind of a file that begins with `bytes`; `None` when it is not one of these.
pub(super) fn of(bytes: &[u8]) -> Option<&'static FileKind> {
    KINDS.iter().find(|kind| bytes.starts_with(kind.magic))
}

/// Width and height of a GIF or PNG picture.
pub(super) fn pixels(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"GIF8") {
        let side = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
        return Some((side(6)?, side(8)?));
    }
    if bytes.starts_with(b"\x89PNG") {
        let side = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        return Some((side(16)?, side(20)?));
    }
    None
}
