//! Pages for people: one look, and nothing that is loaded from elsewhere (SR-35).

use axum::http::{HeaderName, header};
use axum::response::Html;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("html.css");

/// A page with this title; both are our own words.
pub(super) fn page(title: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n{body}\n</html>\n"
    ))
}

/// Our style by its hash, and nothing else.
pub(super) fn policy() -> (HeaderName, String) {
    with("")
}

/// One script of ours as well, which may call this server.
pub(super) fn policy_with(script: &str) -> (HeaderName, String) {
    with(&format!("script-src {}; connect-src 'self'; ", source(script)))
}

fn with(more: &str) -> (HeaderName, String) {
    let style = source(STYLE);
    let policy = format!(
        "default-src 'none'; style-src {style}; {more}form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    );
    (header::CONTENT_SECURITY_POLICY, policy)
}

/// What stands for this text in a policy.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}
