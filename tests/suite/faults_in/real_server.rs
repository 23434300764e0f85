//! The same against a real Dovecot.

use postkey::app::App;
use postkey::clock::Clock;
use postkey::store::RunState;

use super::scene::{LONG, serve};
use crate::support::database::on_both;
use crate::support::dovecot::{self, Dovecot};
use crate::support::loopback::Encryption;
use crate::support::provider_server::ProviderServer;
use crate::support::smtp_server::SmtpServer;
use crate::support::wait::until;
use crate::support::world::{Servers, add_owner, count, letter, quick_config};

const DORA: &str = "dora@shop.test";

on_both! {
    async fn dovecot_with_empty_large_and_many_mails_ends_each_in_one_outcome(database: TestDatabase) {
        let dovecot = Dovecot::start(&[DORA]).await;
        let smtp = SmtpServer::start(Encryption::None).await;
        smtp.add_account(DORA, dovecot::PASSWORD);
        let provider = ProviderServer::start().await;
        let servers = Servers {
            imap: dovecot.imaps(),
            imap_ca: Some(dovecot.certificate().certificate_pem()),
            smtp: smtp.address(),
            provider: provider.base_url(),
            password: dovecot::PASSWORD.into(),
        };
        let mut config = quick_config(&database, &servers);
        config.mailbox.max_message_bytes = 3_000_000;
        let store = App::open(config.clone(), Clock::system()).await.unwrap().store().clone();
        let desk = add_owner(&store, &servers, &[DORA]).await.remove(0);

        dovecot.deliver(DORA, b"");
        let mut large = letter(1, DORA);
        large.extend("What about this?\r\n".repeat(300_000).into_bytes());
        dovecot.deliver(DORA, &large);
        for number in 2..=60 {
            dovecot.deliver(DORA, &letter(number, DORA));
        }
        let served = serve(&config).await;
        until("all are settled", LONG, async || {
            let replied = count(&store, desk.user, RunState::Replied).await;
            replied == 60 && count(&store, desk.user, RunState::Skipped).await == 1
        }).await;
        until("all are filed", LONG, async || dovecot.sent(DORA).len() == 60).await;
        served.end().await;
        // A start finds nothing to do.
        let again = serve(&config).await;
        dovecot.deliver(DORA, &letter(61, DORA));
        until("the new one is replied", LONG, async || count(&store, desk.user, RunState::Replied).await == 61).await;
        again.end().await;
        assert_eq!(smtp.accepted().len(), 61);
        assert_eq!(store.list_runs(desk.user, None, 1000).await.unwrap().len(), 62);
    }
}
