//! What the API says of itself: the OpenAPI document, and a page of it for people that loads nothing from elsewhere.

mod page;
mod shapes;
mod words;

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{Html, IntoResponse};

use super::document::document;

static DOCUMENT: LazyLock<String> =
    LazyLock::new(|| document().to_json().unwrap_or_else(|_| "{}".to_owned()));

static PAGE: LazyLock<String> =
    LazyLock::new(|| page::write(&serde_json::from_str(&DOCUMENT).unwrap_or_default()));

/// The OpenAPI document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "reference",
    responses((status = OK, description = "The OpenAPI 3.1 document.", body = serde_json::Value)),
)]
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}

/// The reference as a page.
#[utoipa::path(
    get, path = "/api/docs", tag = "reference",
    responses((status = OK, description = "The reference as a page.", body = String, content_type = "text/html")),
)]
pub(super) async fn docs() -> impl IntoResponse {
    ([page::LOOK.policy()], Html(PAGE.as_str()))
}
