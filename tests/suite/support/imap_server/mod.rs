//! A scripted IMAP4rev1 server on loopback: honest until it is told to misbehave.
//!
//! ```ignore
//! let server = ImapServer::start(Encryption::None).await;
//! server.add_account("anna@example.com", "secret");
//! server.deliver("anna@example.com", b"Subject: hello\r\n\r\nhello\r\n");
//! server.rule(Rule::on("UID FETCH", Fault::No("[SERVERBUG] later")).times(2));
//! ```

mod account;
mod command;
mod fault;
mod fetch;
mod session;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use postkey::clock::Timestamp;
use tokio::sync::watch;

use super::loopback::{Encryption, Listener};
use super::wait::until;
use account::Account;
pub use fault::{Fault, Rule};

/// The folder in which mail arrives.
pub const INBOX: &str = "INBOX";
/// The folder with the special use `\Sent`.
pub const SENT: &str = "Sent";

/// For as long as a test may hold back an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What an account's connections do about IDLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// News are pushed at once.
    Pushes,
    /// IDLE is accepted, and then nothing is ever said.
    Silent,
    /// At the beginning of every IDLE it says that there is mail, and nothing ever again.
    Babbles,
    /// The capability is missing.
    Missing,
}

/// The running server; its connections end when it is dropped.
pub struct ImapServer {
    state: Arc<State>,
    listener: Listener,
}

/// What all connections share.
struct State {
    accounts: Mutex<BTreeMap<String, Account>>,
    rules: Mutex<Vec<Rule>>,
    commands: Mutex<Vec<Command>>,
    /// Counts changes of any account, so that idle connections look again.
    changes: watch::Sender<u64>,
}

/// A command as a client sent it.
#[derive(Clone, Debug)]
struct Command {
    /// The account that was logged in or is logging in.
    user: String,
    /// Without the tag; literals stand in quotes.
    line: String,
}

