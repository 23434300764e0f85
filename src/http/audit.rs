//! What happened with one's account and keys (SR-77).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Api;
use super::caller::Caller;
use super::error::ApiError;
use super::input::Parameters;
use super::pages::{Page, PageParameters, PageRequest};
use crate::store::AuditEntry;

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditAnswer {
    /// Its number, from 1 without a gap.
    #[schema(minimum = 1)]
    position: i64,
    /// What was done, as a stable word.
    #[schema(example = "signed_in")]
    action: String,
    /// `done` or `refused`.
    #[schema(example = "done")]
    outcome: String,
    /// Who did it: `session:<id>`, `api_key:<id>` or `security_token:<id>`, or `nobody` where nobody was signed in.
    actor: String,
    /// What it was done to: `<kind>:<id>`.
    subject: Option<String>,
    /// From which address.
    address: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    created_at: String,
    /// SHA-256 over the hash of the entry before and this entry: nothing can be left out unseen.
    hash: String,
}

impl From<AuditEntry> for AuditAnswer {
    fn from(entry: AuditEntry) -> Self {
        Self {
            position: entry.position,
            action: entry.action,
            outcome: entry.outcome,
            actor: entry.actor,
            subject: entry.subject,
            address: entry.address,
            created_at: entry.created_at.to_string(),
            hash: entry.hash,
        }
    }
}

/// See what happened with the account and its keys.
#[utoipa::path(
    get, path = "/api/audit", tag = "accounts", params(PageParameters),
    responses((status = OK, description = "The entries of one's own audit log, newest first.", body = Page<AuditAnswer>)),
)]
pub(super) async fn list_audit(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<Page<AuditAnswer>>, ApiError> {
    let request = parameters.read()?;
    let before = position_after(request)?;
    let found = api.store.list_audit_entries(caller.user, before, request.to_find()).await?;
    Ok(Json(Page::cut(found, request, |entry| cursor(entry.position))))
}

/// Entries have no id; their position does for a cursor.
fn cursor(position: i64) -> Uuid {
    Uuid::from_u128(u128::try_from(position).unwrap_or_default())
}

fn position_after(request: PageRequest) -> Result<Option<i64>, ApiError> {
    let position = request.after.map(|cursor| i64::try_from(cursor.as_u128())).transpose();
    position.map_err(|_| ApiError::field("cursor", "must be the `next_cursor` of the piece before"))
}
