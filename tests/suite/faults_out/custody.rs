//! Whose is whose: keys, ciphertexts, rows.

use postkey::store::RunState;

use crate::support::database::on_both;
use crate::support::office::{Office, answered_number};
use crate::support::raw::execute;

on_both! {
    async fn each_mail_is_paid_by_its_own_owner(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        for number in 0..40 {
            office.deliver(if number % 2 == 0 { &ann } else { &bob }, number);
        }
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 20).await;
        office.until_counted(&bob, RunState::Replied, 20).await;
        served.end().await;
        for (desk, remainder) in [(&ann, 0), (&bob, 1)] {
            let calls = office.provider.calls_of(&desk.key);
            assert_eq!(calls.len(), 20);
            for call in calls {
                let number: usize =
                    call.last_text().split("number ").nth(1).unwrap().split('?').next().unwrap().parse().unwrap();
                assert_eq!(number % 2, remainder, "{} paid for mail {number}", desk.address);
            }
        }
        for reply in office.smtp.accepted() {
            let desk = if answered_number(&reply).is_multiple_of(2) { &ann } else { &bob };
            assert_eq!((&reply.from, reply.user.as_ref()), (&desk.address, Some(&desk.address)));
        }
    }
}

on_both! {
    async fn an_agent_that_names_a_foreign_configuration_has_no_key(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        let foreign = office.store.list_ai_configurations(bob.user).await.unwrap()[0].id;
        office.change_agent(&ann, |agent| agent.ai_configuration_id = Some(foreign)).await;
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "no_key", 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 0);
    }
}

on_both! {
    async fn a_foreign_run_looks_unknown(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        office.provider.always(&ann.key, crate::support::provider_server::Answer::words(|_| String::new()));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "no_words", 1).await;
        served.end().await;
        let (store, run) = (&office.store, office.only_run(&ann).await.id);
        assert!(store.find_run(bob.user, run).await.unwrap().is_none());
        assert!(!store.retry_run(bob.user, run, true).await.unwrap());
        assert!(store.find_message(bob.user, run.message()).await.unwrap().is_none());
        assert!(store.find_outbox_mail(bob.user, run).await.unwrap().is_none());
        assert!(store.find_dossier(bob.user, run.message()).await.unwrap().is_none());
        assert!(store.find_mailbox(bob.user, ann.mailbox).await.unwrap().is_none());
        assert_eq!(store.list_runs(bob.user, None, 10).await.unwrap().len(), 0);
        assert_eq!(store.list_notices(bob.user, None, 10).await.unwrap().len(), 0);
        assert_eq!(office.only_run(&ann).await.state, RunState::Held, "a stranger changed it");
        let dossier = store.find_dossier(ann.user, run.message()).await.unwrap();
        assert!(dossier.is_some_and(|dossier| dossier.completion.is_some()));
    }
}

on_both! {
    async fn a_key_copied_to_another_owners_row_does_not_open(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        let stolen = "UPDATE ai_configurations SET api_key = (SELECT api_key FROM ai_configurations
             WHERE api_key_mask LIKE 'sk-test-an%') WHERE api_key_mask LIKE 'sk-test-bo%'";
        assert_eq!(execute(&database, stolen).await, 1);
        office.deliver(&ann, 1);
        office.deliver(&bob, 2);
        let served = office.serve().await;
        office.until_reason(&bob, RunState::Waiting, "secret_unreadable", 1).await;
        office.until_counted(&ann, RunState::Replied, 1).await;
        assert_eq!(office.provider.calls().len(), 1, "bob's mail was answered with a key from elsewhere");
        assert_eq!(office.open_notices(&bob).await.len(), 1);
        office.save_key(&bob, &bob.key).await;
        office.until_counted(&bob, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([1, 2]);
    }
}

on_both! {
    async fn a_key_copied_to_another_row_of_the_same_owner_does_not_open(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        // The owner, the provider and the key are the same; only the row is another.
        let id = if database.is_postgres() { "gen_random_uuid()" } else { "randomblob(16)" };
        assert_eq!(execute(&database, &format!("UPDATE ai_configurations SET id = {id}")).await, 1);
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "secret_unreadable", 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 0);
    }
}

on_both! {
    async fn an_smtp_password_put_in_place_of_a_key_does_not_open(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let swapped = "UPDATE ai_configurations SET api_key = (SELECT smtp_password FROM mailboxes)";
        assert_eq!(execute(&database, swapped).await, 1);
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "secret_unreadable", 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 0);
    }
}
