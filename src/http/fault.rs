//! What a reader says of a field, told in a sentence: which field it is and what it must be, but no value that was sent,
//! which may be a secret, and no name of Rust's.

use serde_json::json;

use super::error::{ApiError, ErrorCode};

/// Longest name of an unknown field that is repeated, in characters.
const LONGEST_NAME: usize = 64;

/// What serde says of the field at this path; `.` is the whole.
pub(super) fn fault(path: &str, said: &str) -> ApiError {
    if let Some(rest) = said.strip_prefix("unknown field `") {
        return unknown_field(rest);
    }
    let problem = problem(said);
    let message = if path == "." { format!("the call {problem}") } else { format!("`{path}` {problem}") };
    ApiError::new(ErrorCode::InvalidInput, message).with(json!({ "field": meant(path, said) }))
}

/// The field that the fault is about: one that is missing is none that the reader has come to.
fn meant(path: &str, said: &str) -> String {
    let missing = said.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match missing {
        None => path.to_owned(),
        Some(missing) if path == "." => missing.to_owned(),
        Some(missing) => format!("{path}.{missing}"),
    }
}

/// The name is the caller's own, so it may be anything.
fn unknown_field(rest: &str) -> ApiError {
    let name: String = rest.split('`').next().unwrap_or_default().chars().take(LONGEST_NAME).collect();
    let known = rest.rsplit_once(", expected ").map_or("none", |(_, known)| known);
    let message = format!("`{name}` is not known here; known: {known}");
    ApiError::new(ErrorCode::InvalidInput, message).with(json!({ "field": name }))
}

fn problem(said: &str) -> String {
    if let Some(field) = said.strip_prefix("missing field ") {
        return format!("lacks the field {field}");
    }
    if let Some(field) = said.strip_prefix("duplicate field ") {
        return format!("has the field {field} twice");
    }
    if let Some((_, expected)) = said.rsplit_once(", expected ") {
        return format!("must be {}", kind(expected));
    }
    match kind_in_a_text(said) {
        Some(kind) => format!("must be {kind}"),
        // What our own types say.
        None if said.starts_with("must ") || said.starts_with("is ") => said.to_owned(),
        None => "has a value that it cannot have".to_owned(),
    }
}

/// What serde calls by its Rust name.
fn kind(expected: &str) -> &str {
    match expected {
        "u16" => "a whole number from 0 to 65535",
        "i64" | "u64" | "i32" | "u32" | "usize" => "a whole number",
        "f64" | "a JSON number" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

/// What was to be found in a text, by what its reader says.
fn kind_in_a_text(said: &str) -> Option<&'static str> {
    let kinds = [
        ("UUID parsing failed", "an id"),
        ("provided string was not `true` or `false`", "true or false"),
        ("invalid digit found in string", "a whole number"),
        ("cannot parse integer from empty string", "a whole number"),
        ("number too large", "a smaller number"),
    ];
    kinds.into_iter().find_map(|(beginning, kind)| said.starts_with(beginning).then_some(kind))
}
