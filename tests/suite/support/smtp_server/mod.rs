//! A scripted SMTP submission server on loopback: takes every mail until it is told to misbehave.
//!
//! ```ignore
//! let server = SmtpServer::start(Encryption::None).await;
//! server.add_account("anna", "secret");
//! server.rule(Rule::at(Step::RcptTo, Fault::Reply("451 4.3.0 later")).times(2));
//! assert_eq!(server.accepted()[0].to, ["bob@example.org"]);
//! ```

mod conversation;
mod fault;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::loopback::{Encryption, Listener};
pub use fault::{Fault, Rule, Step};

/// A mail that the server took responsibility for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedMail {
    /// The address in MAIL FROM; empty for the null path.
    pub from: String,
    /// The addresses in RCPT TO.
    pub to: Vec<String>,
    /// The content with dots unstuffed, as it would be stored.
    pub bytes: Vec<u8>,
    /// Who was logged in.
    pub user: Option<String>,
}

/// The running server; its connections end when it is dropped.
pub struct SmtpServer {
    state: Arc<State>,
    listener: Listener,
}

#[derive(Default)]
struct State {
    accounts: Mutex<BTreeMap<String, String>>,
    rules: Mutex<Vec<Rule>>,
    accepted: Mutex<Vec<AcceptedMail>>,
    steps: Mutex<Vec<Step>>,
}

impl SmtpServer {
    /// Starts one that takes mail from anybody; once it has accounts, only after AUTH.
    pub async fn start(encryption: Encryption) -> Self {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let serve = move |number, wire| conversation::hold(Arc::clone(&shared), number, wire);
        Self { state, listener: Listener::start(encryption, serve).await }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Adds an account; `secret` is its password and its access token.
    pub fn add_account(&self, user: &str, secret: &str) {
        self.state.accounts.lock().unwrap().insert(user.to_owned(), secret.to_owned());
    }

    /// Misbehaves by this rule from now on; of several that fit, the first one added is followed.
    pub fn rule(&self, rule: Rule) {
        self.state.rules.lock().unwrap().push(rule);
    }

    /// Behaves again.
    pub fn clear_rules(&self) {
        self.state.rules.lock().unwrap().clear();
    }

    /// The mails that were taken, in order.
    pub fn accepted(&self) -> Vec<AcceptedMail> {
        self.state.accepted.lock().unwrap().clone()
    }

    /// How often a conversation came to `step`.
    pub fn times(&self, step: Step) -> usize {
        self.state.steps.lock().unwrap().iter().filter(|seen| **seen == step).count()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.listener.accepted()
    }

    /// Closes every open connection without a word.
    pub fn cut(&self) {
        self.listener.cut();
    }
}
