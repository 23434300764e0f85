//! What is logged.

use tracing::level_filters::LevelFilter;

use super::setting::{Choice, Setting, Slot, not_empty};

/// Section `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// One line of text or of JSON per event; `text`.
    pub format: LogFormat,
    /// Directives of tracing-subscriber's `EnvFilter`; `info`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info".to_owned() }
    }
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

impl Log {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        vec![
            Setting { name: "format", slot: Slot::Choice(&mut self.format) },
            Setting { name: "filter", slot: Slot::Text(&mut self.filter, filter) },
        ]
    }
}

impl LogFormat {
    /// Its word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl Choice for LogFormat {
    fn words(&self) -> &'static [&'static str] {
        &["text", "json"]
    }

    fn word(&self) -> &'static str {
        self.as_str()
    }

    fn choose(&mut self, word: &str) -> bool {
        let found = [Self::Text, Self::Json].into_iter().find(|choice| choice.as_str() == word);
        *self = found.unwrap_or(*self);
        found.is_some()
    }
}

/// A word that stands alone is a level: any other would be taken as the one target that may still speak.
fn filter(text: &str) -> Result<(), String> {
    not_empty(text)?;
    let directives = text.split(',').map(str::trim).filter(|directive| !directive.is_empty());
    let mut bare = directives.filter(|directive| !directive.contains(['=', '[', ']']));
    match bare.find(|word| word.parse::<LevelFilter>().is_err()) {
        None => Ok(()),
        Some(word) => Err(format!(
            "has `{word}`, which is no level; write one of off, error, warn, info, debug, trace, alone or as \
             \"target=level\""
        )),
    }
}
