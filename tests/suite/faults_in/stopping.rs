//! When a mailbox is stopped for its owner to help, and how it starts again.

use std::time::Duration;

use postkey::config::Config;
use postkey::store::{MailboxState, columns};
use secrecy::SecretString;

use super::scene::{ANN, LONG, PASSWORD, Scene};
use crate::support::database::on_both;
use crate::support::imap_server::{Fault, Rule};
use crate::support::wait::until;
use crate::support::world::{letter, test_vault};

async fn set_password(scene: &Scene, password: &str) {
    scene
        .change_mailbox(|mailbox| {
            let sealed =
                test_vault().seal(&mailbox.place(columns::IMAP_PASSWORD), &SecretString::from(password));
            mailbox.imap.password = Some(sealed.unwrap());
        })
        .await;
}

async fn is_stopped(scene: &Scene) -> bool {
    scene.mailbox().await.state == MailboxState::Stopped
}

on_both! {
    async fn a_wrong_password_stops_the_mailbox_once_and_a_right_one_starts_it(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        set_password(&scene, "wrong").await;
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        for stops in 1..=2 {
            until("it is stopped", LONG, async || is_stopped(&scene).await).await;
            assert_eq!(scene.mailbox().await.state_reason.as_deref(), Some("login_refused"));
            let notices = scene.store.list_notices(scene.desk.user, None, 10).await.unwrap();
            assert_eq!(notices.len(), stops);
            assert_eq!(notices.iter().filter(|notice| notice.ended_at.is_none()).count(), 1);
            assert!(notices[0].sentence.contains("set the password anew"), "{}", notices[0].sentence);
            let asked = 3 * stops;
            assert_eq!(scene.imap.count(ANN, "LOGIN"), asked, "as many attempts as configured, and no more");
            set_password(&scene, if stops == 1 { "wrong again" } else { PASSWORD }).await;
        }
        scene.all_replied(1).await;
        served.end().await;
        assert!(!is_stopped(&scene).await);
        let notices = scene.store.list_notices(scene.desk.user, None, 10).await.unwrap();
        assert!(notices.iter().all(|notice| notice.ended_at.is_some()));
    }

    async fn a_login_that_is_refused_for_the_moment_stops_nothing(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        for text in ["[UNAVAILABLE] later", "[INUSE] by another", "[LIMIT] reached", "Too many simultaneous connections",
            "User is authenticated but not connected."] {
            scene.imap.rule(Rule::on("LOGIN", Fault::No(text)).times(2));
        }
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        scene.all_replied(1).await;
        served.end().await;
        assert_eq!(scene.imap.count(ANN, "LOGIN"), 11);
        assert!(scene.store.list_notices(scene.desk.user, None, 10).await.unwrap().is_empty());
    }

    async fn refusals_that_are_not_in_a_row_do_not_add_up(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        for number in 1..=3 {
            scene.imap.rule(Rule::on("LOGIN", Fault::No("[AUTHENTICATIONFAILED] hiccup")).times(2));
            scene.imap.cut();
            scene.deliver(&letter(number, ANN));
            scene.all_replied(number).await;
        }
        served.end().await;
        assert!(!is_stopped(&scene).await);
    }

    async fn a_folder_that_is_not_there_stops_the_mailbox_and_says_so(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        scene.change_mailbox(|mailbox| mailbox.folder = "Somewhere".into()).await;
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        until("it is stopped", LONG, async || is_stopped(&scene).await).await;
        let notices = scene.store.list_notices(scene.desk.user, None, 10).await.unwrap();
        assert_eq!(notices.len(), 1);
        assert!(notices[0].sentence.contains("folder"), "{}", notices[0].sentence);
        scene.change_mailbox(|mailbox| mailbox.folder = "INBOX".into()).await;
        scene.all_replied(1).await;
        served.end().await;
    }

    async fn a_mail_server_that_stays_away_is_told_of_once_until_it_is_back(database: TestDatabase) {
        let soon = |config: &mut Config| config.mailbox.away_notice = Duration::from_secs(1);
        let scene = Scene::begin_with(&database, soon).await;
        scene.imap.rule(Rule::on("LOGIN", Fault::No("[UNAVAILABLE] come back later")));
        scene.deliver(&letter(1, ANN));
        let served = scene.serve().await;
        let open = async || {
            let notices = scene.store.list_notices(scene.desk.user, None, 10).await.unwrap();
            notices.into_iter().filter(|notice| notice.ended_at.is_none()).collect::<Vec<_>>()
        };
        until("the owner is told", LONG, async || open().await.len() == 1).await;
        assert_eq!(open().await[0].kind, "mailbox_away");
        assert!(!is_stopped(&scene).await);
        scene.imap.clear_rules();
        scene.all_replied(1).await;
        until("it is over", LONG, async || open().await.is_empty()).await;
        served.end().await;
    }

    async fn another_folder_begins_anew(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        served.end().await;
        let before = scene.mailbox().await;
        scene.change_mailbox(|mailbox| mailbox.address = "ann+new@shop.test".into()).await;
        assert_eq!(scene.mailbox().await.next_uid, before.next_uid, "the same inbox goes on");
        scene.change_mailbox(|mailbox| mailbox.folder = "Elsewhere".into()).await;
        let after = scene.mailbox().await;
        assert_eq!((after.uid_validity, after.next_uid), (None, None));
        assert!(after.activated_at > before.activated_at, "what lies in the other folder is not new");
    }

    async fn changed_settings_are_taken_up_while_it_is_watched(database: TestDatabase) {
        let scene = Scene::begin(&database).await;
        let served = scene.serve().await;
        scene.deliver(&letter(1, ANN));
        scene.all_replied(1).await;
        scene.change_mailbox(|mailbox| mailbox.enabled = false).await;
        until("the connection ends", LONG, async || scene.imap.open() == 0).await;
        scene.deliver(&letter(2, ANN));
        scene.change_mailbox(|mailbox| mailbox.enabled = true).await;
        scene.all_replied(2).await;
        served.end().await;
        assert_eq!(scene.imap.accepted(), 2);
    }
}
