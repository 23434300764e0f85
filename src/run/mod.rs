//! From a claimed run to its outcome, one page per step, each taking the last one's value:
//!
//! ```text
//! claim -> resolve -> (gate) -> unlock -> prompt -> generate -> freeze -> send -> outcome
//!          Task                 Key       Conversation  Words    OutboxMail
//! ```
//!
//! Every step looks first at what an earlier attempt has stored: a frozen reply is sent and not composed again, a
//! stored answer is composed and not asked for again. `error` alone says what an error means for the run.

pub mod explain;

mod conduct;
mod courier;
mod error;
mod freeze;
mod generate;
mod insist;
mod meter;
mod prompt;
mod resolve;
mod send;
mod turnstile;
mod unlock;

use std::sync::Arc;

use crate::config;
use crate::net::{Dialler, HttpClients, Tokens};
use crate::queue::Outcome;
use crate::store::{AiConfigurationId, Claim, OutboxMail, Store};
use crate::vault::Vault;

use self::courier::Couriers;
use self::error::RunError;
use self::resolve::Task;
use self::turnstile::Turnstiles;

/// What answering needs.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    vault: Arc<Vault>,
    clients: HttpClients,
    couriers: Couriers,
    calls: Turnstiles<AiConfigurationId>,
    config: Arc<config::Config>,
}

impl Runner {
    /// A runner over the process's database, keys and connections.
    pub fn new(
        store: Store,
        vault: Arc<Vault>,
        clients: HttpClients,
        dialler: Arc<Dialler>,
        tokens: Tokens,
        config: Arc<config::Config>,
    ) -> Self {
        let couriers = Couriers::new(dialler, tokens, store.clock().clone(), config.smtp.clone());
        let calls = Turnstiles::new(config.provider.per_key);
        Self { store, vault, clients, couriers, calls, config }
    }

    /// Works on a claimed run to its outcome. May be dropped at any await.
    pub async fn run_once(&self, claim: Claim) -> Outcome {
        match self.answer(&claim).await {
            Ok(outcome) => outcome,
            Err(error) => error.outcome(self, &claim).await,
        }
    }

    async fn answer(&self, claim: &Claim) -> Result<Outcome, RunError> {
        let dossier = self.look_up(claim).await?;
        if let Some(outcome) = self.recall(claim, &dossier).await? {
            return Ok(outcome);
        }
        let mut task = self.resolve(claim, dossier).await?;
        let reply = match task.reply.take() {
            Some(frozen) => frozen,
            None if self.is_too_late(&task) => return Err(RunError::TooLate),
            None => self.write(&mut task).await?,
        };
        self.send(&task, reply).await
    }

    /// The frozen reply, from a stored answer or a new one.
    async fn write(&self, task: &mut Task) -> Result<OutboxMail, RunError> {
        if let Some(words) = task.words.take() {
            return self.freeze(task, words).await;
        }
        self.check_brakes(task).await?;
        let key = match self.unlock(task) {
            Ok(key) => key,
            Err(error) => {
                // People want to know whose agent it is that lacks a key.
                self.store.assign_agent(task.lease, task.agent.id).await?;
                return Err(error);
            }
        };
        let conversation = self.prompt(task, key.max_output_tokens).await?;
        let answer = self.generate(task, key, conversation).await?;
        self.keep(task, answer).await
    }
}
