//! A whole Postkey between scripted servers: mail comes in by IMAP, a provider is asked, replies go out by SMTP.
//!
//! ```ignore
//! let office = Office::open(&database).await;
//! let ann = office.hire("ann@shop.test").await;
//! let served = office.serve().await;
//! office.deliver(&ann, 1);
//! office.until_counted(&ann, RunState::Replied, 1).await;
//! served.end().await;
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use postkey::app::App;
use postkey::clock::Clock;
use postkey::config::Config;
use postkey::mail::{self, Limits, Mail};
use postkey::store::{Agent, AiConfigurationId, Notice, Provision, Run, RunState, Store, columns};
use postkey::vault::Place;
use secrecy::SecretString;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::database::TestDatabase;
use super::imap_server::ImapServer;
use super::loopback::Encryption;
use super::provider_server::ProviderServer;
use super::smtp_server::{AcceptedMail, SmtpServer};
use super::wait::until;
use super::world::{
    Desk, Servers, add_owner, add_owner_with_key, ai_configuration, count, letter, quick_config, test_vault,
};

/// Longer than anything here takes on a busy machine.
pub const LONG: Duration = Duration::from_secs(60);

/// The password of every account.
pub const PASSWORD: &str = "office secret";

/// The servers, the database and the configuration of one Postkey.
pub struct Office {
    /// Where mail comes in.
    pub imap: ImapServer,
    /// Where mail goes out.
    pub smtp: SmtpServer,
    /// Who is asked.
    pub provider: ProviderServer,
    /// Where they all are.
    pub servers: Servers,
    /// What [`Office::serve`] starts with.
    pub config: Config,
    /// The database, as an operator sees it.
    pub store: Store,
}

impl Office {
    /// Starts the servers and makes the tables.
    pub async fn open(database: &TestDatabase) -> Self {
        let (imap, smtp) =
            (ImapServer::start(Encryption::None).await, SmtpServer::start(Encryption::None).await);
        let provider = ProviderServer::start().await;
        let servers = Servers {
            imap: imap.address(),
            imap_ca: None,
            smtp: smtp.address(),
            provider: provider.base_url(),
            password: PASSWORD.into(),
        };
        let config = quick_config(database, &servers);
        let store = App::open(config.clone(), Clock::system()).await.unwrap().store().clone();
        Self { imap, smtp, provider, servers, config, store }
    }

    /// Makes an owner with one mailbox, one agent and one key, and their accounts on the servers.
    pub async fn hire(&self, address: &str) -> Desk {
        self.imap.add_account(address, PASSWORD);
        self.smtp.add_account(address, PASSWORD);
        add_owner(&self.store, &self.servers, &[address]).await.remove(0)
    }

    /// The same without a key.
    pub async fn hire_without_key(&self, address: &str) -> Desk {
        self.imap.add_account(address, PASSWORD);
        self.smtp.add_account(address, PASSWORD);
        add_owner_with_key(&self.store, &self.servers, &[address], None).await.remove(0)
    }

    /// Saves a key as the owner would: in place of the old one, if there is one.
    pub async fn save_key(&self, desk: &Desk, key: &str) {
        let saved = self.store.list_ai_configurations(desk.user).await.unwrap();
        let id = saved.first().map_or_else(|| AiConfigurationId::new(self.store.clock()), |saved| saved.id);
        let ai_configurations = vec![ai_configuration(id, desk.user, &self.servers.provider, key)];
        self.store.provision(Provision { ai_configurations, ..Provision::default() }).await.unwrap();
    }

    /// Saves another password for outgoing mail.
    pub async fn save_smtp_password(&self, desk: &Desk, password: &str) {
        let mut mailbox = self.store.find_mailbox(desk.user, desk.mailbox).await.unwrap().unwrap();
        let (owner, record) = (desk.user.uuid(), desk.mailbox.uuid());
        let place = Place { column: columns::SMTP_PASSWORD, owner, record, provider: "mailbox" };
        let sealed = test_vault().seal(&place, &SecretString::from(password.to_owned())).unwrap();
        mailbox.smtp.password = Some(sealed);
        self.store.provision(Provision { mailboxes: vec![mailbox], ..Provision::default() }).await.unwrap();
    }

