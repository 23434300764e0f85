//! Owners with keys, mailboxes and agents, ready to be served, against whatever mail and AI servers a test has.

use std::net::SocketAddr;
use std::time::Duration;

use postkey::clock::Clock;
use postkey::config::{self, Config};
use postkey::store::{
    API_KEY_COLUMN, Agent, AgentId, AiConfigurationId, AmbiguousPolicy, Mailbox, MailboxId, MailboxState,
    Mode, NewAiConfiguration, NewUser, Provision, Reception, Rules, RunState, Server, Store, UserId, Voice,
    columns,
};
use postkey::vault::{Place, Vault};
use secrecy::SecretString;

use super::database::TestDatabase;

/// The vault key of all tests.
pub const KEKS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A mailbox, its agent and its owner's key.
#[derive(Clone, Debug)]
pub struct Desk {
    /// The owner.
    pub user: UserId,
    /// The mailbox.
    pub mailbox: MailboxId,
    /// Its address, which is also the account's name.
    pub address: String,
    /// The owner's provider key in the clear.
    pub key: String,
}

/// Where the world's servers are.
#[derive(Clone, Debug)]
pub struct Servers {
    /// IMAP.
    pub imap: SocketAddr,
    /// Certificates to trust for IMAP; plain text without.
    pub imap_ca: Option<String>,
    /// SMTP, plain text.
    pub smtp: SocketAddr,
    /// Base URL of the provider.
    pub provider: String,
    /// The accounts' password.
    pub password: String,
}

impl Servers {
    /// The operator's list that lets Postkey reach them.
    pub fn private_endpoints(&self) -> Vec<String> {
        let provider = url::Url::parse(&self.provider).unwrap();
        let port = provider.port().unwrap();
        vec![self.imap.to_string(), self.smtp.to_string(), format!("127.0.0.1:{port}")]
    }
}

/// A configuration with short times for these servers and this database.
pub fn quick_config(database: &TestDatabase, servers: &Servers) -> Config {
    Config {
        database: config::Database { url: database.url().to_owned(), ..config::Database::default() },
        vault: config::VaultSource {
            keks: Some(SecretString::from(KEKS)),
            active: Some("k1".into()),
            ..config::VaultSource::default()
        },
        worker: config::Worker {
            lease: Duration::from_secs(3),
            retry_first: Duration::from_millis(50),
            retry_factor: 1,
            ..config::Worker::default()
        },
        mailbox: config::Mailbox {
            poll: Duration::from_secs(1),
            refresh: Duration::from_millis(200),
            reconnect_first: Duration::from_millis(50),
            reconnect_longest: Duration::from_secs(1),
            lease: Duration::from_secs(3),
            ..config::Mailbox::default()
        },
        smtp: config::Smtp {
            messages_per_minute: 0,
            retry_first: Duration::from_secs(1),
            ..config::Smtp::default()
        },
        http: config::Http { listen: "127.0.0.1:0".into(), ..config::Http::default() },
        network: config::Network {
            private_endpoints: servers.private_endpoints(),
            ..config::Network::default()
        },
        ..Config::default()
    }
}

/// Makes a user with one key and these mailboxes, each with an agent. The user's name is the part before the `@`
/// of the first address.
pub async fn add_owner(store: &Store, servers: &Servers, addresses: &[&str]) -> Vec<Desk> {
    let name = addresses[0].split('@').next().unwrap();
    let key = format!("sk-test-{name}-0123456789abcdef");
    add_owner_with_key(store, servers, addresses, Some(&key)).await
}

