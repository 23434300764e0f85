//! From a claimed run to its outcome, one page per step, each taking the last one's value:
//!
//! ```text
//! claim -> resolve -> (gate) -> unlock -> prompt -> generate -> freeze -> send -> outcome
//!          Task                 Key       Conversation  Words    OutboxMail
//! ```
//!
//! Every step looks first at what an earlier attempt has stored: a frozen reply is sent and not composed again, a
//! stored answer is composed and not asked for again. `error` alone says what an error means for the run.
//!
//! Everything up to `freeze` is the work of a [`Scribe`], which cannot send; a [`Preview`] is made by it alone, and so is
//! the answer to a [`ChatRequest`].

pub mod decide;
pub mod explain;

mod chat;
mod conduct;
mod courier;
mod error;
mod freeze;
mod generate;
mod insist;
mod meter;
mod preview;
mod prompt;
mod resolve;
mod scribe;
mod send;
mod turnstile;
mod unlock;

use std::sync::Arc;

use crate::net::{Dialler, Tokens};
use crate::queue::{Outcome, is_spent};
use crate::store::Claim;

use self::courier::Couriers;
use self::error::RunError;

pub use self::chat::{ChatError, ChatKey, ChatPiece, ChatRequest, GivenKey};
pub use self::preview::{Material, Preview, PreviewError, Refused, Written};
pub use self::scribe::Scribe;

/// What answering needs.
pub struct Runner {
    scribe: Scribe,
    couriers: Couriers,
}

impl Runner {
    /// A runner that sends what this scribe writes.
    pub fn new(scribe: Scribe, dialler: Arc<Dialler>, tokens: Tokens) -> Self {
        let (clock, config) = (scribe.store.clock().clone(), scribe.config.smtp.clone());
        Self { couriers: Couriers::new(dialler, tokens, clock, config), scribe }
    }

    /// Works on a claimed run to its outcome. May be dropped at any await.
    pub async fn run_once(&self, claim: Claim) -> Outcome {
        match self.answer(&claim).await {
            Ok(outcome) => outcome,
            Err(error) => error.outcome(&self.scribe, &claim).await,
        }
    }

    async fn answer(&self, claim: &Claim) -> Result<Outcome, RunError> {
        let dossier = self.scribe.look_up(claim).await?;
        if let Some(outcome) = self.recall(claim, &dossier).await? {
            return Ok(outcome);
        }
        if is_spent(claim.attempt, &self.scribe.config.worker) {
            return Err(RunError::Spent);
        }
        let mut task = self.scribe.resolve(claim, dossier).await?;
        let reply = match task.reply.take() {
            Some(frozen) => frozen,
            None if self.is_too_late(&task.question) => return Err(RunError::TooLate),
            None => self.scribe.write(&mut task).await?,
        };
        self.send(&task, reply).await
    }
}
