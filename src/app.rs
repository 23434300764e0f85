//! Wiring: the configuration becomes a database, keys, connections and actors, and ends in order.

mod destinations;
mod keys;
mod lock;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::credit::{self, CreditWatch};
use crate::http::{self, Api, Listener, Parts};
use crate::letters::{self, Letters};
use crate::mailbox::{self, Room, Watching};
use crate::net::{self, Dialler, Guard, HttpClients, NetError, Tokens};
use crate::provider::{Provider, UnknownProvider};
use crate::queue::{Queue, QueueError};
use crate::run::{Runner, Scribe};
use crate::smtp::{OperatorPost, Timeouts};
use crate::store::{Holder, Store, StoreError};
use crate::vault::{Vault, VaultError};

pub use self::keys::{check_keys, recognise_keys};

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The network guard cannot be set up.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The queue ended by itself.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A task of the service ended by itself, which only a fault of the program explains.
    #[error("a task of the service has died; start it again")]
    Actor,
    /// `platform_key.provider` names no provider.
    #[error("platform_key.provider: {0}")]
    Platform(#[from] UnknownProvider),
    /// `platform_key.base_url` is missing.
    #[error("platform_key.base_url is missing: openai_compatible has no address of its own; set it")]
    PlatformUrl,
    /// Another process serves this file.
    #[error("another postkey serves {0}; a SQLite file has one server (use PostgreSQL for several)")]
    AlreadyServed(String),
    /// The network guard would refuse a server of the operator's at every connection.
    #[error("{0}; correct it in the configuration")]
    Destination(String),
    /// `operator_mail.from` is no address that mail can come from.
    #[error("operator_mail.from is no address that mail can come from; correct it")]
    OperatorMail,
    /// The port of the API cannot be opened.
    #[error("cannot listen on {0}: {1}; set http.listen to another port, or http.enabled to false")]
    Listen(String, std::io::Error),
    /// The lock file cannot be made.
    #[error("cannot lock {0}: {1}; check that the folder exists and may be written, and whose file that is")]
    Lock(String, std::io::Error),
}

/// The opened service.
pub struct App {
    config: Arc<Config>,
    store: Store,
    vault: Arc<Vault>,
    guard: Guard,
    listener: Option<Listener>,
}

impl App {
    /// Opens the database, brings its tables up to date, and checks that the vault's keys are the right ones, and all
    /// that are needed; mailboxes that wanted one go on.
    ///
    /// # Errors
    /// Where anything is missing or wrong; the error says what to do.
    pub async fn open(config: Config, clock: Clock) -> Result<Self, AppError> {
        net::install_crypto();
        let guard = Guard::new(&config.network)?;
        if let Some(platform) = &config.platform_key {
            let provider: Provider = platform.provider.parse()?;
            if platform.base_url.is_none() && provider.default_base_url().is_none() {
                return Err(AppError::PlatformUrl);
            }
        }
        destinations::check(&config, &guard).map_err(AppError::Destination)?;
        let vault = Vault::load(&config.vault).await?;
        let store = open_store(&config.database, clock).await?;
        store.migrate().await?;
        check_keys(&store, &vault).await?;
        keys::miss_keys(&store, &vault).await?;
        // Here a failure is one of the start; a service that has begun outlives a database that is away.
        mailbox::take_up_readable(&store, &vault).await?;
        Ok(Self { config: Arc::new(config), store, vault: Arc::new(vault), guard, listener: None })
    }

    /// The database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The keys.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Opens the port of the API before serving, and says which it is; none where the operator has switched it off.
    ///
    /// # Errors
    /// [`AppError::Listen`] where the port is taken.
    pub async fn listen(&mut self) -> Result<Option<SocketAddr>, AppError> {
        let listen = &self.config.http.listen;
        if self.config.http.enabled && self.listener.is_none() {
            let opened = Listener::open(listen).await;
            self.listener = Some(opened.map_err(|error| AppError::Listen(listen.clone(), error))?);
        }
        Ok(self.listener.as_ref().map(Listener::address))
    }

