//! Single values: what may stand behind a key, parsed once.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use toml::Spanned;
use toml::de::DeValue;

use crate::mail::{Address, Language, Wording};
use crate::store::{LONGEST_SIGNATURE, WordList};

/// Longest line, in characters: longer than any name, host or folder that works.
const LONGEST_LINE: usize = 1000;

/// Longest text, in bytes; a model would not read more instructions than these.
const LONGEST_TEXT: usize = 256 * 1024;

/// A text of several lines.
pub(super) fn text(value: &DeValue<'_>) -> Result<String, String> {
    let text = value.as_str().ok_or_else(|| format!("must be a text in quotes, not {}", kind(value)))?;
    if text.contains('\0') {
        return Err("must not contain the character NUL".to_owned());
    }
    if text.len() > LONGEST_TEXT {
        return Err(format!("must not be longer than {} KiB", LONGEST_TEXT / 1024));
    }
    Ok(text.to_owned())
}

/// One line that is not empty: a line break in a host, user or folder would be a command of its own (EM-99).
pub(super) fn line(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    if text.chars().any(char::is_control) {
        return Err("must be one line without control characters".to_owned());
    }
    if text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.chars().count() > LONGEST_LINE {
        return Err(format!("must not be longer than {LONGEST_LINE} characters"));
    }
    Ok(text.trim().to_owned())
}

/// Instructions: a text that is not empty.
pub(super) fn instructions(value: &DeValue<'_>) -> Result<String, String> {
    let text = text(value)?;
    if text.trim().is_empty() { Err("must not be empty".to_owned()) } else { Ok(text) }
}

/// Lines below a reply.
pub(super) fn signature(value: &DeValue<'_>) -> Result<String, String> {
    let text = instructions(value)?;
    if text.chars().count() > LONGEST_SIGNATURE {
        return Err(format!("must not be longer than {LONGEST_SIGNATURE} characters"));
    }
    Ok(text)
}

/// A wording of the line that says who answers (SR-88).
pub(super) fn wording(value: &DeValue<'_>) -> Result<String, String> {
    let wording = Wording::parse(&line(value)?).map_err(|fault| fault.to_string())?;
    Ok(wording.as_str().to_owned())
}

/// The tag of a language that we have our own words in.
pub(super) fn language(value: &DeValue<'_>) -> Result<String, String> {
    let found = Language::of_tag(&line(value)?.to_lowercase());
    found.map(|language| language.tag().to_owned()).ok_or_else(|| {
        let tags: Vec<&str> = Language::all().map(Language::tag).collect();
        format!("must be one of {}", tags.join(", "))
    })
}

/// A mail address.
pub(super) fn address(value: &DeValue<'_>) -> Result<Address, String> {
    let problem = "must be a mail address, such as \"ann@example.com\"";
    Address::parse(&line(value)?).ok_or_else(|| problem.to_owned())
}

/// Some mail addresses.
pub(super) fn addresses(value: &DeValue<'_>) -> Result<Vec<Address>, String> {
    let problem = "must be a list of mail addresses, such as [\"sales@example.com\"]";
    let DeValue::Array(elements) = value else { return Err(problem.to_owned()) };
    elements.iter().map(|element| address(element.get_ref()).map_err(|_| problem.to_owned())).collect()
}

/// Some senders: addresses and domains, in comparable form.
pub(super) fn senders(value: &DeValue<'_>) -> Result<WordList, String> {
    let problem =
        "must be a list of mail addresses and domains, such as [\"ann@example.com\", \"example.org\"]";
    words(value, problem, |lines| WordList::of_senders(lines))
}

/// Some domains, in comparable form.
pub(super) fn domains(value: &DeValue<'_>) -> Result<WordList, String> {
    words(value, "must be a list of domains, such as [\"example.com\"]", |lines| WordList::of_domains(lines))
}

fn words(
    value: &DeValue<'_>,
    problem: &str,
    read: impl Fn(&mut dyn Iterator<Item = &str>) -> Option<WordList>,
) -> Result<WordList, String> {
    let DeValue::Array(elements) = value else { return Err(problem.to_owned()) };
    if elements.len() > WordList::MOST {
        return Err(format!("must not have more than {} entries", WordList::MOST));
    }
    let read_line = |element: &Spanned<DeValue<'_>>| line(element.get_ref()).ok();
    let lines: Option<Vec<String>> = elements.iter().map(read_line).collect();
    let words = lines.and_then(|lines| read(&mut lines.iter().map(String::as_str)));
    words.ok_or_else(|| problem.to_owned())
}

/// Yes or no.
pub(super) fn flag(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("must be true or false, not {}", kind(value)))
}

/// A whole number.
pub(super) fn number(value: &DeValue<'_>, range: RangeInclusive<i64>) -> Result<i64, String> {
    let number = value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
    number.filter(|number| range.contains(number)).ok_or_else(|| outside(&range))
}

/// A number that may have a fraction.
pub(super) fn fraction(value: &DeValue<'_>, range: RangeInclusive<f64>) -> Result<f64, String> {
    let number = match value {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) => number.as_str().parse().ok(),
        _ => None,
    };
    number.filter(|number| range.contains(number)).ok_or_else(|| outside(&range))
}

/// One of a closed set of words.
pub(super) fn word<T: FromStr<Err: Display>>(value: &DeValue<'_>) -> Result<T, String> {
    line(value)?.parse().map_err(|error: T::Err| error.to_string())
}

/// One of these words.
pub(super) fn choice<T: Copy>(value: &DeValue<'_>, choices: &[(&str, T)]) -> Result<T, String> {
    let written = line(value)?;
    let found = choices.iter().find(|(word, _)| *word == written).map(|(_, choice)| *choice);
    found.ok_or_else(|| {
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        format!("must be {}", words.join(" or "))
    })
}

fn outside<T: Display>(range: &RangeInclusive<T>) -> String {
    format!("must be a number from {} to {}", range.start(), range.end())
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
