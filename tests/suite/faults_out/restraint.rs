//! What is held back although it could go out: drafts, and more replies than a person would write.

use std::time::Duration;

use postkey::store::{Mode, RunState};

use crate::support::database::on_both;
use crate::support::office::Office;
use crate::support::provider_server::Answer;
use crate::support::raw::execute;
use crate::support::world::letter;

on_both! {
    async fn a_draft_waits_for_its_owner(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.change_agent(&ann, |agent| agent.mode = Mode::Draft).await;
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "draft", 1).await;
        let run = office.only_run(&ann).await.id;
        let frozen = office.store.find_outbox_mail(ann.user, run).await.unwrap().unwrap();
        assert!(office.store.retry_run(ann.user, run, false).await.unwrap());
        office.until_reason(&ann, RunState::Held, "draft", 1).await;
        assert_eq!(office.smtp.connections(), 0);
        assert!(office.store.retry_run(ann.user, run, true).await.unwrap());
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([1]);
        assert_eq!(Some(&office.smtp.accepted()[0].bytes), frozen.raw.as_ref());
        assert_eq!(office.provider.calls().len(), 1);
    }
}

on_both! {
    async fn the_fourth_reply_to_one_person_within_ten_minutes_is_held(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        let served = office.serve().await;
        let same_person = |number: usize, desk: &str| {
            let mail = String::from_utf8(letter(number, desk)).unwrap();
            mail.replace(&format!("person{number}@else.test"), "eager@else.test").into_bytes()
        };
        for number in 0..3 {
            office.imap.deliver(&ann.address, &same_person(number, &ann.address));
            office.until_counted(&ann, RunState::Replied, number + 1).await;
        }
        for number in 3..5 {
            office.imap.deliver(&ann.address, &same_person(number, &ann.address));
            office.until_reason(&ann, RunState::Held, "correspondent_limit", number - 2).await;
        }
        // Another person, and the same one elsewhere, are not concerned.
        office.deliver(&ann, 5);
        office.imap.deliver(&bob.address, &same_person(6, &bob.address));
        office.until_counted(&ann, RunState::Replied, 4).await;
        office.until_counted(&bob, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([0, 1, 2, 5, 6]);
        assert_eq!(office.provider.calls().len(), 5, "replies that may not go out were paid for");
        let notices = office.open_notices(&ann).await;
        assert_eq!(notices.len(), 1, "{notices:?}");
    }
}

on_both! {
    async fn an_old_mail_is_answered_only_when_its_owner_says_so(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        assert_eq!(execute(&database, "UPDATE mailboxes SET activated_at = 0").await, 1);
        let two_days = Duration::from_secs(2 * 24 * 3600);
        let came = office.store.clock().now().minus(two_days);
        office.imap.deliver_dated(&ann.address, &letter(1, &ann.address), came);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "too_late", 1).await;
        assert_eq!(office.provider.calls().len(), 0, "a reply that may not go out was paid for");
        let run = office.only_run(&ann).await.id;
        assert!(office.store.retry_run(ann.user, run, true).await.unwrap());
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([1]);
    }
}

on_both! {
    async fn an_answer_without_words_is_asked_for_again_when_its_owner_says_so(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.next(&ann.key, Answer::words(|_| String::new()));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "no_words", 1).await;
        let run = office.only_run(&ann).await.id;
        assert!(office.store.retry_run(ann.user, run, false).await.unwrap());
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([1]);
        assert_eq!(office.provider.calls().len(), 2);
    }
}
