//! One owner with one watched mailbox between scripted servers, served as in real life.

use std::time::Duration;

use postkey::app::{App, AppError};
use postkey::clock::Clock;
use postkey::config::Config;
use postkey::mail::{self, Limits, Mail};
use postkey::store::{AmbiguousPolicy, Mailbox, Provision, Run, RunState, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::database::TestDatabase;
use crate::support::imap_server::ImapServer;
use crate::support::loopback::Encryption;
use crate::support::provider_server::ProviderServer;
use crate::support::smtp_server::SmtpServer;
use crate::support::wait::{some, until};
use crate::support::world::{Desk, Servers, add_owner, quick_config};

pub const ANN: &str = "ann@shop.test";
pub const PASSWORD: &str = "correct horse";
/// Far more than any of it takes, for machines that are busy.
pub const LONG: Duration = Duration::from_secs(12);
/// How often the watcher looks without being told.
pub const QUICK: Duration = Duration::from_millis(200);

/// Everything around the service.
pub struct Scene {
    pub imap: ImapServer,
    pub smtp: SmtpServer,
    pub provider: ProviderServer,
    pub desk: Desk,
    pub store: Store,
    pub config: Config,
    pub servers: Servers,
}

/// The running service.
pub struct Served {
    stop: CancellationToken,
    handle: JoinHandle<Result<(), AppError>>,
}

impl Served {
    /// Asks it to end, and waits until it has.
    pub async fn end(self) {
        self.stop.cancel();
        self.handle.await.unwrap().unwrap();
    }
}

impl Scene {
    pub async fn begin(database: &TestDatabase) -> Self {
        Self::begin_with(database, |_| ()).await
    }

    /// With other settings than the quick ones.
    pub async fn begin_with(database: &TestDatabase, change: impl FnOnce(&mut Config)) -> Self {
        let imap = ImapServer::start(Encryption::None).await;
        imap.add_account(ANN, PASSWORD);
        let smtp = SmtpServer::start(Encryption::None).await;
        smtp.add_account(ANN, PASSWORD);
        let provider = ProviderServer::start().await;
        let servers = Servers {
            imap: imap.address(),
            imap_ca: None,
            smtp: smtp.address(),
            provider: provider.base_url(),
            password: PASSWORD.into(),
        };
        let mut config = quick_config(database, &servers);
        config.mailbox.command_timeout = Duration::from_secs(1);
        config.mailbox.connect_timeout = Duration::from_secs(5);
        config.mailbox.idle_renew = QUICK;
        config.mailbox.poll = QUICK;
        config.mailbox.reconnect_longest = QUICK;
        change(&mut config);
        let store = open(&config).await.store().clone();
        let desk = add_owner(&store, &servers, &[ANN]).await.remove(0);
        Self { imap, smtp, provider, desk, store, config, servers }
    }

    pub async fn serve(&self) -> Served {
        serve(&self.config).await
    }

    /// Puts a mail into the watched folder.
    pub fn deliver(&self, mail: &[u8]) -> u32 {
        self.imap.deliver(ANN, mail)
    }

    pub async fn mailbox(&self) -> Mailbox {
        self.store.find_mailbox(self.desk.user, self.desk.mailbox).await.unwrap().unwrap()
    }

    /// Saves the mailbox's settings again, changed.
    pub async fn change_mailbox(&self, change: impl FnOnce(&mut Mailbox)) {
        let mut mailbox = self.mailbox().await;
        change(&mut mailbox);
        let provision = Provision { mailboxes: vec![mailbox], ..Provision::default() };
        self.store.provision(provision).await.unwrap();
    }

    /// What the owner's agent does with replies of which nobody knows.
    pub async fn set_ambiguous_policy(&self, policy: AmbiguousPolicy) {
        let mut agents = self.store.list_agents(self.desk.user).await.unwrap();
        for agent in &mut agents {
            agent.ambiguous = policy;
        }
        self.store.provision(Provision { agents, ..Provision::default() }).await.unwrap();
    }

    /// All runs, oldest first: one for each mail that was taken in.
    pub async fn runs(&self) -> Vec<Run> {
        let mut runs = self.store.list_runs(self.desk.user, None, 1000).await.unwrap();
        runs.reverse();
        runs
    }

    /// Waits until exactly so many mails were taken in and each has come to its end or to a person.
    pub async fn settled(&self, mails: usize) -> Vec<Run> {
        let what = format!("{mails} outcomes");
        let settled = some(&what, LONG, async || {
            let runs = self.runs().await;
            let is_settled = |run: &Run| run.state.is_end() || run.state == RunState::Held;
            (runs.len() >= mails && runs.iter().all(is_settled)).then_some(runs)
        });
        let runs = settled.await;
        assert_eq!(runs.len(), mails, "{runs:#?}");
        runs
    }

    /// Waits until so many mails were taken in and all of them answered, and nothing else was.
    pub async fn all_replied(&self, mails: usize) {
        let runs = self.settled(mails).await;
        assert!(runs.iter().all(|run| run.state == RunState::Replied), "{runs:#?}");
        assert_eq!(self.smtp.accepted().len(), mails);
    }

    /// What the correspondents got, in order.
    pub fn replies(&self) -> Vec<Mail> {
        self.smtp.accepted().iter().map(|sent| mail::read(&sent.bytes, &Limits::default())).collect()
    }

    /// Waits until the watcher has looked at everything from now on and rests.
    pub async fn looked(&self) {
        let before = self.imap.count(ANN, "UID SEARCH");
        until("another look", LONG, async || self.imap.count(ANN, "UID SEARCH") > before + 1).await;
    }

    /// Waits until the watcher has moved its cursor to `next_uid`.
    pub async fn cursor_at(&self, next_uid: u32) {
        until("the cursor moves", LONG, async || self.mailbox().await.next_uid == Some(next_uid)).await;
        let cursor = self.mailbox().await.next_uid;
        assert_eq!(cursor, Some(next_uid));
    }
}

pub async fn open(config: &Config) -> App {
    App::open(config.clone(), Clock::system()).await.unwrap()
}

pub async fn serve(config: &Config) -> Served {
    let app = open(config).await;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    Served { stop, handle: tokio::spawn(async move { app.serve(stopped).await }) }
}
