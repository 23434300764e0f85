//! Trying a mailbox's servers, as answering mail will.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use utoipa::ToSchema;

use super::find;
use crate::http::Api;
use crate::http::caller::Caller;
use crate::http::error::ApiError;
use crate::http::input::Id;
use crate::mailbox::{ImapFindings, SmtpFindings, Trial, TrialError};
use crate::store::{Allowance, MailboxId};

/// In what time trials are counted.
const WINDOW: Duration = Duration::from_secs(3600);
/// No failure is told sooner, so that its time says nothing about a network (SR-59).
const SOONEST: Duration = Duration::from_secs(1);

/// What a mailbox's servers can do.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialAnswer {
    /// Whether both servers do what answering mail needs.
    ok: bool,
    /// The server for reading.
    imap: ImapAnswer,
    /// The server for sending.
    smtp: SmtpAnswer,
}

/// What became of trying to read.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct ImapAnswer {
    /// Whether it works.
    ok: bool,
    /// Why not: `login_refused`, `not_allowed`, `unreachable`, `tls`, `folder_missing`, `secret_unreadable` or
    /// `unusable`.
    #[schema(example = "login_refused")]
    code: Option<&'static str>,
    /// Why not, in words.
    problem: Option<String>,
    /// Whether the server tells new mail at once (IDLE); otherwise it is asked again and again.
    idle: Option<bool>,
    /// Whether it can move mails.
    r#move: Option<bool>,
    /// Whether the watched folder keeps marks of ours.
    keeps_marks: Option<bool>,
    /// Mails in the watched folder.
    mails: Option<u32>,
    /// The folder for sent mail.
    sent_folder: Option<String>,
}

/// What became of trying to send.
#[derive(Default, Serialize, ToSchema)]
pub(super) struct SmtpAnswer {
    /// Whether it works.
    ok: bool,
    /// Why not, as for reading.
    #[schema(example = "unreachable")]
    code: Option<&'static str>,
    /// Why not, in words.
    problem: Option<String>,
    /// The largest mail that the server takes, in bytes, where it says so.
    largest_mail: Option<u64>,
}

/// Try a mailbox's servers.
///
/// Logs in to both and opens the watched folder. Nothing is changed or sent there.
#[utoipa::path(
    post, path = "/api/mailboxes/{id}/test", tag = "mailboxes",
    params(("id" = uuid::Uuid, Path, description = "The mailbox.")),
    responses((status = OK, description = "What works.", body = TrialAnswer)),
)]
pub(crate) async fn test(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Id(id): Id<MailboxId>,
) -> Result<Json<TrialAnswer>, ApiError> {
    let mailbox = find(&api, &caller, id).await?;
    count(&api, &caller).await?;
    let soonest = Instant::now() + SOONEST;
    let trial = Trial {
        mailbox: &mailbox,
        vault: &api.vault,
        dialler: &api.dialler,
        tokens: &api.tokens,
        imap: &api.config.mailbox,
        smtp: &api.config.smtp,
    };
    let (imap, smtp) = tokio::join!(trial.imap(), trial.smtp());
    if imap.is_err() || smtp.is_err() {
        sleep_until(soonest).await;
    }
    let (imap, smtp) = (ImapAnswer::from(imap), SmtpAnswer::from(smtp));
    Ok(Json(TrialAnswer { ok: imap.ok && smtp.ok, imap, smtp }))
}

impl From<Result<ImapFindings, TrialError>> for ImapAnswer {
    fn from(tried: Result<ImapFindings, TrialError>) -> Self {
        match tried {
            Ok(found) => Self {
                ok: true,
                idle: Some(found.idle),
                r#move: Some(found.r#move),
                keeps_marks: Some(found.keeps_keywords),
                mails: Some(found.mails),
                sent_folder: found.sent_folder,
                ..Self::default()
            },
            Err(error) => {
                Self { code: Some(error.code()), problem: Some(error.to_string()), ..Self::default() }
            }
        }
    }
}

impl From<Result<SmtpFindings, TrialError>> for SmtpAnswer {
    fn from(tried: Result<SmtpFindings, TrialError>) -> Self {
        match tried {
            Ok(found) => Self { ok: true, largest_mail: found.largest_mail, ..Self::default() },
            Err(error) => {
                Self { code: Some(error.code()), problem: Some(error.to_string()), ..Self::default() }
            }
        }
    }
}

/// Nobody is to guess passwords with our help.
async fn count(api: &Api, caller: &Caller) -> Result<(), ApiError> {
    let name = format!("mailbox_test:{}", caller.user);
    let allowance = Allowance { name, tries: api.config.http.key_checks_per_user, window: WINDOW };
    match api.store.count_attempt(allowance).await? {
        None => Ok(()),
        Some(wait) => Err(ApiError::too_many(wait)),
    }
}
