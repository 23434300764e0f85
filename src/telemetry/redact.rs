//! The redactor: what looks like a secret is not repeated (SR-28).
//!
//! One pass from left to right, linear, total. It knows keys by their prefixes, and secrets by the names before
//! them; it cannot know a password that stands alone, so callers still never log one.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// What stands where a secret was.
const REDACTED: &str = "[redacted]";

/// How keys and tokens begin: OpenAI, Anthropic, OpenRouter and DeepSeek (`sk-`), Groq, Google, xAI, Hugging Face,
/// Perplexity, GitHub, JWTs, and our own security tokens.
const PREFIXES: [&str; 14] = [
    "sk-",
    "sk_",
    "rk_",
    "gsk_",
    "AIza",
    "AQ.",
    "ya29.",
    "xai-",
    "hf_",
    "pplx-",
    "ghp_",
    "github_pat_",
    "eyJ",
    "pkst1.",
];

/// Finds any prefix, as far as it can stand in a word.
static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(PREFIXES.map(|prefix| prefix.trim_end_matches('.'))).ok());

/// Characters that must follow a prefix at the start of a word.
const SHORTEST_KEY: usize = 8;

/// Characters, with a digit among them, that must follow a prefix inside a word: `disk-pressure` is no key.
const SHORTEST_GLUED_KEY: usize = 16;

/// Names whose value is everything up to the end of the line or the quoted text, such as `Bearer <token>`.
const LINES: [&str; 5] = ["authorization", "proxy-authorization", "cookie", "set-cookie", "postkey_keks"];

/// Names whose value is one word.
const NAMES: [&str; 21] = [
    "x-api-key",
    "api-key",
    "api_key",
    "apikey",
    "x-goog-api-key",
    "password",
    "passwd",
    "pass",
    "secret",
    "client_secret",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "code_verifier",
    "imap_password",
    "smtp_password",
    "dek",
    "kek",
    "private_key",
    "key",
];

/// The text without what looks like a secret: keys, tokens, values of named secrets, passwords in URLs.
pub fn redact(text: &str) -> String {
    let mut pass = Pass::over(text);
    pass.out.reserve(text.len());
    while !pass.rest.is_empty() {
        pass.step();
    }
    pass.out
}

/// Whether something in the text looks like a key or token by itself.
pub fn holds_key(text: &str) -> bool {
    let mut pass = Pass::over(text);
    while pass.has_prefix && !pass.rest.is_empty() {
        let word = pass.take(is_word);
        if before_key(word, pass.rest, false).is_some() {
            return true;
        }
        pass.take(|character| !is_word(character));
    }
    false
}

struct Pass<'a> {
    rest: &'a str,
    out: String,
    /// Whether any word holds the beginning of a key.
    has_prefix: bool,
    /// Whether a backslash was the last character, so that the next one belongs to it (`\n`).
    escaped: bool,
}

impl<'a> Pass<'a> {
    fn over(text: &'a str) -> Self {
        Self { rest: text, out: String::new(), has_prefix: has_prefix(text), escaped: false }
    }

    /// One word, or one character between words.
    fn step(&mut self) {
        let word = self.take(is_word);
        if !word.is_empty() {
            self.word(word);
            self.escaped = false;
        } else if let Some(userinfo) = self.rest.strip_prefix("://").and_then(userinfo) {
            self.out.push_str("://");
            self.out.push_str(REDACTED);
            self.rest = userinfo;
        } else if let Some(character) = self.rest.chars().next() {
            self.escaped = character == '\\' && !self.escaped;
            self.out.push(character);
            self.rest = self.rest.get(character.len_utf8()..).unwrap_or_default();
        }
    }

    fn word(&mut self, word: &'a str) {
        if self.has_prefix
            && let Some(before) = before_key(word, self.rest, self.escaped)
        {
            self.out.push_str(before);
            self.out.push_str(REDACTED);
            self.take(is_key);
            return;
        }
        self.out.push_str(word);
        let is_one_of = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
        if is_one_of(&["bearer", "basic"]) {
            self.credentials();
        } else if is_one_of(&LINES) {
            self.value(|character| !matches!(character, '\n' | '\r' | '"' | '\'' | '\\'));
        } else if is_one_of(&NAMES) {
            self.value(is_value);
        }
    }

