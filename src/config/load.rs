//! From a file and an environment to a configuration, or to everything that is wrong with them.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::draft::Draft;
use super::environment::{BESIDE_KEYS, Environment, variable};
use super::nearest::suggestion;
use super::setting::{Section, Written};
use super::vault::{ACTIVE_VARIABLE, KEKS_VARIABLE};
use super::{Config, ConfigError, ConfigErrors};

impl Config {
    /// Reads the file, if one is named, then the variables, which win.
    ///
    /// `POSTKEY_<SECTION>__<KEY>` overrides a key; lists are separated by commas there, a command by spaces,
    /// and an empty variable counts as not set. `POSTKEY_KEKS` and `POSTKEY_KEK_ACTIVE` are read as well (SR-20).
    /// Other variables are left alone, unless their names begin with `POSTKEY_`.
    ///
    /// # Errors
    ///
    /// All faults at once: unknown keys and variables, wrong values, values that do not fit together.
    pub fn load(
        path: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let environment = Environment::new(environment);
        let mut draft = Draft::default();
        let mut errors = path.map(|path| read_file(&mut draft, path, &environment)).unwrap_or_default();
        errors.extend(read_environment(&mut draft, &environment));
        draft.finish(errors)
    }
}

fn read_file(draft: &mut Draft, path: &Path, environment: &Environment) -> Vec<ConfigError> {
    let file = path.display().to_string();
    match std::fs::read(path) {
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            Ok(text) => Document { file, text }.read(draft, environment),
            Err(error) => {
                let text = bytes.get(..error.valid_up_to()).map(String::from_utf8_lossy).unwrap_or_default();
                let place = Document { file, text: &text }.place(text.len());
                vec![ConfigError::new(place, "is not UTF-8 text; save the file as UTF-8")]
            }
        },
        Err(error) => {
            let problem = format!("cannot be read ({}); check its name and its permissions", error.kind());
            vec![ConfigError::new(file, problem)]
        }
    }
}

/// A file's name and text: what a place needs.
struct Document<'a> {
    file: String,
    text: &'a str,
}

impl Document<'_> {
    fn read(&self, draft: &mut Draft, environment: &Environment) -> Vec<ConfigError> {
        let (document, faults) = DeTable::parse_recoverable(self.text);
        if !faults.is_empty() {
            // What a broken file seems to say would only add errors that are not there.
            return faults.iter().map(|fault| self.fault(fault)).collect();
        }
        let mut sections = draft.sections();
        let entries = document.get_ref().iter();
        let mut faults: Vec<_> =
            entries.flat_map(|(name, value)| read_section(&mut sections, name, value, environment)).collect();
        // The parser's tables are ordered by name; people read from top to bottom.
        faults.sort_unstable();
        faults.into_iter().map(|(offset, problem)| ConfigError::new(self.place(offset), problem)).collect()
    }

    /// Only the parser's description: its own print repeats the line, which may hold a password.
    fn fault(&self, fault: &toml::de::Error) -> ConfigError {
        let start = fault.span().map_or(0, |span| span.start);
        ConfigError::new(self.place(start), format!("is not TOML: {}", fault.message()))
    }

    /// `<file>:<line>:<column>`, both from 1, the column in characters.
    fn place(&self, offset: usize) -> String {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
        format!("{}:{line}:{column}", self.file)
    }
}

