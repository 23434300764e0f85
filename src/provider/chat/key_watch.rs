//! Keeps the key from coming back in an answer: some servers repeat what they were sent, whole or word by word.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// Shorter "keys" are those of local servers, and ordinary words.
const SHORTEST: usize = 8;
/// So much of the beginning of a key is not passed on before it is clear how it goes on; less is shown in lists too.
const BEGINNING: usize = 16;
/// Places of a piece whose texts are put together over pieces; real answers have a few.
const MOST_PLACES: usize = 64;

/// What an answer has of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// Nothing.
    Nothing,
    /// Its beginning, at the end of what came so far.
    Beginning,
    /// All of it.
    Key,
}

/// Looks at one answer, piece by piece.
pub(super) struct KeyWatch {
    key: SecretString,
    /// The last text of each place, as long as it could be the beginning of the key.
    tails: BTreeMap<String, String>,
}

impl KeyWatch {
    pub(super) fn new(key: &SecretString) -> Self {
        Self { key: key.clone(), tails: BTreeMap::new() }
    }

    /// What there is of the key once this piece is added.
    pub(super) fn look(&mut self, piece: &Value) -> Seen {
        let key = self.key.expose_secret();
        if key.len() < SHORTEST {
            return Seen::Nothing;
        }
        // Names of fields as well.
        if piece.to_string().contains(key) || add_texts(&mut self.tails, piece, String::new(), key) {
            return Seen::Key;
        }
        let is_beginning = |tail: &String| {
            (BEGINNING..key.len()).any(|length| key.get(..length).is_some_and(|start| tail.ends_with(start)))
        };
        if self.tails.values().any(is_beginning) { Seen::Beginning } else { Seen::Nothing }
    }
}

/// Adds every text to the tail of its place; whether one has the key in it then.
fn add_texts(tails: &mut BTreeMap<String, String>, piece: &Value, place: String, key: &str) -> bool {
    match piece {
        Value::String(text) => add_text(tails, text, place, key),
        Value::Array(items) => {
            items.iter().enumerate().any(|(at, item)| add_texts(tails, item, format!("{place}/{at}"), key))
        }
        Value::Object(fields) => {
            fields.iter().any(|(name, field)| add_texts(tails, field, format!("{place}/{name}"), key))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn add_text(tails: &mut BTreeMap<String, String>, text: &str, place: String, key: &str) -> bool {
    if tails.len() >= MOST_PLACES && !tails.contains_key(&place) {
        return text.contains(key);
    }
    let tail = tails.entry(place).or_default();
    tail.push_str(text);
    let has_key = tail.contains(key);
    let mut start = tail.len().saturating_sub(key.len());
    while !tail.is_char_boundary(start) {
        start += 1;
    }
    tail.drain(..start);
    has_key
}
