//! What an agent still lacks before it can answer.

use serde::Serialize;
use utoipa::ToSchema;

use crate::http::Api;
use crate::http::error::ApiError;
use crate::store::{Agent, AiConfiguration, KeyState, Mailbox, MailboxState, UserId};

/// Something that an agent needs and lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Missing {
    /// It answers for no mailbox.
    Mailbox,
    /// Its mailbox is paused, or stopped since it cannot be watched.
    ActiveMailbox,
    /// There is no AI configuration that it could use.
    AiConfig,
    /// The provider has refused the key of its AI configuration.
    ValidKey,
}

/// What a user's agents can use.
pub(super) struct Means {
    mailboxes: Vec<Mailbox>,
    ai_configurations: Vec<AiConfiguration>,
    has_platform_key: bool,
}

impl Means {
    pub(super) async fn of(api: &Api, user: UserId) -> Result<Self, ApiError> {
        Ok(Self {
            mailboxes: api.store.list_mailboxes(user).await?,
            ai_configurations: api.store.list_ai_configurations(user).await?,
            has_platform_key: api.config.platform_key.is_some(),
        })
    }

    /// What the agent lacks; nothing where it is ready.
    pub(super) fn missing(&self, agent: &Agent) -> Vec<Missing> {
        self.missing_mailbox(agent).into_iter().chain(self.missing_key(agent)).collect()
    }

    fn missing_mailbox(&self, agent: &Agent) -> Option<Missing> {
        let mailbox = self.mailboxes.iter().find(|mailbox| Some(mailbox.id) == agent.mailbox_id);
        match mailbox {
            None => Some(Missing::Mailbox),
            Some(mailbox) if mailbox.enabled && mailbox.state == MailboxState::Active => None,
            Some(_) => Some(Missing::ActiveMailbox),
        }
    }

    fn missing_key(&self, agent: &Agent) -> Option<Missing> {
        let found = self.ai_configurations.iter().find(|configuration| match agent.ai_configuration_id {
            Some(named) => configuration.id == named,
            None => configuration.is_default,
        });
        match found {
            Some(configuration) if configuration.state == KeyState::Invalid => Some(Missing::ValidKey),
            Some(_) => None,
            None if self.has_platform_key && agent.allow_platform_key => None,
            None => Some(Missing::AiConfig),
        }
    }
}