    /// Changes the owner's agent.
    pub async fn change_agent(&self, desk: &Desk, change: impl FnOnce(&mut Agent)) {
        let mut agent = self.store.list_agents(desk.user).await.unwrap().remove(0);
        change(&mut agent);
        self.store.provision(Provision { agents: vec![agent], ..Provision::default() }).await.unwrap();
    }

    /// Puts the letter of this number into the mailbox.
    pub fn deliver(&self, desk: &Desk, number: usize) {
        self.imap.deliver(&desk.address, &letter(number, &desk.address));
    }

    /// Starts the service.
    pub async fn serve(&self) -> Served {
        let mut app = App::open(self.config.clone(), Clock::system()).await.unwrap();
        let address = app.listen().await.unwrap().unwrap();
        let stop = CancellationToken::new();
        let token = stop.clone();
        Served { address, stop, ended: tokio::spawn(async move { app.serve(token).await.unwrap() }) }
    }

    /// Waits until so many of the owner's runs stand in this state.
    pub async fn until_counted(&self, desk: &Desk, state: RunState, number: usize) {
        let what = format!("{number} runs are {}", state.as_str());
        until(&what, LONG, async || count(&self.store, desk.user, state).await == number).await;
    }

    /// Waits until so many of the owner's runs are in this state for this reason.
    pub async fn until_reason(&self, desk: &Desk, state: RunState, reason: &str, number: usize) {
        let what = format!("{number} runs are {} for {reason}", state.as_str());
        until(&what, LONG, async || {
            let runs = self.runs(desk).await;
            let of_reason =
                runs.iter().filter(|run| run.state == state && run.reason.as_deref() == Some(reason));
            of_reason.count() == number
        })
        .await;
    }

    /// The owner's runs, newest first.
    pub async fn runs(&self, desk: &Desk) -> Vec<Run> {
        self.store.list_runs(desk.user, None, 1000).await.unwrap()
    }

    /// The owner's only run.
    pub async fn only_run(&self, desk: &Desk) -> Run {
        let mut runs = self.runs(desk).await;
        assert_eq!(runs.len(), 1);
        runs.remove(0)
    }

    /// What the owner is told and has not mended.
    pub async fn open_notices(&self, desk: &Desk) -> Vec<Notice> {
        let notices = self.store.list_notices(desk.user, None, 100).await.unwrap();
        notices.into_iter().filter(|notice| notice.ended_at.is_none()).collect()
    }

    /// The numbers of the letters that were answered, in the order of the answers.
    pub fn answered(&self) -> Vec<usize> {
        self.smtp.accepted().iter().map(answered_number).collect()
    }

    /// Each of these letters was answered exactly once, and no other.
    pub fn check_answered_once(&self, numbers: impl IntoIterator<Item = usize>) {
        let mut answered = self.answered();
        answered.sort_unstable();
        assert_eq!(answered, numbers.into_iter().collect::<Vec<_>>());
    }
}

/// The letter that a reply answers.
pub fn answered_number(reply: &AcceptedMail) -> usize {
    let parent = read(reply).in_reply_to[0].as_str().to_owned();
    parent.strip_prefix("question-").unwrap().split('@').next().unwrap().parse().unwrap()
}

/// A reply as its recipient reads it.
pub fn read(reply: &AcceptedMail) -> Mail {
    mail::read(&reply.bytes, &Limits::default())
}

/// The running service.
pub struct Served {
    /// Where its API listens.
    pub address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Served {
    /// Stops it in order.
    pub async fn end(self) {
        self.stop.cancel();
        self.ended.await.unwrap();
    }
}
