//! Adding a mailbox.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::settings::{MailboxInput, OAuthInput, ServerInput, settle};
use super::{MailboxAnswer, find, subject};
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::{ApiError, ErrorBody, ErrorCode};
use crate::http::input::Input;
use crate::http::object::{maybe_object, object};
use crate::http::texts::{Email, Line};
use crate::store::{INBOX, Mailbox, MailboxId, MailboxRefusal, MailboxState, Reception, Server};

/// A new mailbox.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewMailboxInput {
    /// Its address.
    address: Email,
    /// Further addresses that arrive in it.
    #[serde(default)]
    #[schema(max_items = 100)]
    aliases: Option<Vec<Email>>,
    /// The watched folder; `INBOX` if left out.
    #[serde(default)]
    folder: Option<Line>,
    /// Where mail comes in.
    #[serde(deserialize_with = "object")]
    imap: ServerInput,
    /// Where replies go out.
    #[serde(deserialize_with = "object")]
    smtp: ServerInput,
    /// Access tokens instead of passwords.
    #[serde(default, deserialize_with = "maybe_object")]
    oauth: Option<OAuthInput>,
    /// The host whose `Authentication-Results` are believed; Gmail's own at Gmail, elsewhere none if left out.
    #[serde(default, alias = "authserv_id")]
    authserv_id: Option<Line>,
    /// Whether mail is answered that names none of its addresses; no, unless said otherwise.
    #[serde(default, alias = "answer_unaddressed")]
    answer_unaddressed: Option<bool>,
    /// Whether mail is answered that it got a copy of; no, unless said otherwise.
    #[serde(default, alias = "answer_copies")]
    answer_copies: Option<bool>,
    /// Whether it is to be watched; yes, unless said otherwise.
    #[serde(default)]
    enabled: Option<bool>,
}

/// Add a mailbox.
///
/// It is watched within seconds. Mail that it held before is not answered.
#[utoipa::path(
    post, path = "/api/mailboxes", tag = "mailboxes", request_body = NewMailboxInput,
    responses(
        (status = CREATED, description = "It is added.", body = MailboxAnswer),
        (
            status = CONFLICT, body = ErrorBody,
            description = "There is one of this address (`details.id` names it), or there are too many.",
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Input(input): Input<NewMailboxInput>,
) -> Result<(StatusCode, Json<MailboxAnswer>), ApiError> {
    let mailbox = usual(&api, &caller, input.address.0);
    let id = mailbox.id;
    let settings = MailboxInput {
        address: None,
        aliases: input.aliases.map(Some),
        folder: input.folder.map(Some),
        imap: Some(input.imap),
        smtp: Some(input.smtp),
        oauth: input.oauth.map(Some),
        authserv_id: input.authserv_id.map(Some),
        answer_unaddressed: input.answer_unaddressed.map(Some),
        answer_copies: input.answer_copies.map(Some),
        enabled: input.enabled,
    };
    let mailbox = settle(&api, mailbox, settings)?;
    api.store.add_mailbox(mailbox, caller.entry("mailbox_added", subject(id))).await?.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(find(&api, &caller, id).await?.into())))
}

/// A mailbox of which nothing but the address is said.
fn usual(api: &Api, caller: &Caller, address: String) -> Mailbox {
    let clock = api.store.clock();
    let nowhere = Server {
        host: String::new(),
        port: 0,
        security: String::new(),
        username: String::new(),
        password: None,
        ca: None,
    };
    Mailbox {
        id: MailboxId::new(clock),
        user_id: caller.user,
        address,
        aliases: Vec::new(),
        folder: INBOX.to_owned(),
        imap: nowhere.clone(),
        smtp: nowhere,
        oauth: None,
        reception: Reception::default(),
        secrets_fingerprint: String::new(),
        enabled: true,
        state: MailboxState::Active,
        state_reason: None,
        activated_at: clock.now(),
        last_alive_at: None,
        uid_validity: None,
        next_uid: None,
        updated_at: clock.now(),
    }
}

fn refused(refusal: MailboxRefusal) -> ApiError {
    match refusal {
        MailboxRefusal::AddressTaken(id) => {
            ApiError::new(ErrorCode::AlreadyExists, "there is a mailbox of this address; change that one")
                .with(json!({ "field": "address", "id": id.to_string() }))
        }
        MailboxRefusal::TooMany => {
            ApiError::new(ErrorCode::LimitReached, "there are as many mailboxes as may be; delete one first")
        }
    }
}
