//! Two owners, each with a key, a mailbox and an agent of their own.

use std::net::SocketAddr;

use secrecy::SecretString;

use super::DemoError;
use crate::clock::Clock;
use crate::store::{
    API_KEY_COLUMN, Agent, AgentId, AiConfigurationId, AmbiguousPolicy, Mailbox, MailboxId, MailboxState,
    Mode, NewAiConfiguration, NewUser, Provision, Reception, Rules, Server, UserId, Voice, columns,
};
use crate::vault::{Place, Vault, mask};

/// A part to be played.
pub(super) struct Part {
    name: &'static str,
    email: &'static str,
    /// The mailbox's address.
    pub(super) address: &'static str,
    agent: &'static str,
    instructions: &'static str,
    key_prefix: &'static str,
}

/// The kettle shop.
pub(super) const KETTLES: Part = Part {
    name: "Anna Berg",
    email: "anna@berg.example",
    address: "orders@kettles.example",
    agent: "Kettle desk",
    instructions: "You answer for a small shop that sells kettles. Be brief, friendly and exact. Orders leave the \
                   house within two days. If you do not know something, say that Anna will look it up.",
    key_prefix: "sk-anna-",
};

/// The lamp shop.
pub(super) const LAMPS: Part = Part {
    name: "Ben Okoro",
    email: "ben@okoro.example",
    address: "hello@lamps.example",
    agent: "Lamp desk",
    instructions: "You answer for a workshop that makes lamps. Be brief and warm. Shipping within Europe costs \
                   12 euros. If you do not know something, say that Ben will write himself.",
    key_prefix: "sk-ben-",
};

/// An owner on stage.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) user: UserId,
    pub(super) name: &'static str,
    pub(super) mailbox: MailboxId,
    pub(super) address: &'static str,
    pub(super) agent: &'static str,
    /// The key in the clear, to ask the provider stand-in what it was used for.
    pub(super) key: SecretString,
}

/// Where an owner's mail is, and whom the agent asks.
pub(super) struct Surroundings {
    pub(super) imap: SocketAddr,
    pub(super) smtp: SocketAddr,
    /// Name of the provider.
    pub(super) provider: &'static str,
    pub(super) base_url: Option<String>,
    pub(super) model: String,
    /// The key that all owners share; without it each gets one of their own.
    pub(super) key: Option<SecretString>,
}

impl Part {
    /// The rows that make this owner.
    pub(super) fn provision(
        &self,
        clock: &Clock,
        vault: &Vault,
        around: &Surroundings,
        password: &SecretString,
    ) -> Result<(Owner, Provision), DemoError> {
        let owner = Owner {
            user: UserId::new(clock),
            name: self.name,
            mailbox: MailboxId::new(clock),
            address: self.address,
            agent: self.agent,
            key: around.key.clone().unwrap_or_else(|| self.new_key()),
        };
        let user = NewUser {
            id: owner.user,
            email: self.email.to_owned(),
            name: self.name.to_owned(),
            role: None,
            password_hash: None,
        };
        let provision = Provision {
            users: vec![user],
            ai_configurations: vec![owner.ai_configuration(clock, vault, around)?],
            mailboxes: vec![owner.mailbox_row(clock, vault, around, password)?],
            agents: vec![owner.agent_row(clock, self.instructions)],
        };
        Ok((owner, provision))
    }

    fn new_key(&self) -> SecretString {
        SecretString::from(format!("{}{:032x}", self.key_prefix, rand::random::<u128>()))
    }
}

impl Owner {
    fn ai_configuration(
        &self,
        clock: &Clock,
        vault: &Vault,
        around: &Surroundings,
    ) -> Result<NewAiConfiguration, DemoError> {
        let (id, owner) = (AiConfigurationId::new(clock), self.user.uuid());
        let place = Place { column: API_KEY_COLUMN, owner, record: id.uuid(), provider: around.provider };
        Ok(NewAiConfiguration {
            id,
            user_id: self.user,
            provider: around.provider.to_owned(),
            base_url: around.base_url.clone(),
            model: around.model.clone(),
            temperature: None,
            max_output_tokens: None,
            api_key: vault.seal(&place, &self.key)?,
            api_key_mask: mask(&self.key),
            api_key_last_four: None,
            key_fingerprint: vault.fingerprint(owner, &self.key),
            is_default: true,
            verified_at: None,
        })
    }

    fn mailbox_row(
        &self,
        clock: &Clock,
        vault: &Vault,
        around: &Surroundings,
        password: &SecretString,
    ) -> Result<Mailbox, DemoError> {
        let server = |at: SocketAddr, column| {
            let place =
                Place { column, owner: self.user.uuid(), record: self.mailbox.uuid(), provider: "mailbox" };
            Ok::<_, DemoError>(Server {
                host: at.ip().to_string(),
                port: at.port(),
                security: "none".to_owned(),
                username: self.address.to_owned(),
                password: Some(vault.seal(&place, password)?),
                ca: None,
            })
        };
        Ok(Mailbox {
            id: self.mailbox,
            user_id: self.user,
            address: self.address.to_owned(),
            aliases: Vec::new(),
            folder: "INBOX".to_owned(),
            imap: server(around.imap, columns::IMAP_PASSWORD)?,
            smtp: server(around.smtp, columns::SMTP_PASSWORD)?,
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
        })
    }

    fn agent_row(&self, clock: &Clock, instructions: &str) -> Agent {
        Agent {
            id: AgentId::new(clock),
            user_id: self.user,
            mailbox_id: Some(self.mailbox),
            ai_configuration_id: None,
            name: self.agent.to_owned(),
            kind: "email_inbound".to_owned(),
            address: None,
            instructions: instructions.to_owned(),
            mode: Mode::Automatic,
            ambiguous: AmbiguousPolicy::Hold,
            allow_platform_key: false,
            enabled: true,
            rules: Rules::default(),
            voice: Voice::default(),
        }
    }
}
