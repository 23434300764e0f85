//! How correspondents are treated: whom an agent answers, where automation stops, and the brakes against loops.
//! Each through the front door, on both databases.

mod bounces;
mod brakes;
mod limits;
mod retention;
mod rules;
mod signed_addresses;
mod threads;
mod wishes;

use postkey::store::{Mailbox, Provision, Rules};

use crate::support::office::{Office, read};
use crate::support::world::Desk;

/// A mail as a person writes it; every mail has other words unless it is given some.
pub struct Letter {
    id: String,
    from: String,
    words: String,
    parent: Option<String>,
    fields: String,
    to: Option<String>,
}

/// A letter of this name from this person.
pub fn letter(name: &str, from: &str) -> Letter {
    let words = format!("What about {name}?");
    let fields = String::new();
    Letter { id: format!("{name}@else.test"), from: from.into(), words, parent: None, fields, to: None }
}

impl Letter {
    /// With these words.
    pub fn saying(self, words: &str) -> Self {
        Self { words: words.into(), ..self }
    }

    /// In answer to the mail of this Message-ID.
    pub fn answering(self, parent: &str) -> Self {
        Self { parent: Some(parent.into()), ..self }
    }

    /// With this header field above the others.
    pub fn with(self, field: &str) -> Self {
        Self { fields: format!("{}{field}\r\n", self.fields), ..self }
    }

    /// Addressed to this address instead of the desk's.
    pub fn addressed_to(self, to: &str) -> Self {
        Self { to: Some(to.into()), ..self }
    }

    /// Its bytes, addressed to this desk.
    pub fn to(&self, desk: &Desk) -> Vec<u8> {
        let Self { id, from, words, fields, .. } = self;
        let parent = self.parent.as_ref();
        let thread =
            parent.map(|id| format!("In-Reply-To: <{id}>\r\nReferences: <{id}>\r\n")).unwrap_or_default();
        format!(
            "Return-Path: <{from}>\r\n{fields}From: <{from}>\r\nTo: {}\r\nSubject: A question\r\n\
             Message-ID: <{id}>\r\n{thread}Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n",
            self.to.as_deref().unwrap_or(&desk.address)
        )
        .into_bytes()
    }
}

impl Office {
    /// Puts a letter into the mailbox.
    pub fn bring(&self, desk: &Desk, letter: &Letter) {
        self.imap.deliver(&desk.address, &letter.to(desk));
    }

    /// Changes the rules of the owner's agent.
    pub async fn lay_down(&self, desk: &Desk, change: impl FnOnce(&mut Rules)) {
        self.change_agent(desk, |agent| change(&mut agent.rules)).await;
    }

    /// Changes the owner's mailbox.
    pub async fn change_mailbox(&self, desk: &Desk, change: impl FnOnce(&mut Mailbox)) {
        let mut mailbox = self.store.find_mailbox(desk.user, desk.mailbox).await.unwrap().unwrap();
        change(&mut mailbox);
        self.store.provision(Provision { mailboxes: vec![mailbox], ..Provision::default() }).await.unwrap();
    }

    /// The Message-ID of the newest reply.
    pub fn last_reply(&self) -> String {
        read(self.smtp.accepted().last().unwrap()).message_id.unwrap().as_str().to_owned()
    }

    /// What kinds of notices the owner has, newest first.
    pub async fn told(&self, desk: &Desk) -> Vec<String> {
        self.open_notices(desk).await.into_iter().map(|notice| notice.kind).collect()
    }
}
