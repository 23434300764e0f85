//! Pages for people: a look of our own, and nothing that is loaded from elsewhere (SR-35).

use axum::http::{HeaderName, header};
use axum::response::Html;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// How a page looks.
pub(super) struct Look(pub(super) &'static str);

/// Of a page that says or asks one thing.
const SHORT: Look = Look(include_str!("html.css"));

/// A short page with this title; both are our own words.
pub(super) fn page(title: &str, body: &str) -> Html<String> {
    Html(SHORT.page(title, body))
}

/// Our style by its hash, and nothing else.
pub(super) fn policy() -> (HeaderName, String) {
    SHORT.policy()
}

/// One script of ours as well, which may call this server.
pub(super) fn policy_with(script: &str) -> (HeaderName, String) {
    SHORT.policy_with(&format!("script-src {}; connect-src 'self'; ", source(script)))
}

impl Look {
    /// A page of this look.
    pub(super) fn page(&self, title: &str, body: &str) -> String {
        let Self(style) = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{style}</style>\n<h1>{title}</h1>\n{body}\n</html>\n"
        )
    }

    /// This style by its hash, and nothing else.
    pub(super) fn policy(&self) -> (HeaderName, String) {
        self.policy_with("")
    }

    fn policy_with(&self, more: &str) -> (HeaderName, String) {
        let style = source(self.0);
        let policy = format!(
            "default-src 'none'; style-src {style}; {more}form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
        );
        (header::CONTENT_SECURITY_POLICY, policy)
    }
}

/// What stands for this text in a policy.
fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}