/// The same with this key, or without any.
pub async fn add_owner_with_key(
    store: &Store,
    servers: &Servers,
    addresses: &[&str],
    key: Option<&str>,
) -> Vec<Desk> {
    let clock = store.clock();
    let vault = test_vault();
    let user = UserId::new(clock);
    let name = addresses[0].split('@').next().unwrap();
    let configurations =
        key.map(|key| ai_configuration(AiConfigurationId::new(clock), user, &servers.provider, key));
    let mut provision = Provision {
        users: vec![NewUser {
            id: user,
            email: format!("{name}@owner.test"),
            name: format!("Owner {name}"),
            role: None,
            password_hash: None,
        }],
        ai_configurations: configurations.into_iter().collect(),
        ..Provision::default()
    };
    let mut desks = Vec::new();
    for address in addresses {
        let mailbox = mailbox(&vault, clock, user, servers, address);
        provision.agents.push(agent(clock, user, mailbox.id, address));
        desks.push(Desk {
            user,
            mailbox: mailbox.id,
            address: (*address).into(),
            key: key.unwrap_or_default().into(),
        });
        provision.mailboxes.push(mailbox);
    }
    store.provision(provision).await.unwrap();
    desks
}

/// The vault of [`KEKS`].
pub fn test_vault() -> Vault {
    let key: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    Vault::single("k1", key).unwrap()
}

/// A configuration with this key, sealed for this row; it becomes the default.
pub fn ai_configuration(
    id: AiConfigurationId,
    user: UserId,
    provider_url: &str,
    key: &str,
) -> NewAiConfiguration {
    let vault = test_vault();
    let secret = SecretString::from(key.to_owned());
    let provider = "openai_compatible".to_owned();
    let place = Place { column: API_KEY_COLUMN, owner: user.uuid(), record: id.uuid(), provider: &provider };
    NewAiConfiguration {
        id,
        user_id: user,
        base_url: Some(provider_url.to_owned()),
        model: "test-model".into(),
        temperature: None,
        max_output_tokens: None,
        api_key: vault.seal(&place, &secret).unwrap(),
        api_key_mask: postkey::vault::mask(&secret),
        api_key_last_four: None,
        key_fingerprint: vault.fingerprint(user.uuid(), &secret),
        is_default: true,
        verified_at: None,
        provider,
    }
}

fn mailbox(vault: &Vault, clock: &Clock, user: UserId, servers: &Servers, address: &str) -> Mailbox {
    let id = MailboxId::new(clock);
    let seal = |column| {
        let place = Place { column, owner: user.uuid(), record: id.uuid(), provider: "mailbox" };
        Some(vault.seal(&place, &SecretString::from(servers.password.clone())).unwrap())
    };
    let server = |at: SocketAddr, ca: Option<String>, column| Server {
        host: at.ip().to_string(),
        port: at.port(),
        security: if ca.is_some() { "tls" } else { "none" }.into(),
        username: address.into(),
        password: seal(column),
        ca,
    };
    Mailbox {
        id,
        user_id: user,
        address: address.into(),
        aliases: Vec::new(),
        folder: "INBOX".into(),
        imap: server(servers.imap, servers.imap_ca.clone(), columns::IMAP_PASSWORD),
        smtp: server(servers.smtp, None, columns::SMTP_PASSWORD),
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

/// An agent that answers whatever comes to the mailbox.
pub fn agent(clock: &Clock, user: UserId, mailbox: MailboxId, address: &str) -> Agent {
    Agent {
        id: AgentId::new(clock),
        user_id: user,
        mailbox_id: Some(mailbox),
        ai_configuration_id: None,
        name: format!("agent of {address}"),
        kind: "email_inbound".into(),
        address: None,
        instructions: "Answer kindly.".into(),
        mode: Mode::Automatic,
        ambiguous: AmbiguousPolicy::Hold,
        allow_platform_key: false,
        enabled: true,
        rules: Rules::default(),
        voice: Voice::default(),
    }
}

/// A small mail from a correspondent of its own.
pub fn letter(number: usize, to: &str) -> Vec<u8> {
    format!(
        "Return-Path: <person{number}@else.test>\r\nFrom: Person {number} <person{number}@else.test>\r\nTo: {to}\r\n\
         Subject: Question {number}\r\nMessage-ID: <question-{number}@else.test>\r\n\
         Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nWhat about number {number}?\r\n"
    )
    .into_bytes()
}

/// How many runs of a user stand in a state.
pub async fn count(store: &Store, user: UserId, state: RunState) -> usize {
    let counts = store.count_runs(user).await.unwrap();
    let runs: i64 = counts.iter().filter(|count| count.state == state).map(|count| count.runs).sum();
    usize::try_from(runs).unwrap()
}
