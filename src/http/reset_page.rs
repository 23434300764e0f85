//! The page that the link of a reset letter leads to. It only shows a form, since scanners of mail open links; the token
//! is read from behind the `#` in the browser and goes out with the form.

use axum::response::IntoResponse;

use super::html;

const SCRIPT: &str = include_str!("reset_page.js");

/// Set another password, with the link of a mail.
#[utoipa::path(
    get, path = "/reset-password", tag = "pages",
    responses((status = OK, description = "A form for another password.", body = String, content_type = "text/html")),
)]
pub(super) async fn reset_page() -> impl IntoResponse {
    let form = format!(
        "<form>\n<p><label>The password from now on (8 to 128 characters)\n\
         <input name=\"password\" type=\"password\" minlength=\"8\" maxlength=\"128\" required \
         autocomplete=\"new-password\"></label>\n<p><button>Set it</button>\n</form>\n\
         <p><output></output>\n<noscript><p>This page needs JavaScript.</noscript>\n\
         <script>{SCRIPT}</script>"
    );
    ([html::policy_with(SCRIPT)], html::page("Another password", &form))
}
