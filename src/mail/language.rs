//! Which of our languages a text is written in, so that our own words do not stand in another (SR-88).

use whatlang::{Detector, Lang};

use super::clean;
use super::phrases::{self, Phrases};

/// A guess that is less sure than this is none: short texts of neighbouring languages look alike.
const SURE_ENOUGH: f64 = 0.4;
/// Bytes of a text that are looked at.
const LOOKED_AT: usize = 4096;

/// A language that we have our own words in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language(&'static Phrases);

impl Language {
    /// Spoken where the language is unknown.
    pub const ENGLISH: Self = Self(&phrases::ENGLISH);

    /// The language of the first of these texts that can be told; English if none can.
    pub fn of_first_sure(texts: &[&str]) -> Self {
        texts.iter().find_map(|text| Self::of(text)).unwrap_or(Self::ENGLISH)
    }

    /// The language of the text; `None` where it is too short to tell, or not one of ours.
    pub fn of(text: &str) -> Option<Self> {
        let ours = phrases::ALL.iter().map(|phrases| phrases.lang).collect::<Vec<Lang>>();
        let guess = Detector::with_allowlist(ours).detect(clean::cut_bytes(text, LOOKED_AT))?;
        let is_sure = guess.confidence() >= SURE_ENOUGH;
        phrases::ALL.iter().find(|phrases| is_sure && phrases.lang == guess.lang()).map(Self)
    }

    /// Every language that we speak.
    pub fn all() -> impl Iterator<Item = Self> {
        phrases::ALL.iter().map(Self)
    }

    /// Its tag for HTML (RFC 5646), such as `en`.
    pub fn tag(self) -> &'static str {
        self.0.tag
    }

    pub(super) fn phrases(self) -> &'static Phrases {
        self.0
    }
}
