//! The main job against a real Dovecot: mail in, each owner's own key, reply out, threaded, none twice.

mod drained;
mod killed;
mod plans;
mod program;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use postkey::app::App;
use postkey::clock::Clock;
use postkey::config::Config;
use postkey::mail::{self, Limits};
use postkey::store::{RunState, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::support::database::{TestDatabase, on_both};
use crate::support::dovecot::{self, Dovecot};
use crate::support::loopback::Encryption;
use crate::support::provider_server::ProviderServer;
use crate::support::smtp_server::{AcceptedMail, SmtpServer};
use crate::support::wait::until;
use crate::support::world::{Desk, Servers, add_owner, count, letter, quick_config};

const MAILS: usize = 200;
const LONG: Duration = Duration::from_secs(120);

const ADDRESSES: [&str; 6] = [
    "ann@shop.test",
    "ann2@shop.test",
    "bob@shop.test",
    "bob2@shop.test",
    "cleo@shop.test",
    "cleo2@shop.test",
];

/// Three owners with two mailboxes and agents each, and the servers around them.
struct Story {
    dovecot: Dovecot,
    smtp: SmtpServer,
    provider: ProviderServer,
    servers: Servers,
    desks: Vec<Desk>,
    store: Store,
    config: Config,
}

impl Story {
    async fn begin(database: &TestDatabase) -> Self {
        let dovecot = Dovecot::start(&ADDRESSES).await;
        let smtp = SmtpServer::start(Encryption::None).await;
        for address in ADDRESSES {
            smtp.add_account(address, dovecot::PASSWORD);
        }
        let provider = ProviderServer::start().await;
        let servers = Servers {
            imap: dovecot.imaps(),
            imap_ca: Some(dovecot.certificate().certificate_pem()),
            smtp: smtp.address(),
            provider: provider.base_url(),
            password: dovecot::PASSWORD.into(),
        };
        let config = quick_config(database, &servers);
        let app = App::open(config.clone(), Clock::system()).await.unwrap();
        let store = app.store().clone();
        let mut desks = Vec::new();
        for addresses in ADDRESSES.chunks(2) {
            desks.extend(add_owner(&store, &servers, addresses).await);
        }
        Self { dovecot, smtp, provider, servers, desks, store, config }
    }

    async fn deliver_all(&self) {
        for number in 0..MAILS {
            let desk = self.desk(number);
            self.dovecot.deliver(&desk.address, &letter(number, &desk.address));
        }
    }

    fn desk(&self, number: usize) -> &Desk {
        &self.desks[number % self.desks.len()]
    }

    async fn count(&self, state: RunState) -> usize {
        let owners: HashSet<_> = self.desks.iter().map(|desk| desk.user).collect();
        let mut runs = 0;
        for owner in owners {
            runs += count(&self.store, owner, state).await;
        }
        runs
    }

    /// Every reply is right: its own correspondent, its own owner's key, threaded, from its own mailbox.
    fn check_replies(&self, replies: &[AcceptedMail]) {
        let mut seen = HashSet::new();
        for reply in replies {
            let mail = mail::read(&reply.bytes, &Limits::default());
            let parent = mail.in_reply_to[0].as_str().to_owned();
            let number: usize =
                parent.strip_prefix("question-").unwrap().split('@').next().unwrap().parse().unwrap();
            let desk = self.desk(number);
            assert!(seen.insert(number), "mail {number} was answered twice");
            assert_eq!(reply.to, [format!("person{number}@else.test")]);
            assert_eq!(reply.from, desk.address);
            assert_eq!(mail.references.last().unwrap().as_str(), parent);
            assert_eq!(mail.subject, format!("Re: Question {number}"));
            assert!(mail.text.visible.contains(&format!("number {number}?")), "{}", mail.text.visible);
            assert!(mail.text.visible.contains("AI system on behalf of Owner"));
        }
        let mut calls: HashMap<usize, String> = HashMap::new();
        for call in self.provider.calls() {
            let text = call.last_text().to_owned();
            let number = text.split("number ").nth(1).unwrap().split('?').next().unwrap().parse().unwrap();
            calls.insert(number, call.key.clone());
        }
        for number in seen {
            assert_eq!(calls[&number], self.desk(number).key, "mail {number} was paid by somebody else");
        }
    }
}

fn serve(app: App, stop: &CancellationToken) -> JoinHandle<()> {
    let stop = stop.clone();
    tokio::spawn(async move { app.serve(stop).await.unwrap() })
}

on_both! {
    async fn two_hundred_mails_get_two_hundred_right_replies(database: TestDatabase) {
        let story = Story::begin(&database).await;
        story.deliver_all().await;
        let app = App::open(story.config.clone(), Clock::system()).await.unwrap();
        let stop = CancellationToken::new();
        let served = serve(app, &stop);
        until("all are replied", LONG, async || story.count(RunState::Replied).await == MAILS).await;
        until("copies are in the Sent folders", LONG, async || {
            ADDRESSES.iter().map(|address| story.dovecot.sent(address).len()).sum::<usize>() == MAILS
        }).await;
        stop.cancel();
        served.await.unwrap();
        let replies = story.smtp.accepted();
        assert_eq!(replies.len(), MAILS);
        story.check_replies(&replies);
        assert_eq!(story.provider.calls().len(), MAILS);
        let used: i64 = {
            let mut calls = 0;
            for desk in story.desks.iter().step_by(2) {
                calls += story.store.sum_usage(desk.user).await.unwrap().iter().map(|total| total.calls).sum::<i64>();
            }
            calls
        };
        assert_eq!(used, i64::try_from(MAILS).unwrap());
        assert!(!story.servers.provider.is_empty());
    }
}
