//! The same journey with nothing around it: fetch, ask, send. Nothing is stored, decided, locked or logged, and a
//! crash would lose everything. It uses Postkey's own IMAP, HTTP and SMTP clients over kept connections, in a
//! process of its own.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use postkey::clock::Clock;
use postkey::config::{self, Config};
use postkey::imap::{self, Session};
use postkey::mail::{self, Address, Limits, Mail};
use postkey::net::{self, Dialler, Endpoint, Guard, HttpClients, Login, Security};
use postkey::provider::{Call, Conversation, Provider, Role, Turn, complete};
use postkey::smtp::{self, Connection};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::loopback::Failure;
use super::loopback::service::Limits as Bounds;
use super::loopback::world;

/// The word by which a process knows that it is this child.
pub const CHILD: &str = "bare";

/// What the child is told, as JSON.
#[derive(Serialize, Deserialize)]
struct Job {
    imap: std::net::SocketAddr,
    smtp: std::net::SocketAddr,
    provider: String,
    password: String,
    addresses: Vec<String>,
    concurrency: u32,
    connections_per_account: u32,
}

/// Starts the child; it ends by itself when everything is answered.
pub fn start(servers: &world::Servers, addresses: &[String], bounds: Bounds) -> Result<Child, Failure> {
    let job = Job {
        imap: servers.imap,
        smtp: servers.smtp,
        provider: servers.provider.clone(),
        password: servers.password.clone(),
        addresses: addresses.to_vec(),
        concurrency: bounds.concurrency,
        connections_per_account: bounds.connections_per_account,
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.args([CHILD, &serde_json::to_string(&job)?]).stdin(Stdio::null()).kill_on_drop(true);
    Ok(command.spawn()?)
}

/// The child's end.
pub async fn work(job: &str) -> Result<(), Failure> {
    let job: Arc<Job> = Arc::new(serde_json::from_str(job)?);
    let desk = Arc::new(Desk::open(&job)?);
    let (found, waiting) = mpsc::channel(usize::try_from(job.concurrency)?);
    let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
    let mut tasks: JoinSet<Result<(), Failure>> = JoinSet::new();
    for address in &job.addresses {
        tasks.spawn(fetch_all(Arc::clone(&desk), Arc::new(Account::new(address, &job)), found.clone()));
    }
    drop(found);
    for _ in 0..job.concurrency {
        let (desk, waiting) = (Arc::clone(&desk), Arc::clone(&waiting));
        tasks.spawn(async move {
            loop {
                let next = waiting.lock().await.recv().await;
                let Some((account, raw)) = next else { return Ok(()) };
                desk.answer(&account, &raw).await?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

/// One mailbox and its open SMTP connections.
struct Account {
    address: String,
    places: Semaphore,
    open: Mutex<Vec<Connection>>,
}

impl Account {
    fn new(address: &str, job: &Job) -> Self {
        let places = usize::try_from(job.connections_per_account).unwrap_or(1);
        Self { address: address.to_owned(), places: Semaphore::new(places), open: Mutex::default() }
    }
}

/// What all mailboxes share.
struct Desk {
    job: Arc<Job>,
    config: Config,
    dialler: Dialler,
    clients: HttpClients,
}

impl Desk {
    fn open(job: &Arc<Job>) -> Result<Self, Failure> {
        net::install_crypto();
        let provider = url::Url::parse(&job.provider)?;
        let provider = format!("127.0.0.1:{}", provider.port().ok_or("a port")?);
        let private_endpoints = vec![job.imap.to_string(), job.smtp.to_string(), provider];
        let network = config::Network { private_endpoints, ..config::Network::default() };
        let config = Config { network, ..Config::default() };
        let guard = Guard::new(&config.network)?;
        let clients = HttpClients::new(&config.provider, guard.clone())?;
        Ok(Self { job: Arc::clone(job), dialler: Dialler::new(guard)?, clients, config })
    }

    async fn answer(&self, account: &Account, raw: &[u8]) -> Result<(), Failure> {
        let parent = mail::read(raw, &Limits::default());
        let words = self.ask(&parent).await?;
        let from = Address::parse(&account.address).ok_or("an address")?;
        let to = parent.from.first().map(|from| from.address.clone()).ok_or("a sender")?;
        let reply = compose(&parent, &from, &to, &words);
        let _place = account.places.acquire().await?;
        let kept = account.open.lock().map_err(|_| "a lock")?.pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.connect(account).await?,
        };
        let (connection, _accepted) = connection.offer(&from, &to).await?.deliver(&reply).await?;
        account.open.lock().map_err(|_| "a lock")?.push(connection);
        Ok(())
    }

    async fn ask(&self, parent: &Mail) -> Result<String, Failure> {
        let turns = vec![Turn { role: Role::Correspondent, text: parent.text.visible.clone() }];
        let conversation = Conversation { system: "Answer kindly.".to_owned(), turns };
        let call = Call {
            provider: Provider::OpenAiCompatible,
            base_url: Some(&self.job.provider),
            key: SecretString::from("sk-test-bare-0123456789abcdef"),
            model: "test-model",
            temperature: None,
            max_output_tokens: 1500,
            conversation: &conversation,
        };
        Ok(complete(&self.clients, &self.config.provider, call).await?.text)
    }

    async fn connect(&self, account: &Account) -> Result<Connection, Failure> {
        let timeouts = smtp::Timeouts::from(&self.config.smtp);
        let login = Some(self.login(&account.address));
        Ok(Connection::open(&self.dialler, &endpoint(self.job.smtp), login, &timeouts, "shop.test").await?)
    }

    fn login(&self, address: &str) -> Login {
        let password = SecretString::from(self.job.password.clone());
        Login::Password { username: address.to_owned(), password }
    }
}

async fn fetch_all(
    desk: Arc<Desk>,
    account: Arc<Account>,
    found: mpsc::Sender<(Arc<Account>, Vec<u8>)>,
) -> Result<(), Failure> {
    let timeouts = imap::Timeouts::from(&desk.config.mailbox);
    let login = desk.login(&account.address);
    let session = Session::open(&desk.dialler, &endpoint(desk.job.imap), login, timeouts).await?;
    let (session, _folder) = session.select("INBOX").await?;
    let (mut session, mut uids) = session.uids_from(1).await?;
    while let Some(last) = uids.last().copied() {
        for batch in uids.chunks(desk.config.mailbox.fetch_batch) {
            let mails;
            (session, mails) = session.fetch(batch, desk.config.mailbox.max_message_bytes).await?;
            for (_, raw) in mails {
                found.send((Arc::clone(&account), raw)).await?;
            }
        }
        (session, uids) = session.uids_from(last + 1).await?;
    }
    Ok(())
}

fn endpoint(at: std::net::SocketAddr) -> Endpoint {
    Endpoint { host: at.ip().to_string(), port: at.port(), security: Security::None, ca_pem: None }
}

/// The least that is a reply in its thread.
fn compose(parent: &Mail, from: &Address, to: &Address, words: &str) -> Vec<u8> {
    let id = parent.message_id.as_ref().map(mail::RfcMessageId::as_str).unwrap_or_default();
    let date = Clock::system().now().to_utc().to_rfc2822();
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nSubject: Re: {subject}\r\nDate: {date}\r\n\
         Message-ID: <{id}.reply@shop.test>\r\nIn-Reply-To: <{id}>\r\nReferences: <{id}>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n",
        from = from.as_str(),
        to = to.as_str(),
        subject = parent.subject,
    )
    .into_bytes()
}
