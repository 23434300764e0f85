//! The line that says who answers (SR-88, EM-59).

use super::clean;
use super::language::Language;

/// Longest owner name shown, in characters.
pub(super) const LONGEST_NAME: usize = 80;

/// "This answer was written by an AI system on behalf of ..." in this language, for an owner of that name.
///
/// A name that is empty after cleaning is written as `the owner of this mailbox`: the line itself is never left out.
pub fn disclosure(owner_name: &str, language: Language) -> String {
    let words = language.own_words();
    let name = clean::cut_chars(&clean::line(owner_name), LONGEST_NAME);
    let owner = if name.is_empty() { words.nameless_owner } else { &name };
    format!("{}{owner}{}", words.before_owner, words.after_owner)
}

/// The text without the disclosure at its end, so that a model that reads our earlier answers does not learn to
/// write it too.
pub fn without_disclosure(text: &str) -> &str {
    let text = text.trim_end();
    let (words, last) = text.rsplit_once('\n').unwrap_or(("", text));
    if is_disclosure(last) { words.trim_end() } else { text }
}

fn is_disclosure(line: &str) -> bool {
    Language::all().map(Language::own_words).any(|words| {
        let rest = line.strip_prefix(words.before_owner);
        rest.is_some_and(|rest| rest.ends_with(words.after_owner))
    })
}
