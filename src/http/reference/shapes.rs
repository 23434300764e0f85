//! What fields there are, and of what kind: tables of them. A shape that has a name is linked, and shown once.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::words::{code, escape, line};

/// What something is for; what is for both counts as the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Use {
    /// Answered.
    Told,
    /// Sent: what has to be there is said.
    Asked,
}

/// The shapes of the document, and which of them were linked.
pub(super) struct Shapes<'d> {
    document: &'d Value,
    linked: BTreeMap<&'d str, Use>,
}

impl<'d> Shapes<'d> {
    pub(super) fn new(document: &'d Value) -> Self {
        Self { document, linked: BTreeMap::new() }
    }

    /// The fields of a schema as a table; nothing for a schema without fields.
    pub(super) fn table(&mut self, schema: &'d Value, of: Use) -> String {
        let rows = self.rows(schema, "", of);
        if rows.is_empty() { rows } else { format!("<table>\n{rows}</table>\n") }
    }

    /// Every shape that was linked, and those that they link.
    pub(super) fn linked(mut self) -> String {
        loop {
            let linked = self.linked.clone();
            let written = linked.iter().map(|(name, of)| self.shape(name, *of)).collect();
            // Until none of them links another one, or one for another use.
            if self.linked == linked {
                return written;
            }
        }
    }

    fn shape(&mut self, name: &'d str, of: Use) -> String {
        let schema = self.named(name).unwrap_or(&Value::Null);
        let (title, said) = (escape(name), line(schema.get("description")));
        let table = self.table(schema, of);
        format!("<h3 id=\"{title}\">{title}</h3>\n<p>{said}</p>\n{table}")
    }

    /// What a value can be, in words.
    pub(super) fn kind(&mut self, schema: &'d Value, of: Use) -> String {
        if let Some(name) = name_of(schema) {
            return self.kind_of_named(name, of);
        }
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            let kinds: Vec<_> = choices.iter().map(|choice| self.kind(choice, of)).collect();
            return kinds.join(" or ");
        }
        // One schema with a description of its own.
        if let Some([only, ..]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
            return self.kind(only, of);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().filter_map(Value::as_str).map(code).collect::<Vec<_>>().join(", ");
        }
        match schema.get("type") {
            Some(Value::Array(types)) => {
                let (null, types): (Vec<_>, Vec<_>) =
                    types.iter().filter_map(Value::as_str).partition(|kind| *kind == "null");
                let kinds = types.into_iter().map(|kind| self.kind_of_type(kind, schema, of));
                kinds.chain(null.into_iter().map(str::to_owned)).collect::<Vec<_>>().join(" or ")
            }
            Some(Value::String(kind)) => self.kind_of_type(kind, schema, of),
            _ => "anything".to_owned(),
        }
    }

    fn kind_of_named(&mut self, name: &'d str, of: Use) -> String {
        let Some(schema) = self.named(name) else { return escape(name) };
        if schema.get("properties").is_none() && schema.get("allOf").is_none() {
            return self.kind(schema, of);
        }
        let linked = self.linked.entry(name).or_insert(of);
        *linked = (*linked).max(of);
        format!("<a href=\"#{0}\">{0}</a>", escape(name))
    }

    fn kind_of_type(&mut self, kind: &str, schema: &'d Value, of: Use) -> String {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        let word = match (kind, format) {
            ("string", "date-time") => "time".to_owned(),
            ("string", "uuid") => "id".to_owned(),
            ("string", "email") => "mail address".to_owned(),
            ("string", _) => "text".to_owned(),
            ("integer", _) => "whole number".to_owned(),
            ("boolean", _) => "true or false".to_owned(),
            ("array", _) => match schema.get("items") {
                Some(items) => format!("list of {}", in_brackets(self.kind(items, of))),
                None => "list".to_owned(),
            },
            (other, _) => escape(other),
        };
        word + &bounds(schema)
    }

    fn rows(&mut self, schema: &'d Value, before: &str, of: Use) -> String {
        if let Some(schema) = name_of(schema).and_then(|name| self.named(name)) {
            return self.rows(schema, before, of);
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            return parts.iter().map(|part| self.rows(part, before, of)).collect();
        }
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
        let mut rows = String::new();
        for (name, field) in members(schema.get("properties")) {
            let (path, kind) = (format!("{before}{name}"), self.kind(field, of));
            let needed = if of == Use::Asked && is_required(name) { "; required" } else { "" };
            let said = line(description(field));
            rows.push_str(&format!("<tr><td>{}<td>{kind}{needed}<td>{said}\n", code(&path)));
            // A shape without a name is shown where it stands.
            let (inner, mark) = field.get("items").map_or((field, "."), |items| (items, "[]."));
            if inner.get("properties").is_some() {
                rows.push_str(&self.rows(inner, &format!("{path}{mark}"), of));
            }
        }
        rows
    }

    fn named(&self, name: &str) -> Option<&'d Value> {
        self.document.pointer("/components/schemas").and_then(|schemas| schemas.get(name))
    }
}

/// The members of an object, or none.
pub(super) fn members(object: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    object.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn in_brackets(kind: String) -> String {
    if kind.contains(", ") { format!("({kind})") } else { kind }
}

/// What is said of a field, also where it may be null and has a shape with a name.
fn description(field: &Value) -> Option<&Value> {
    let choices = ["oneOf", "allOf"].into_iter().find_map(|several| field.get(several)?.as_array());
    let mut all = std::iter::once(field).chain(choices.into_iter().flatten());
    all.find_map(|schema| schema.get("description"))
}

fn name_of(schema: &Value) -> Option<&str> {
    schema.get("$ref").and_then(Value::as_str)?.strip_prefix("#/components/schemas/")
}

/// How long or how large.
fn bounds(schema: &Value) -> String {
    let range = |least: &str, most: &str| {
        let (least, most) = (schema.get(least), schema.get(most).map(Value::to_string));
        match (least.map(Value::to_string), most) {
            (None, None) => None,
            (Some(least), None) => Some(format!("from {least}")),
            (None, Some(most)) => Some(format!("up to {most}")),
            (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        }
    };
    let all = [
        range("minLength", "maxLength").map(|range| format!(", {range} characters")),
        range("minItems", "maxItems").map(|range| format!(", {range} of them")),
        range("minimum", "maximum").map(|range| format!(", {range}")),
        schema.get("default").map(|usual| format!(", otherwise {}", code(&usual.to_string()))),
    ];
    all.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_sent_says_what_it_needs_wherever_else_it_is_answered() {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let inner = json!({ "properties": { "word": { "type": "string" } }, "required": ["word"] });
        let outer = json!({ "properties": { "inner": reference("Inner") }, "required": ["inner"] });
        let document = json!({ "components": { "schemas": { "Inner": inner, "Outer": outer } } });
        let (inner, outer) = (reference("Inner"), reference("Outer"));
        for uses in [[Use::Told, Use::Asked], [Use::Asked, Use::Told]] {
            let mut shapes = Shapes::new(&document);
            shapes.kind(&inner, Use::Told);
            for of in uses {
                shapes.kind(&outer, of);
            }
            assert_eq!(shapes.linked().matches("; required").count(), 2, "{uses:?}");
        }
        let mut shapes = Shapes::new(&document);
        shapes.kind(&outer, Use::Told);
        assert_eq!(shapes.linked().matches("; required").count(), 0);
    }
}