    /// Works until `stop`, then drains: nothing new is taken in or claimed, what runs may end (SR-80).
    ///
    /// # Errors
    /// Where the file is served already, or the queue ends by itself.
    pub async fn serve(mut self, stop: CancellationToken) -> Result<(), AppError> {
        let _lock = self.config.database.file().map(|file| lock::take(&file)).transpose()?;
        self.listen().await?;
        let holder = Holder::new(self.store.clock());
        let queue = Queue::new(self.store.clone(), holder, self.config.worker.clone());
        if self.store.is_sqlite() {
            // Whoever held leases on this file is dead: this process has the lock.
            self.store.release_mailboxes(None).await?;
            queue.take_back_all().await?;
        }
        let clients = HttpClients::new(&self.config.provider, self.guard.clone())?;
        let dialler = Arc::new(Dialler::new(self.guard.clone())?);
        let tokens = Tokens::new(clients.clone(), self.store.clock().clone());
        let (mut actors, mut servers) = (JoinSet::new(), JoinSet::new());
        let ended = stop.child_token();
        actors.spawn(mailbox::watch_until(self.watching(holder, &dialler, &tokens), ended.clone()));
        actors.spawn(sweep_until(self.store.clone(), Arc::clone(&self.config), ended.clone()));
        actors.spawn(letters::remind_of_api_keys_until(self.store.clone(), ended.clone()));

        actors.spawn(credit::watch_until(self.credit_watch(&clients), ended.clone()));

        let scribe = self.scribe(&clients);
        let letters = self.letters(&dialler)?;
        if let Some((letters, mail)) = letters.clone().zip(self.config.operator_mail.as_ref()) {
            let (store, delay) = (self.store.clone(), mail.notice_delay);
            actors.spawn(letters::mail_notices_until(store, letters, delay, ended.clone()));
        }
        if let Some(listener) = self.listener.take() {
            let (limits, grace) = (self.config.http.clone(), self.config.worker.shutdown_grace);
            let api = self.api(&clients, &dialler, &tokens, &scribe).with_letters(letters);
            let router = http::router(api);
            servers.spawn(http::serve_until(listener, router, limits, ended.clone(), grace));
        }

        let runner = Arc::new(Runner::new(scribe, dialler, tokens));
        let handle = move |claim| {
            let runner = Arc::clone(&runner);
            async move { runner.run_once(claim).await }
        };
        let worked = tokio::select! {
            worked = queue.run(handle, stop.clone()) => worked.map_err(AppError::from),
            () = died(&mut actors, &stop) => Err(AppError::Actor),
            () = died(&mut servers, &stop) => Err(AppError::Actor),
        };
        ended.cancel();
        // Calls in progress have had a limit of their own since the stop.
        while servers.join_next().await.is_some() {}
        // Leases that a database does not take back within this time end by themselves.
        let _ = tokio::time::timeout(LAST_WORDS, async { while actors.join_next().await.is_some() {} }).await;
        if let Err(error) = self.store.empty_log().await {
            tracing::warn!(%error, "the database file is whole only together with its -wal file");
        }
        worked
    }

    fn watching(&self, holder: Holder, dialler: &Arc<Dialler>, tokens: &Tokens) -> Watching {
        Watching {
            store: self.store.clone(),
            holder,
            vault: Arc::clone(&self.vault),
            dialler: Arc::clone(dialler),
            tokens: tokens.clone(),
            room: Room::new(self.config.mailbox.bytes_in_hand),
            config: self.config.mailbox.clone(),
            sent_copy: self.config.smtp.sent_copy,
            verify_ambiguous: self.config.smtp.verify_ambiguous,
        }
    }

    fn credit_watch(&self, clients: &HttpClients) -> CreditWatch {
        CreditWatch {
            store: self.store.clone(),
            vault: Arc::clone(&self.vault),
            clients: clients.clone(),
            config: Arc::clone(&self.config),
        }
    }

