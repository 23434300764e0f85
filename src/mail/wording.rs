//! The owner's own words for the line that says who answers (SR-88): its wording may be chosen, its content may not.

use super::clean;
use super::disclosure::LONGEST_NAME;

/// Longest wording, in characters.
const LONGEST: usize = 300;
/// Stands where the owner's name belongs.
const OWNER: &str = "{owner}";
/// What a correspondent writes to reach a person (SR-90).
const HUMAN: &str = "HUMAN";

/// What an artificial intelligence is called in the languages that we speak: whole words, in lower case.
const ARTIFICIAL_WORDS: [&str; 5] = ["ai", "ia", "ki", "mi", "ші"];
/// The same where the name is part of a word, or more than one: in lower case.
const ARTIFICIAL_PARTS: [&str; 15] = [
    "artificial intelligence",
    "tekoäly",
    "sztucznej inteligencji",
    "sztuczna inteligencja",
    "umělá inteligence",
    "umělé inteligence",
    "yapay zek",
    "τεχνητή",
    "искусственн",
    "штучн",
    "人工智能",
    "人工知能",
    "인공지능",
    "ذكاء اصطناعي",
    "בינה מלאכותית",
];

/// A wording that says all that has to be said; `{owner}` stands for whom the agent acts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording(String);

/// Why a text cannot be the line that says who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordingFault {
    /// It is empty, too long, or of several lines.
    #[error("must be one line of 1 to {LONGEST} characters")]
    Form,
    /// It does not say for whom the agent acts.
    #[error("must name for whom the agent answers: write {OWNER} where the name belongs")]
    NoOwner,
    /// It does not say that it is a program.
    #[error("must say that an AI has written the answer")]
    NoArtificial,
    /// It does not say how to reach a person.
    #[error("must offer the word {HUMAN}, by which a correspondent reaches a person")]
    NoHuman,
}

impl Wording {
    /// Reads a wording.
    ///
    /// # Errors
    /// What is missing in it.
    pub fn parse(text: &str) -> Result<Self, WordingFault> {
        let line = clean::line(text);
        if line.is_empty() || line != text || line.chars().count() > LONGEST {
            return Err(WordingFault::Form);
        }
        if !line.contains(OWNER) {
            return Err(WordingFault::NoOwner);
        }
        if !is_artificial(&line.replace(OWNER, " ")) {
            return Err(WordingFault::NoArtificial);
        }
        if !line.contains(HUMAN) {
            return Err(WordingFault::NoHuman);
        }
        Ok(Self(line))
    }

    /// The text that it was read from.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The line for an owner of this name.
    pub fn of_owner(&self, name: &str) -> String {
        self.0.replace(OWNER, &clean::cut_chars(&clean::line(name), LONGEST_NAME))
    }

    /// The text without this line at its end, as [`super::without_disclosure`].
    pub fn cut<'a>(&self, text: &'a str, name: &str) -> &'a str {
        text.trim_end().strip_suffix(self.of_owner(name).as_str()).unwrap_or(text).trim_end()
    }
}

fn is_artificial(line: &str) -> bool {
    let lower = line.to_lowercase();
    let is_word = |word: &str| ARTIFICIAL_WORDS.contains(&word);
    // No white space tells the words of some scripts apart: `AIシステム`.
    lower.split(|c: char| !c.is_alphanumeric()).any(is_word)
        || lower.split(|c: char| !c.is_ascii_alphanumeric()).any(|piece| piece == "ai")
        || ARTIFICIAL_PARTS.iter().any(|part| lower.contains(part))
}