/// Faults with their offsets in the text.
fn read_section(
    sections: &mut [Section<'_>],
    name: &Spanned<DeString<'_>>,
    value: &Spanned<DeValue<'_>>,
    environment: &Environment,
) -> Vec<(usize, String)> {
    let offset = name.span().start;
    let DeValue::Table(table) = value.get_ref() else {
        return vec![(offset, outside_sections(sections, name.get_ref()))];
    };
    let names = || sections.iter().map(|section| section.name.to_owned());
    let Some(index) = names().position(|section| section == name.get_ref().as_ref()) else {
        let suggestion = suggestion(name.get_ref(), names());
        return vec![(offset, format!("unknown section `{}`{suggestion}", name.get_ref()))];
    };
    let mut faults = Vec::new();
    for (key, value) in table {
        if let Err(problem) = read_key(sections, index, key.get_ref(), written(value.get_ref()), environment)
        {
            faults.push((key.span().start, problem));
        }
    }
    faults
}

/// A key or a value that stands where only sections may be.
fn outside_sections(sections: &[Section<'_>], name: &str) -> String {
    match sections.iter().find(|section| has_key(section, name)) {
        Some(section) => format!("`{name}` belongs under [{}]", section.name),
        None => {
            let names = sections.iter().map(|section| section.name.to_owned());
            format!("`{name}` must be a section, such as [worker]{}", suggestion(name, names))
        }
    }
}

fn read_key(
    sections: &mut [Section<'_>],
    index: usize,
    key: &str,
    written: Written,
    environment: &Environment,
) -> Result<(), String> {
    let found = sections.get_mut(index).and_then(|section| {
        let name = section.name;
        section.settings.iter_mut().find(|setting| setting.name == key).map(|setting| (name, setting))
    });
    match found {
        Some((section, setting)) => {
            setting.read(written, environment).map_err(|problem| format!("{section}.{key} {problem}"))
        }
        None => Err(unknown_key(sections, index, key)),
    }
}

fn unknown_key(sections: &[Section<'_>], index: usize, key: &str) -> String {
    if let Some(section) = sections.iter().find(|section| has_key(section, key)) {
        return format!("unknown key `{key}` here; it belongs under [{}]", section.name);
    }
    let settings = sections.get(index).into_iter().flat_map(|section| &section.settings);
    format!("unknown key `{key}`{}", suggestion(key, settings.map(|setting| setting.name.to_owned())))
}

fn has_key(section: &Section<'_>, key: &str) -> bool {
    section.settings.iter().any(|setting| setting.name == key)
}

fn written(value: &DeValue<'_>) -> Written {
    match value {
        DeValue::String(text) => Written::Text(text.to_string()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Written::Number(number),
            Err(_) => Written::Other("a number of this size"),
        },
        DeValue::Boolean(flag) => Written::Flag(*flag),
        DeValue::Array(entries) => {
            let texts: Option<Vec<_>> =
                entries.iter().map(|entry| entry.get_ref().as_str().map(str::to_owned)).collect();
            texts.map_or(Written::Other("a list of something else"), Written::List)
        }
        DeValue::Float(_) => Written::Other("a number with a fraction"),
        DeValue::Datetime(_) => Written::Other("a date"),
        DeValue::Table(_) => Written::Other("a table"),
    }
}

fn read_environment(draft: &mut Draft, environment: &Environment) -> Vec<ConfigError> {
    let mut sections = draft.sections();
    let mut errors = Vec::new();
    for (name, value) in environment.overrides() {
        if let Err(problem) = read_variable(&mut sections, name, value, environment) {
            errors.push(ConfigError::new(name, problem));
        }
    }
    drop(sections);
    let vault = draft.vault();
    if let Some(keks) = environment.get_filled(KEKS_VARIABLE) {
        vault.keks = Some(keks.into());
    }
    if let Some(active) = environment.get_filled(ACTIVE_VARIABLE) {
        vault.active = Some(active.to_owned());
    }
    errors
}

fn read_variable(
    sections: &mut [Section<'_>],
    name: &str,
    value: &str,
    environment: &Environment,
) -> Result<(), String> {
    for section in sections.iter_mut() {
        let found = section.settings.iter_mut().find(|setting| variable(section.name, setting.name) == name);
        if let Some(setting) = found {
            if value.trim().is_empty() {
                return Ok(());
            }
            return setting.read(Written::Bare(value.to_owned()), environment);
        }
    }
    let keys = sections
        .iter()
        .flat_map(|section| section.settings.iter().map(|setting| variable(section.name, setting.name)));
    let known = keys.chain(BESIDE_KEYS.map(str::to_owned));
    // It may be what an `env:NAME` refers to.
    let own = if name.contains("__") { "" } else { "; one of your own must not begin with POSTKEY_" };
    Err(format!("unknown variable{}{own}", suggestion(name, known)))
}
