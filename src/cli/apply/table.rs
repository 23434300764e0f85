//! One table of the file: its keys are asked for one by one, and those that nobody asked for are faults.

use secrecy::SecretString;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::reading::{Place, Reading};
use super::{secrets, value};
use crate::config::suggestion;

/// What the file says about a setting that need not be there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Setting<T> {
    /// Nothing: it stays as it is.
    #[default]
    LeftOut,
    /// An empty text: it is taken away.
    TakenAway,
    /// This.
    Given(T),
}

impl<T: Clone> Setting<T> {
    /// What holds once the file is applied.
    pub(super) fn over(&self, stored: Option<T>) -> Option<T> {
        match self {
            Self::LeftOut => stored,
            Self::TakenAway => None,
            Self::Given(value) => Some(value.clone()),
        }
    }
}

/// A table while it is read.
pub(super) struct Table<'a> {
    reading: &'a Reading<'a>,
    place: Place,
    entries: &'a DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The whole file.
    pub(super) fn file(reading: &'a Reading<'a>, entries: &'a DeTable<'a>) -> Self {
        let place = Place { line: 1, path: String::new() };
        Self { reading, place, entries, known: Vec::new() }
    }

    /// Where this table begins.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// What the file is read with.
    pub(super) fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    /// Notes a fault of the table as a whole.
    pub(super) fn fault(&self, problem: impl Into<String>) {
        self.reading.fault(&self.place, problem);
    }

    /// Notes a fault of one key.
    pub(super) fn fault_at(&self, key: &str, problem: impl Into<String>) {
        self.reading.fault(&self.place_of(key), problem);
    }

    /// Notes what should be better at one key.
    pub(super) fn warn_at(&self, key: &str, problem: impl Into<String>) {
        self.reading.warn(&self.place_of(key), problem);
    }

    fn place_of(&self, key: &str) -> Place {
        let value = self.entries.iter().find(|(name, _)| name.get_ref() == key);
        let line = value.map_or(self.place.line, |(name, _)| self.reading.line(name.span().start));
        Place { line, ..self.place.key(key) }
    }

    /// A key that must be there; `None` after noting a fault.
    pub(super) fn need<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        if self.value(key).is_none() {
            self.fault(format!("`{key}` is missing"));
        }
        self.find(key, read)
    }

    /// A key that may be left out.
    pub(super) fn find<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        match read(self.value(key)?.get_ref()) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault_at(key, problem);
                None
            }
        }
    }

    /// A key that may be left out, or be empty to take the setting away.
    pub(super) fn setting<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Setting<T> {
        if self.value(key).is_some_and(|value| value.get_ref().as_str() == Some("")) {
            return Setting::TakenAway;
        }
        self.find(key, read).map_or(Setting::LeftOut, Setting::Given)
    }

    /// What a key says where it says something that can be read; whoever asks for the key itself notes the fault.
    pub(super) fn peek<T>(
        &self,
        key: &str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let (_, value) = self.entries.iter().find(|(name, _)| name.get_ref() == key)?;
        read(value.get_ref()).ok()
    }

    /// A secret, by reference or as it is.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<SecretString> {
        let (reading, place) = (self.reading, self.place.key(key));
        let line = reading.line(self.value(key)?.span().start);
        let place = Place { line, ..place };
        self.find(key, |written| secrets::resolve(reading, &place, &value::text(written)?))
    }

    /// A secret that must be there.
    pub(super) fn need_secret(&mut self, key: &'static str) -> Option<SecretString> {
        if self.value(key).is_none() {
            self.fault(format!("`{key}` is missing"));
        }
        self.secret(key)
    }

    /// Whether the key is there at all.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// A table in this one.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Table<'a>> {
        let value = self.value(key)?;
        let DeValue::Table(entries) = value.get_ref() else {
            self.fault_at(key, format!("must be a table, such as {key} = {{ .. }}"));
            return None;
        };
        let place = Place { line: self.reading.line(value.span().start), ..self.place.key(key) };
        Some(Self { reading: self.reading, place, entries, known: Vec::new() })
    }

    /// The entries of an array of tables; `name_key` names the key that tells people which entry it is.
    pub(super) fn tables(&mut self, key: &'static str, name_key: Option<&str>) -> Vec<Table<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(elements) = value.get_ref() else {
            self.fault_at(
                key,
                "must be written as tables: a line with its name in [[double brackets]] before each",
            );
            return Vec::new();
        };
        let found = elements.iter().enumerate().filter_map(|(index, element)| {
            let line = self.reading.line(element.span().start);
            let path = self.place.key(&format!("{key}[{index}]")).path;
            let DeValue::Table(entries) = element.get_ref() else {
                self.reading.fault(&Place { line, path }, "must be a table");
                return None;
            };
            let name = name_key.and_then(|name_key| name_of(entries, name_key)).unwrap_or_default();
            let place = Place { line, path: format!("{path}{name}") };
            Some(Self { reading: self.reading, place, entries, known: Vec::new() })
        });
        found.collect()
    }

    /// Notes every key that was not asked for.
    pub(super) fn finish(self) {
        for (key, _) in self.entries {
            let name = key.get_ref().as_ref();
            if !self.known.contains(&name) {
                let known = self.known.iter().map(|known| (*known).to_owned());
                let line = self.reading.line(key.span().start);
                let problem = format!("unknown key `{}`{}", name.escape_debug(), suggestion(name, known));
                self.reading.fault(&Place { line, ..self.place.clone() }, problem);
            }
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }
}

/// ` "ann@example.com"`, if the entry says so.
fn name_of(entries: &DeTable<'_>, key: &str) -> Option<String> {
    let (_, value) = entries.iter().find(|(name, _)| name.get_ref() == key)?;
    Some(format!(" \"{}\"", value.get_ref().as_str()?.escape_debug()))
}