    /// A way to write to users, where the operator has one.
    fn letters(&self, dialler: &Arc<Dialler>) -> Result<Option<Letters>, AppError> {
        let Some(mail) = self.config.operator_mail.clone() else { return Ok(None) };
        let post = OperatorPost::new(Arc::clone(dialler), mail, Timeouts::from(&self.config.smtp));
        let post = post.ok_or(AppError::OperatorMail)?;
        Ok(Some(Letters::new(post, Arc::clone(&self.vault), self.store.clock().clone())))
    }

    fn scribe(&self, clients: &HttpClients) -> Scribe {
        let (vault, config) = (Arc::clone(&self.vault), Arc::clone(&self.config));
        Scribe::new(self.store.clone(), vault, clients.clone(), config)
    }

    fn api(&self, clients: &HttpClients, dialler: &Arc<Dialler>, tokens: &Tokens, scribe: &Scribe) -> Api {
        Api::new(Parts {
            store: self.store.clone(),
            vault: Arc::clone(&self.vault),
            clients: clients.clone(),
            guard: self.guard.clone(),
            dialler: Arc::clone(dialler),
            tokens: tokens.clone(),
            scribe: scribe.clone(),
            config: Arc::clone(&self.config),
        })
    }
}

/// How long actors have to give back what they lease, once everything else has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Returns when an actor ends although nobody has told it to.
async fn died(actors: &mut JoinSet<()>, stop: &CancellationToken) {
    let has_died = actors.join_next().await.is_some();
    if !has_died || stop.is_cancelled() {
        std::future::pending::<()>().await;
    }
}

/// `serve` from the command line.
///
/// # Errors
/// See [`App::open`] and [`App::serve`].
pub async fn serve(config: Config, stop: CancellationToken) -> Result<(), AppError> {
    // It may be waiting for its database.
    match stop.run_until_cancelled(App::open(config, Clock::system())).await {
        Some(opened) => opened?.serve(stop).await,
        None => Ok(()),
    }
}

/// Waits for a server that starts at the same time as we do, and says so.
async fn open_store(config: &config::Database, clock: Clock) -> Result<Store, StoreError> {
    let began = Instant::now();
    loop {
        match Store::open(config, clock.clone()).await {
            Err(error)
                if error.is_unreachable() && began.elapsed() + BETWEEN_TRIES < config.acquire_timeout =>
            {
                tracing::warn!(%error, "waiting for the server that database.url names");
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            opened => return opened,
        }
    }
}

async fn sweep_until(store: Store, config: Arc<Config>, stop: CancellationToken) {
    loop {
        let changed = sweep(&store, &config).await;
        if changed > 0 {
            tracing::info!(changed, "removed or summed what is old");
            // More of the same is waiting; others get their turn in between.
            tokio::task::yield_now().await;
            if !stop.is_cancelled() {
                continue;
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(config.retention.sweep)).await.is_none() {
            return;
        }
    }
}

/// A bounded batch of what is old; answers how much it changed. What cannot be done keeps nothing else from being done.
async fn sweep(store: &Store, config: &Config) -> u64 {
    let now = store.clock().now();
    let runs_before = now.minus(config.retention.runs);
    let longest_call = config.worker.run_timeout.max(config.provider.stream_timeout);
    let settled_before = now.minus(longest_call + CLOCKS_DIFFER);
    let done = [
        store.forget(now.minus(config.retention.mail_text), runs_before).await,
        store.forget_access(runs_before).await,
        store.continue_departures().await,
        store.sum_hours(settled_before).await,
    ];
    done.into_iter().map(count_or_warn).sum()
}

fn count_or_warn(swept: Result<u64, StoreError>) -> u64 {
    swept.unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot remove or sum what is old");
        0
    })
}

/// How long a database that cannot be reached is left alone.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// No two machines that share a database are further apart than this.
const CLOCKS_DIFFER: Duration = Duration::from_secs(3600);
