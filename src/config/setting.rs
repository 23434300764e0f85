//! One key of the configuration: how it is read, bounded and shown.
//!
//! Each section lists its keys once (`settings`); loading, suggestions and the effective print all walk that list.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::environment::Environment;
use super::quantity::{parse_duration, parse_size, show_duration, show_size};
use super::redacted::{REDACTED, redact_command, redact_url};
use super::secret_file::read_secret_file;

/// The keys of one `[section]`.
pub(super) struct Section<'a> {
    pub name: &'static str,
    pub settings: Vec<Setting<'a>>,
}

/// A key and where its value goes.
pub(super) struct Setting<'a> {
    pub name: &'static str,
    pub slot: Slot<'a>,
}

/// Checks a text; the error says what to write.
pub(super) type Rule = fn(&str) -> Result<(), String>;

/// A place for a value, with its bounds.
pub(super) enum Slot<'a> {
    Duration(&'a mut Duration, RangeInclusive<Duration>),
    Count(&'a mut u32, RangeInclusive<u32>),
    Amount(&'a mut usize, RangeInclusive<usize>),
    Size(&'a mut usize, RangeInclusive<usize>),
    Flag(&'a mut bool),
    Choice(&'a mut dyn Choice),
    Text(&'a mut String, Rule),
    Url(&'a mut String, Rule),
    List(&'a mut Vec<String>, Rule),
    MaybeText(&'a mut Option<String>, Rule),
    MaybeUrl(&'a mut Option<String>, Rule),
    MaybePath(&'a mut Option<PathBuf>),
    /// A program and its arguments; the arguments may be secret.
    MaybeCommand(&'a mut Option<Vec<String>>),
    /// A secret that may only come from the named variable.
    EnvironmentSecret(&'a mut Option<SecretString>, &'static str),
    /// A secret that the file names as `env:NAME` or `file:PATH`.
    ReferredSecret(&'a mut Option<SecretString>),
}

/// A closed set of words.
pub(super) trait Choice {
    /// All words, the default first.
    fn words(&self) -> &'static [&'static str];
    /// The word chosen.
    fn word(&self) -> &'static str;
    /// Chooses; false if there is no such word.
    fn choose(&mut self, word: &str) -> bool;
}

/// A value as it was written.
pub(super) enum Written {
    Text(String),
    Number(i128),
    Flag(bool),
    List(Vec<String>),
    /// From the environment, where everything is text.
    Bare(String),
    /// Something that no key takes.
    Other(&'static str),
}

impl Setting<'_> {
    /// Takes the value in; the error says what to write instead and repeats no value that may be secret.
    pub fn read(&mut self, written: Written, environment: &Environment) -> Result<(), String> {
        match &mut self.slot {
            Slot::Duration(slot, range) => {
                within(read_duration(&written)?, range, show_duration).map(|value| **slot = value)
            }
            Slot::Count(slot, range) => read_number(&written, range).map(|value| **slot = value),
            Slot::Amount(slot, range) => read_number(&written, range).map(|value| **slot = value),
            Slot::Size(slot, range) => {
                within(read_size(&written)?, range, show_size).map(|value| **slot = value)
            }
            Slot::Flag(slot) => read_flag(&written).map(|flag| **slot = flag),
            Slot::Choice(slot) => read_choice(*slot, written),
            Slot::Text(slot, rule) | Slot::Url(slot, rule) => {
                read_text(written, *rule).map(|text| **slot = text)
            }
            Slot::List(slot, rule) => read_list(written, *rule).map(|list| **slot = list),
            Slot::MaybeText(slot, rule) | Slot::MaybeUrl(slot, rule) => {
                read_text(written, *rule).map(|text| **slot = Some(text))
            }
            Slot::MaybePath(slot) => read_text(written, not_empty).map(|text| **slot = Some(text.into())),
            Slot::MaybeCommand(slot) => read_command(written).map(|list| **slot = Some(list)),
            Slot::EnvironmentSecret(_, variable) => Err(match written {
                Written::Bare(_) => format!("is not read; set {variable} instead"),
                _ => format!(
                    "a key is never written into this file; set {variable} in the environment instead"
                ),
            }),
            Slot::ReferredSecret(slot) => {
                read_secret(written, environment).map(|secret| **slot = Some(secret))
            }
        }
    }

    /// The value as TOML, without secrets; `None` if it is not set.
    pub fn show(&self) -> Option<String> {
        match &self.slot {
            Slot::Duration(value, _) => Some(quote(&show_duration(**value))),
            Slot::Count(value, _) => Some(value.to_string()),
            Slot::Amount(value, _) => Some(value.to_string()),
            Slot::Size(value, _) => Some(quote(&show_size(**value))),
            Slot::Flag(value) => Some(value.to_string()),
            Slot::Choice(value) => Some(quote(value.word())),
            Slot::Text(value, _) => Some(quote(value)),
            Slot::Url(value, _) => Some(quote(&redact_url(value))),
            Slot::List(value, _) => Some(quote_list(value)),
            Slot::MaybeText(value, _) => value.as_deref().map(quote),
            Slot::MaybeUrl(value, _) => value.as_deref().map(|url| quote(&redact_url(url))),
            Slot::MaybePath(value) => value.as_deref().map(|path| quote(&path.to_string_lossy())),
            Slot::MaybeCommand(value) => value.as_deref().map(|command| quote_list(&redact_command(command))),
            Slot::EnvironmentSecret(value, _) | Slot::ReferredSecret(value) => {
                value.as_ref().map(|_| quote(REDACTED))
            }
        }
    }
}

/// A rule for texts that must say something.
pub(super) fn not_empty(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err("must not be empty".to_owned()) } else { Ok(()) }
}

/// A rule for texts that go into a header or a list.
pub(super) fn one_line(text: &str) -> Result<(), String> {
    let is_plain = (1..=100).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let is_plain = is_plain && text.trim() == text;
    if is_plain { Ok(()) } else { Err("must be one line of 1 to 100 plain characters".to_owned()) }
}

fn within<T: PartialOrd + Copy>(
    value: T,
    range: &RangeInclusive<T>,
    show: impl Fn(T) -> String,
) -> Result<T, String> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(out_of_range(show(value), show(*range.start()), show(*range.end())))
}

fn out_of_range(value: impl Display, least: impl Display, most: impl Display) -> String {
    format!("is {value}, which is out of range; write a value from {least} to {most}")
}

fn read_duration(written: &Written) -> Result<Duration, String> {
    match written {
        Written::Text(text) | Written::Bare(text) => parse_duration(text),
        _ => None,
    }
    .ok_or_else(|| "must be a duration with its unit, such as \"60s\", \"5m\" or \"30 days\"".to_owned())
}

fn read_size(written: &Written) -> Result<usize, String> {
    match written {
        Written::Text(text) | Written::Bare(text) => parse_size(text),
        _ => None,
    }
    .ok_or_else(|| "must be a size with its unit, such as \"25MiB\" or \"512KiB\"".to_owned())
}

/// Read as what holds more than any setting, so that a number that is too large is told as such.
fn read_number<T: TryFrom<i128> + PartialOrd + Display>(
    written: &Written,
    range: &RangeInclusive<T>,
) -> Result<T, String> {
    let number = match written {
        Written::Number(number) => Some(*number),
        Written::Bare(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.filter(|number| *number >= 0);
    let number = number.ok_or_else(|| "must be a whole number, not negative, without quotes".to_owned())?;
    let value = T::try_from(number).ok().filter(|value| range.contains(value));
    value.ok_or_else(|| out_of_range(number, range.start(), range.end()))
}

fn read_flag(written: &Written) -> Result<bool, String> {
    match written {
        Written::Flag(flag) => Some(*flag),
        Written::Bare(text) => text.trim().parse().ok(),
        _ => None,
    }
    .ok_or_else(|| "must be true or false, without quotes".to_owned())
}

fn read_choice(choice: &mut dyn Choice, written: Written) -> Result<(), String> {
    let chosen = match written {
        Written::Text(word) | Written::Bare(word) => choice.choose(&word),
        _ => false,
    };
    if chosen { Ok(()) } else { Err(format!("must be one of {}", quoted_words(choice.words()))) }
}

fn read_text(written: Written, rule: Rule) -> Result<String, String> {
    match written {
        Written::Text(text) | Written::Bare(text) => rule(&text).map(|()| text),
        other => Err(format!("must be a text in quotes, not {}", other.kind())),
    }
}

fn read_list(written: Written, rule: Rule) -> Result<Vec<String>, String> {
    let list = match written {
        Written::List(list) => list,
        Written::Bare(text) => split_list(&text),
        other => {
            return Err(format!("must be a list of texts, such as [\"a\", \"b\"], not {}", other.kind()));
        }
    };
    list.iter().try_for_each(|entry| rule(entry))?;
    Ok(list)
}

/// A list in a variable is separated by commas.
fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect()
}

/// A command in a variable is separated by spaces, as in a shell, but without quotes.
fn read_command(written: Written) -> Result<Vec<String>, String> {
    let is_bare = matches!(written, Written::Bare(_));
    let command = match written {
        Written::List(list) => list,
        Written::Bare(text) => text.split_whitespace().map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    match command.first() {
        // Programs are shown, and this one would have its arguments in its name.
        Some(program) if is_bare && program.contains(',') => {
            Err("is a program and its arguments, separated by spaces here, not by commas".to_owned())
        }
        Some(program) if !program.is_empty() => Ok(command),
        _ => Err("must be a program and its arguments, such as [\"pass\", \"show\", \"postkey\"]".to_owned()),
    }
}

fn read_secret(written: Written, environment: &Environment) -> Result<SecretString, String> {
    let (text, bare) = match written {
        Written::Text(text) => (text, false),
        Written::Bare(text) => (text, true),
        other => return Err(format!("must be \"env:NAME\" or \"file:PATH\", not {}", other.kind())),
    };
    if let Some(name) = text.strip_prefix("env:") {
        let value = environment.get(name).filter(|value| !value.trim().is_empty());
        return value.map(|value| SecretString::from(value.trim())).ok_or_else(|| {
            format!("the environment variable {name} is not set; set it or use \"file:PATH\"")
        });
    }
    if let Some(path) = text.strip_prefix("file:") {
        return read_secret_file(path.as_ref()).map_err(|error| format!("the file {path} {error}"));
    }
    if bare {
        return Ok(SecretString::from(text));
    }
    Err("a key is never written into this file; write \"env:NAME\" or \"file:PATH\"".to_owned())
}

impl Written {
    fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Bare(_) => "a text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "true or false",
            Self::List(_) => "a list",
            Self::Other(kind) => kind,
        }
    }
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn quote_list(list: &[String]) -> String {
    format!("[{}]", list.iter().map(|entry| quote(entry)).collect::<Vec<_>>().join(", "))
}

fn quoted_words(words: &[&str]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(", ")
}
