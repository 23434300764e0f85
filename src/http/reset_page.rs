//! The page that the link of a reset letter leads to. It only shows a form, since scanners of mail open links; the token
//! is read from behind the `#` in the browser and goes out with the form.

use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const SCRIPT: &str = include_str!("reset_page.js");

/// Set another password, with the link of a mail.
#[utoipa::path(
    get, path = "/reset-password", tag = "pages",
    responses((status = OK, description = "A form for another password.", body = String, content_type = "text/html")),
)]
pub(super) async fn reset_page() -> impl IntoResponse {
    ([policy()], Html(page()))
}

/// Our one script, by its hash, and nothing else (SR-35).
fn policy() -> (HeaderName, String) {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{hash}'; connect-src 'self'; form-action 'none'; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    (header::CONTENT_SECURITY_POLICY, policy)
}

fn page() -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Another password</title>\n\
         <h1>Another password</h1>\n<form>\n<p><label>The password from now on (8 to 128 characters)<br>\n\
         <input name=\"password\" type=\"password\" minlength=\"8\" maxlength=\"128\" required \
         autocomplete=\"new-password\"></label>\n<p><button>Set it</button>\n</form>\n\
         <p><output></output>\n<noscript><p>This page needs JavaScript.</noscript>\n\
         <script>{SCRIPT}</script>\n</html>\n"
    )
}
