//! `Re: ` once, whatever language the last answer was written in (EM-50, EM-51).

use super::super::clean;
use super::super::language::Language;

/// Longest subject, in characters (EM-51).
const LONGEST: usize = 200;

/// Words that mean "answer", in lower case; what means "forwarded" stays where it is (EM-50).
const REPLY_WORDS: [&str; 24] = [
    "re",
    "aw",
    "antw",
    "sv",
    "vs",
    "ref",
    "rif",
    "r",
    "odp",
    "ynt",
    "vá",
    "va",
    "σχετ",
    "atb",
    "res",
    "rép",
    "rep",
    "回复",
    "答复",
    "回覆",
    "отв",
    "ответ",
    "תשובה",
    "رد",
];

/// The subject of an answer to a mail with that subject; always one clean line that begins with `Re: `. That there is
/// none is said in `language`.
pub(super) fn reply_subject(parent: &str, language: Language) -> String {
    let cleaned = clean::line(parent);
    let mut rest = cleaned.as_str();
    while let Some(stripped) = without_reply_prefix(rest) {
        rest = stripped;
    }
    let rest = if rest.is_empty() { language.own_words().no_subject } else { rest };
    // An encoded word left over in decoded text would be decoded a second time by the reader's program.
    clean::cut_chars(&format!("Re: {rest}").replace("=?", "= ?"), LONGEST).trim_end().to_owned()
}

/// What follows one prefix such as `Re:`, `AW :`, `Re[2]:`, `RE^3:` or `回复：`.
fn without_reply_prefix(subject: &str) -> Option<&str> {
    let (prefix, rest) = subject.split_once([':', '：'])?;
    let word = prefix.split(['[', '(', '^']).next().unwrap_or("").trim_end().to_lowercase();
    let is_reply = prefix.len() <= 24 && REPLY_WORDS.contains(&word.as_str());
    is_reply.then(|| rest.trim_start())
}
