//! Which of our languages a text is written in, so that our own words do not stand in another (SR-88).

use std::collections::HashMap;
use std::sync::LazyLock;

use whatlang::{Detector, Lang};

use super::clean;
use super::own_words::{self, OwnWords};

/// A guess that is less sure than this is none: short texts of neighbouring languages look alike.
const SURE_ENOUGH: f64 = 0.4;
/// Bytes of a text that are looked at.
const LOOKED_AT: usize = 4096;

/// A language that we have our own words in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(&'static OwnWords);

impl Language {
    /// Spoken where the language is unknown.
    pub const ENGLISH: Self = Self(&own_words::ENGLISH);

    /// The language of the first of these texts that can be told; English if none can.
    pub fn of_first_sure(texts: &[&str]) -> Self {
        texts.iter().find_map(|text| Self::of(text)).unwrap_or(Self::ENGLISH)
    }

    /// The language of the text; `None` where it is too short to tell, or not one of ours.
    pub fn of(text: &str) -> Option<Self> {
        let text = clean::cut_bytes(text, LOOKED_AT);
        of_common_words(text).or_else(|| of_letters(text)).map(Self)
    }

    /// Every language that we speak.
    pub fn all() -> impl Iterator<Item = Self> {
        own_words::ALL.iter().map(Self)
    }

    /// The language of this tag (RFC 5646), if it is one of ours.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::all().find(|language| language.tag() == tag)
    }

    /// What it is called in English.
    pub fn english_name(self) -> &'static str {
        self.0.lang.eng_name()
    }

    /// Its tag for HTML (RFC 5646), such as `en`.
    pub fn tag(self) -> &'static str {
        self.0.tag
    }

    pub(super) fn own_words(self) -> &'static OwnWords {
        self.0
    }
}

/// The places in [`own_words::ALL`] of the languages that have a word among their common ones.
static PLACES: LazyLock<HashMap<&str, Vec<usize>>> = LazyLock::new(|| {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, words) in own_words::ALL.iter().enumerate() {
        for word in words.common_words.split_whitespace() {
            places.entry(word).or_default().push(place);
        }
    }
    places
});

/// By the words that hold sentences together: two of them tell a language, unless a neighbour has as many.
fn of_common_words(text: &str) -> Option<&'static OwnWords> {
    let lower = text.to_lowercase();
    let mut ranked = own_words::ALL.each_ref().map(|words| (0_u32, words));
    // Pieces of addresses and numbers are no words.
    for word in lower.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())) {
        for place in PLACES.get(word).into_iter().flatten() {
            if let Some((hits, _)) = ranked.get_mut(*place) {
                *hits += 1;
            }
        }
    }
    ranked.sort_by_key(|(hits, _)| std::cmp::Reverse(*hits));
    match ranked.as_slice() {
        [(most, words), (next, _), ..] if *most >= 2 && most > next => Some(words),
        _ => None,
    }
}

/// By the script, and by the letters that follow each other.
fn of_letters(text: &str) -> Option<&'static OwnWords> {
    let ours = own_words::ALL.iter().map(|words| words.lang).collect::<Vec<Lang>>();
    let guess = Detector::with_allowlist(ours).detect(text)?;
    let is_sure = guess.confidence() >= SURE_ENOUGH;
    own_words::ALL.iter().find(|words| is_sure && words.lang == guess.lang())
}
