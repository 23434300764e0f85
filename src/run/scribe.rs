//! What writing a reply needs. Nothing in here can send one: a preview is written by it, and no way to a mail server is
//! in its reach.

use std::sync::Arc;

use super::error::RunError;
use super::generate::Purpose;
use super::resolve::Task;
use super::turnstile::Turnstiles;
use crate::config;
use crate::net::HttpClients;
use crate::store::{AiConfigurationId, OutboxMail, Store, UserId};
use crate::vault::Vault;

/// Writes replies; cheap to clone.
#[derive(Clone)]
pub struct Scribe {
    pub(super) store: Store,
    pub(super) vault: Arc<Vault>,
    pub(super) clients: HttpClients,
    pub(super) calls: Turnstiles<AiConfigurationId>,
    pub(super) chats: Turnstiles<UserId>,
    pub(super) config: Arc<config::Config>,
}

impl Scribe {
    /// Over the process's database, keys and ways to providers.
    pub fn new(store: Store, vault: Arc<Vault>, clients: HttpClients, config: Arc<config::Config>) -> Self {
        let calls = Turnstiles::new(config.provider.per_key);
        let chats = Turnstiles::new(config.http.chats_per_user);
        Self { store, vault, clients, calls, chats, config }
    }

    /// The frozen reply, from a stored answer or a new one.
    pub(super) async fn write(&self, task: &mut Task) -> Result<OutboxMail, RunError> {
        if let Some(words) = task.words.take() {
            return self.freeze(task, words).await;
        }
        let question = &task.question;
        self.check_brakes(question).await?;
        let key = match self.unlock(question) {
            Ok(key) => key,
            Err(error) => {
                // People want to know whose agent it is that lacks a key.
                self.store.assign_agent(task.lease, question.agent.id).await?;
                return Err(error);
            }
        };
        let conversation = self.prompt(question).await?;
        let answer = self.generate(question, Purpose::Run(task.lease), key, &conversation).await?;
        self.keep(task, answer).await
    }
}
