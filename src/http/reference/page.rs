//! The OpenAPI document as a page: every call with what it takes, what it answers and what it needs. Plain HTML without
//! a script.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");

/// Our own style, by its hash, and nothing else.
pub(super) fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; frame-ancestors 'none'; base-uri 'none'")
}

/// The whole page.
pub(super) fn write(document: &Value) -> String {
    let title = text(document.pointer("/info/title"));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n<h1>{title}</h1>\n"
    );
    paragraphs(&mut page, document.pointer("/info/description"));
    page.push_str("<p><a href=\"openapi.json\">openapi.json</a></p>\n");
    let calls = calls(document);
    let mut tags: Vec<&str> = calls.iter().map(|call| call.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    for tag in tags {
        page.push_str(&format!("<h2>{}</h2>\n", escape(tag)));
        for call in calls.iter().filter(|call| call.tag == tag) {
            call.write(&mut page, document);
        }
    }
    page.push_str("</html>\n");
    page
}

/// One method of one path.
struct Call<'a> {
    method: &'a str,
    path: &'a str,
    tag: &'a str,
    operation: &'a Value,
}

fn calls(document: &Value) -> Vec<Call<'_>> {
    let mut calls = Vec::new();
    for (path, item) in members(document.get("paths")) {
        for (method, operation) in members(Some(item)) {
            let tag = operation.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default();
            calls.push(Call { method, path, tag, operation });
        }
    }
    calls
}

impl Call<'_> {
    fn write(&self, page: &mut String, document: &Value) {
        let (method, path) = (self.method.to_uppercase(), escape(self.path));
        page.push_str(&format!("<details>\n<summary><b>{method}</b> <code>{path}</code> "));
        page.push_str(&format!("{}</summary>\n", text(self.operation.get("summary"))));
        paragraphs(page, self.operation.get("description"));
        let needs = self.operation.pointer("/security/0/bearer/0").and_then(Value::as_str);
        let needs = needs.map_or("Needs no token.".to_owned(), |right| format!("Needs a token: {right}."));
        page.push_str(&format!("<p>{}</p>\n", escape(&needs)));
        self.write_parameters(page);
        let body = self.operation.pointer("/requestBody/content/application~1json/schema");
        if let Some(schema) = body {
            page.push_str("<h3>Body</h3>\n");
            fields(page, resolve(document, schema));
        }
        self.write_answers(page, document);
        page.push_str("</details>\n");
    }

    fn write_parameters(&self, page: &mut String) {
        let parameters = self.operation.get("parameters").and_then(Value::as_array);
        for parameter in parameters.into_iter().flatten() {
            let (name, place) = (text(parameter.get("name")), text(parameter.get("in")));
            let description = text(parameter.get("description"));
            page.push_str(&format!("<p><code>{name}</code> in the {place}: {description}</p>\n"));
        }
    }

    fn write_answers(&self, page: &mut String, document: &Value) {
        page.push_str("<h3>Answers</h3>\n<dl>\n");
        for (status, answer) in members(self.operation.get("responses")) {
            let description = text(answer.get("description"));
            page.push_str(&format!("<dt><code>{}</code><dd>{description}\n", escape(status)));
            if status.starts_with('2')
                && let Some(schema) = answer.pointer("/content/application~1json/schema")
            {
                fields(page, resolve(document, schema));
            }
        }
        page.push_str("</dl>\n");
    }
}

/// The members of an object schema as a table; nothing for other schemas.
fn fields(page: &mut String, schema: &Value) {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut rows = String::new();
    for (name, field) in members(schema.get("properties")) {
        let needed = if required.contains(&name.as_str()) { "" } else { "optional" };
        let (kind, description) = (escape(&kind(field)), text(field.get("description")));
        let name = escape(name);
        rows.push_str(&format!("<tr><td><code>{name}</code><td>{kind}<td>{needed}<td>{description}\n"));
    }
    if !rows.is_empty() {
        page.push_str(&format!("<table>\n{rows}</table>\n"));
    }
}

fn kind(field: &Value) -> String {
    if let Some(name) = field.get("$ref").and_then(Value::as_str) {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    match field.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => String::new(),
    }
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
    target.and_then(|pointer| document.pointer(pointer)).unwrap_or(schema)
}

fn members(object: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    object.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn paragraphs(page: &mut String, words: Option<&Value>) {
    let words = words.and_then(Value::as_str).unwrap_or_default();
    for paragraph in words.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        page.push_str(&format!("<p>{}</p>\n", escape(paragraph)));
    }
}

fn text(value: Option<&Value>) -> String {
    escape(value.and_then(Value::as_str).unwrap_or_default())
}

fn escape(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
