//! Bytes to text: what was declared, what it evidently is, and never a failure (EM-111, EM-112).

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use mail_parser::decoders::charsets::map::charset_decoder;

/// Labels that mails use and neither decoder table knows.
const ALIASES: [(&str, &str); 9] = [
    ("cp949", "euc-kr"),
    ("cp-850", "cp850"),
    ("cp932", "shift_jis"),
    ("ms932", "shift_jis"),
    ("cp936", "gbk"),
    ("cp950", "big5"),
    ("utf8mb4", "utf-8"),
    ("unicode-1-1-utf-7", "utf-7"),
    ("iso-2022-jp-ms", "iso-2022-jp"),
];

/// Labels under which anything is sent: what the bytes look like is believed over them.
const OFTEN_WRONG: [&str; 9] = [
    "",
    "us-ascii",
    "ascii",
    "iso-8859-1",
    "latin1",
    "windows-1252",
    "unknown-8bit",
    "x-unknown",
    "ansi_x3.4-1968",
];

/// Byte order marks and what follows them.
const MARKS: [(&[u8], &Encoding); 3] =
    [(b"\xEF\xBB\xBF", UTF_8), (b"\xFF\xFE", UTF_16LE), (b"\xFE\xFF", UTF_16BE)];

/// How many bytes the detector looks at.
const MOST_DETECTED: usize = 64 * 1024;

/// The text of `bytes`: by its mark, its label, or else by what it looks like.
pub(super) fn decode(bytes: &[u8], label: Option<&str>) -> String {
    for (mark, encoding) in MARKS {
        if let Some(rest) = bytes.strip_prefix(mark) {
            return encoding.decode_without_bom_handling(rest).0.into_owned();
        }
    }
    let label = label.unwrap_or("").trim().trim_matches(['"', '\'']).to_ascii_lowercase();
    let label = ALIASES.iter().find(|(alias, _)| *alias == label).map_or(label.as_str(), |(_, known)| known);
    if OFTEN_WRONG.contains(&label) {
        return undeclared(bytes, label);
    }
    match (Encoding::for_label_no_replacement(label.as_bytes()), charset_decoder(label.as_bytes())) {
        (Some(encoding), _) => declared(bytes, encoding),
        (None, Some(decode)) => decode(bytes),
        (None, None) => undeclared(bytes, label),
    }
}

/// The charset that `bytes` look like; UTF-8 when they are.
pub(super) fn guess(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0x1B) {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes.get(..MOST_DETECTED).unwrap_or(bytes), true);
    detector.guess(None, Utf8Detection::Allow)
}

/// What `<meta charset>` near the start of a page says.
pub(super) fn of_page(html: &[u8]) -> Option<String> {
    let start = String::from_utf8_lossy(html.get(..2048).unwrap_or(html)).to_ascii_lowercase();
    let (_, after) = start.split_once("charset=")?;
    let label: String = after
        .trim_start_matches(['"', '\'', ' '])
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "-_.:".contains(*c))
        .collect();
    (!label.is_empty()).then_some(label)
}

/// A latin label is kept for bytes that could be anything; detectors take short latin texts for others.
fn undeclared(bytes: &[u8], label: &str) -> String {
    let is_latin = matches!(label, "iso-8859-1" | "latin1" | "windows-1252");
    // What a latin label can be wrong about shows without the detector, which is slow.
    let is_doubtful = !is_latin || bytes.contains(&0x1B) || std::str::from_utf8(bytes).is_ok();
    let guessed = if is_doubtful { guess(bytes) } else { encoding_rs::WINDOWS_1252 };
    let is_believed = !is_latin || guessed == UTF_8 || guessed.name() == "ISO-2022-JP";
    let encoding = if is_believed { guessed } else { encoding_rs::WINDOWS_1252 };
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// The label is believed unless much of the text is broken under it and nothing is under another.
fn declared(bytes: &[u8], encoding: &'static Encoding) -> String {
    let (text, is_broken) = encoding.decode_without_bom_handling(bytes);
    if !is_broken {
        return text.into_owned();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let broken = text.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count();
    let foreign = text.chars().filter(|c| !c.is_ascii()).count();
    let (other, is_other_broken) = guess(bytes).decode_without_bom_handling(bytes);
    let is_wrong = broken * 10 > foreign && !is_other_broken;
    if is_wrong { other.into_owned() } else { text.into_owned() }
}