    /// What follows `Bearer`; short words are prose.
    fn credentials(&mut self) {
        let Some(rest) = self.rest.strip_prefix(' ') else { return };
        let end = rest.find(|character| !is_value(character)).unwrap_or(rest.len());
        if end >= SHORTEST_KEY {
            self.out.push(' ');
            self.out.push_str(REDACTED);
            self.rest = rest.get(end..).unwrap_or_default();
        }
    }

    /// What follows a name and `=` or `:`, in any mix of quotes.
    fn value(&mut self, belongs: fn(char) -> bool) {
        let start = self.rest;
        let before = self.take(is_padding);
        let sign = self.take(|character| matches!(character, '=' | ':'));
        let after = self.take(is_padding);
        if sign.is_empty() || self.take(belongs).is_empty() {
            self.rest = start;
            return;
        }
        [before, sign, after].iter().for_each(|part| self.out.push_str(part));
        // A bare number in JSON must stay a value of JSON.
        let quoted = before.contains('"') && !after.contains('"');
        let quote = if quoted { "\"" } else { "" };
        [quote, REDACTED, quote].iter().for_each(|part| self.out.push_str(part));
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !belongs(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }
}

/// Whether a prefix stands anywhere in a text. Nearly all words, and most lines, hold none at all.
fn has_prefix(text: &str) -> bool {
    FINDER.as_ref().is_none_or(|finder| finder.is_match(text))
}

/// What stands before a key in a word, if there is a key; `after` is the text behind the word.
fn before_key<'a>(word: &'a str, after: &str, escaped: bool) -> Option<&'a str> {
    if !has_prefix(word) {
        return None;
    }
    let found = |prefix: &str| {
        // A prefix may end with a dot, which ends the word.
        let stem = prefix.trim_end_matches('.');
        let dotted = stem.len() < prefix.len();
        word.match_indices(stem).find_map(|(index, _)| {
            let (before, key) = word.split_at_checked(index)?;
            let tail = key.strip_prefix(stem)?;
            if dotted && !(tail.is_empty() && after.starts_with('.')) {
                return None;
            }
            let tail = if dotted { after } else { tail };
            is_key_tail(tail, begins_word(before, escaped)).then_some(before)
        })
    };
    PREFIXES.iter().filter_map(|prefix| found(prefix)).min_by_key(|before| before.len())
}

fn begins_word(before: &str, escaped: bool) -> bool {
    let is_escape = escaped && before.chars().count() == 1;
    is_escape || !before.ends_with(|character: char| character.is_ascii_alphanumeric())
}

/// Looks no further than a key may matter, which keeps the pass linear.
fn is_key_tail(tail: &str, begins_word: bool) -> bool {
    let start = || tail.chars().take(4 * SHORTEST_GLUED_KEY).take_while(|character| is_key(*character));
    if begins_word {
        return start().count() >= SHORTEST_KEY;
    }
    start().count() >= SHORTEST_GLUED_KEY && start().any(|character| character.is_ascii_digit())
}

/// The rest behind user and password, if a URL has them; begins with `@`.
fn userinfo(rest: &str) -> Option<&str> {
    let ends = |character: char| {
        character.is_whitespace() || matches!(character, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '\\')
    };
    let authority = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
    rest.get(authority.rfind('@')?..)
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// A key goes on over dots, as JWTs and tokens of Google do.
fn is_key(character: char) -> bool {
    is_word(character) || character == '.'
}

fn is_value(character: char) -> bool {
    !character.is_whitespace()
        && !matches!(
            character,
            '"' | '\'' | '\\' | '&' | ',' | ';' | ')' | ']' | '}' | '>' | '(' | '[' | '{' | '<'
        )
}

fn is_padding(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\' | ' ')
}