impl ImapServer {
    /// Starts one without accounts.
    pub async fn start(encryption: Encryption) -> Self {
        let state = Arc::new(State {
            accounts: Mutex::default(),
            rules: Mutex::default(),
            commands: Mutex::default(),
            changes: watch::Sender::new(0),
        });
        let shared = Arc::clone(&state);
        let serve = move |number, wire| session::serve(Arc::clone(&shared), number, wire);
        Self { state, listener: Listener::start(encryption, serve).await }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Adds an account with an empty INBOX and Sent; `secret` is its password and its access token.
    pub fn add_account(&self, user: &str, secret: &str) {
        self.state.accounts().insert(user.to_owned(), Account::new(secret));
    }

    /// Puts a mail into the INBOX as of now and tells idle connections; returns its UID.
    pub fn deliver(&self, user: &str, bytes: &[u8]) -> u32 {
        self.deliver_dated(user, bytes, postkey::clock::Clock::system().now())
    }

    /// The same with an INTERNALDATE.
    pub fn deliver_dated(&self, user: &str, bytes: &[u8], arrived: Timestamp) -> u32 {
        self.change(user, |account| account.folder(INBOX).append(bytes, arrived, &[]))
    }

    /// The same with these flags.
    pub fn deliver_flagged(&self, user: &str, bytes: &[u8], flags: &[&str]) -> u32 {
        let now = postkey::clock::Clock::system().now();
        self.change(user, |account| account.folder(INBOX).append(bytes, now, flags))
    }

    /// Puts a mail into the Sent folder, as hosts do whose SMTP server files copies itself.
    pub fn put_into_sent(&self, user: &str, bytes: &[u8]) {
        let now = postkey::clock::Clock::system().now();
        self.change(user, |account| account.folder(SENT).append(bytes, now, &["\\Seen"]));
    }

    /// The next mail of the INBOX gets this UID.
    pub fn set_next_uid(&self, user: &str, uid: u32) {
        self.change(user, |account| account.folder(INBOX).uid_next = uid);
    }

    /// Takes a mail out of the INBOX, as another client would; the UID is never used again.
    pub fn remove(&self, user: &str, uid: u32) {
        self.change(user, |account| account.folder(INBOX).mails.retain(|mail| mail.uid != uid));
    }

    /// The mails in the Sent folder, oldest first.
    pub fn sent(&self, user: &str) -> Vec<Vec<u8>> {
        self.look(user, |account| account.folder(SENT).mails.iter().map(|mail| mail.bytes.to_vec()).collect())
    }

    /// The flags of a mail in the INBOX, sorted; empty when there is no such mail.
    pub fn flags(&self, user: &str, uid: u32) -> Vec<String> {
        self.look(user, |account| {
            let inbox = account.folder(INBOX);
            let found = inbox.mails.iter().find(|mail| mail.uid == uid);
            found.map(|mail| mail.flags.iter().cloned().collect()).unwrap_or_default()
        })
    }

    /// Gives the INBOX another UIDVALIDITY and its mails new UIDs from 1. Sessions that have the folder
    /// selected are not told, as with a real server; [`ImapServer::cut`] makes clients look.
    pub fn change_uid_validity(&self, user: &str) {
        self.change(user, |account| account.folder(INBOX).renumber());
    }

    /// What the account's connections do about IDLE from the next command on.
    pub fn set_idle(&self, user: &str, idle: Idle) {
        self.change(user, |account| account.idle = idle);
    }

    /// Reports this RFC822.SIZE for every mail of the account, whatever its real size; `None` ends the lie.
    pub fn lie_about_size(&self, user: &str, size: Option<u32>) {
        self.change(user, |account| account.size_lie = size);
    }

    /// Leaves the INTERNALDATE out of every answer from now on.
    pub fn hide_dates(&self, user: &str) {
        self.change(user, |account| account.hides_dates = true);
    }

    /// Leaves the RFC822.SIZE out of every answer from now on.
    pub fn hide_sizes(&self, user: &str) {
        self.change(user, |account| account.hides_sizes = true);
    }

    /// Misbehaves by this rule from now on; of several that fit, the first one added is followed.
    pub fn rule(&self, rule: Rule) {
        self.state.rules.lock().unwrap().push(rule);
    }

    /// How many faults are still to come, of rules that end.
    pub fn faults_left(&self) -> usize {
        self.state.rules.lock().unwrap().iter().filter_map(Rule::left).sum()
    }

    /// Behaves again.
    pub fn clear_rules(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// Closes every open connection without a word.
    pub fn cut(&self) {
        self.listener.cut();
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.listener.accepted()
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.listener.open()
    }

    /// How many of the account's commands began with this, for example `UID FETCH`, upper case.
    pub fn count(&self, user: &str, command: &str) -> usize {
        self.commands(user).iter().filter(|line| line.to_ascii_uppercase().starts_with(command)).count()
    }

    /// The account's commands in order, without tags; what came before the login carries an empty user.
    pub fn commands(&self, user: &str) -> Vec<String> {
        let all = self.state.commands.lock().unwrap();
        all.iter().filter(|command| command.user == user).map(|command| command.line.clone()).collect()
    }

    fn change<T>(&self, user: &str, change: impl FnOnce(&mut Account) -> T) -> T {
        let result = self.look(user, change);
        self.state.tell_idlers();
        result
    }

    fn look<T>(&self, user: &str, look: impl FnOnce(&mut Account) -> T) -> T {
        look(self.state.accounts().get_mut(user).unwrap_or_else(|| panic!("no account {user}")))
    }
}

impl State {
    fn accounts(&self) -> MutexGuard<'_, BTreeMap<String, Account>> {
        self.accounts.lock().unwrap()
    }

    fn tell_idlers(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    async fn rules_cleared(&self) {
        until("the rules are cleared", LONGEST_WAIT, async || self.rules.lock().unwrap().is_empty()).await;
    }

    /// The fault that the first fitting rule asks for, which is used up once by asking.
    fn fault_for(&self, connection: usize, command: &Command) -> Option<Fault> {
        let mut rules = self.rules.lock().unwrap();
        rules.iter_mut().find_map(|rule| rule.take(connection, &command.user, &command.line))
    }
}
