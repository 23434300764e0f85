//! Bytes to text: what was declared, what it evidently is, and never a failure (EM-111, EM-112).

use mail_parser::decoders::charsets::map::charset_decoder;

/// Labels that mails use and the decoder table does not know.
const ALIASES: [(&str, &str); 4] =
    [("cp949", "euc-kr"), ("cp-850", "cp850"), ("x-sjis", "shift_jis"), ("cp932", "shift_jis")];

/// Labels under which UTF-8 is often sent: valid UTF-8 beyond ASCII is believed over them.
const OFTEN_WRONG: [&str; 7] =
    ["", "us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "unknown-8bit"];

/// The text of `bytes`; undeclared or unknown charsets are read as UTF-8, and failing that as windows-1252.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    if let Some(rest) = bytes.strip_prefix(b"\xEF\xBB\xBF") {
        return String::from_utf8_lossy(rest).into_owned();
    }
    let label = label.unwrap_or("").trim().trim_matches('"').to_ascii_lowercase();
    let decoder = decoder(&label);
    match std::str::from_utf8(bytes) {
        Ok(text) if decoder.is_none() || OFTEN_WRONG.contains(&label.as_str()) => text.to_owned(),
        _ => match decoder.or_else(|| charset_decoder(b"windows-1252")) {
            Some(decode) => decode(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        },
    }
}

fn decoder(label: &str) -> Option<fn(&[u8]) -> String> {
    if matches!(label, "utf-8" | "utf8") {
        return None;
    }
    let known = ALIASES.iter().find(|(alias, _)| *alias == label).map_or(label, |(_, known)| known);
    charset_decoder(known.as_bytes())
}
