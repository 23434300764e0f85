//! The OpenAPI document as a page: every call with what it takes, what it answers and what it needs. Plain HTML without
//! a script.

use serde_json::Value;

use super::shapes::{Shapes, Use, members};
use super::words::{code, escape, line, paragraphs};
use crate::http::html::Look;

/// How it looks.
pub(super) const LOOK: Look = Look(include_str!("page.css"));

/// The whole page.
pub(super) fn write(document: &Value) -> String {
    let title = line(document.pointer("/info/title"));
    let said = paragraphs(document.pointer("/info/description"));
    let calls = calls(document);
    let mut tags: Vec<&str> = calls.iter().map(|call| call.tag).collect();
    tags.sort_unstable();
    tags.dedup();
    let links: String =
        tags.iter().map(|tag| format!("<a href=\"#calls-{0}\">{0}</a> \u{b7} ", escape(tag))).collect();
    let mut body = format!(
        "{said}<p>{links}<a href=\"#shapes\">shapes</a> \u{b7} <a href=\"openapi.json\">openapi.json</a></p>\n"
    );
    let mut shapes = Shapes::new(document);
    for tag in tags {
        body.push_str(&format!("<h2 id=\"calls-{0}\">{0}</h2>\n", escape(tag)));
        for call in calls.iter().filter(|call| call.tag == tag) {
            call.write(&mut body, &mut shapes);
        }
    }
    body.push_str(&format!("<h2 id=\"shapes\">shapes</h2>\n{}", shapes.linked()));
    LOOK.page(&title, &body)
}

/// One method of one path.
struct Call<'d> {
    method: &'d str,
    path: &'d str,
    tag: &'d str,
    operation: &'d Value,
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

impl<'d> Call<'d> {
    fn write(&self, page: &mut String, shapes: &mut Shapes<'d>) {
        let (method, path) = (self.method.to_uppercase(), code(self.path));
        let (summary, said) =
            (line(self.operation.get("summary")), paragraphs(self.operation.get("description")));
        let needs = self.operation.pointer("/security/0/bearer/0").and_then(Value::as_str);
        let needs =
            needs.map_or("Needs no token.".to_owned(), |right| format!("Needs a token: {}.", code(right)));
        page.push_str(&format!(
            "<details>\n<summary><b>{method}</b> {path} {summary}</summary>\n{said}<p>{needs}</p>\n"
        ));
        self.write_parameters(page, shapes);
        if let Some(schema) = self.operation.pointer("/requestBody/content/application~1json/schema") {
            page.push_str(&format!("<h3>Body</h3>\n{}", shapes.table(schema, Use::Asked)));
        }
        self.write_answers(page, shapes);
        page.push_str("</details>\n");
    }

    fn write_parameters(&self, page: &mut String, shapes: &mut Shapes<'d>) {
        let parameters = self.operation.get("parameters").and_then(Value::as_array);
        let mut rows = String::new();
        for parameter in parameters.into_iter().flatten() {
            let (name, place) = (line(parameter.get("name")), line(parameter.get("in")));
            let kind =
                parameter.get("schema").map(|schema| shapes.kind(schema, Use::Asked)).unwrap_or_default();
            let said = line(parameter.get("description"));
            rows.push_str(&format!("<tr><td><code>{name}</code><td>in the {place}; {kind}<td>{said}\n"));
        }
        if !rows.is_empty() {
            page.push_str(&format!("<h3>Parameters</h3>\n<table>\n{rows}</table>\n"));
        }
    }

    fn write_answers(&self, page: &mut String, shapes: &mut Shapes<'d>) {
        page.push_str("<h3>Answers</h3>\n<dl>\n");
        for (status, answer) in members(self.operation.get("responses")) {
            let said = line(answer.get("description"));
            page.push_str(&format!("<dt>{}<dd>{said}\n", code(status)));
            let schema = answer.pointer("/content/application~1json/schema");
            if let Some(schema) = schema.filter(|_| status.starts_with('2')) {
                page.push_str(&shapes.table(schema, Use::Told));
            }
        }
        page.push_str("</dl>\n");
    }
}
