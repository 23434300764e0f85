//! A correspondent who asks for a person, or to be left alone, is heard at once (SR-88, SR-90).

use postkey::store::{Mode, RunState};

use super::letter;
use crate::support::database::on_both;
use crate::support::office::Office;

const EVE: &str = "eve@else.test";

on_both! {
    async fn who_writes_human_gets_no_more_automatic_answers_in_that_conversation(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.until_counted(&ann, RunState::Replied, 1).await;
        let reply = office.last_reply();
        office.bring(&ann, &letter("wish", EVE).saying("HUMAN").answering(&reply));
        office.until_reason(&ann, RunState::Skipped, "person_wanted", 1).await;
        assert_eq!(office.told(&ann).await, ["person_wanted"]);
        office.bring(&ann, &letter("next", EVE).answering(&reply));
        office.until_reason(&ann, RunState::Skipped, "person_wanted", 2).await;
        office.bring(&ann, &letter("another", EVE));
        office.until_counted(&ann, RunState::Replied, 2).await;
        assert_eq!(office.told(&ann).await, ["person_wanted"], "told once");
        let stopped = office.store.list_suppressions(ann.user, 10).await.unwrap();
        assert_eq!(stopped.len(), 1);
        assert!(office.store.lift_suppression(ann.user, stopped[0].id).await.unwrap());
        assert_eq!(office.told(&ann).await, [""; 0]);
        office.bring(&ann, &letter("at last", EVE).answering(&reply));
        office.until_counted(&ann, RunState::Replied, 3).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 3);
    }

    async fn a_wish_is_heard_although_somebody_has_answered_it(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let wish = letter("wish", EVE).saying("Please leave me alone.");
        office.imap.deliver_flagged(&ann.address, &wish.to(&ann), &["\\Answered"]);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Skipped, "opted_out", 1).await;
        office.bring(&ann, &letter("next", EVE));
        office.until_reason(&ann, RunState::Skipped, "opted_out", 2).await;
        served.end().await;
        assert!(office.provider.calls().is_empty());
    }

    async fn who_wants_to_be_left_alone_is_left_alone_by_that_mailbox(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        let served = office.serve().await;
        office.bring(&ann, &letter("wish", EVE).saying("Please leave me alone."));
        office.until_reason(&ann, RunState::Skipped, "opted_out", 1).await;
        office.bring(&ann, &letter("next", EVE));
        office.until_reason(&ann, RunState::Skipped, "opted_out", 2).await;
        // The same person may write to others, and others to this mailbox.
        office.bring(&bob, &letter("elsewhere", EVE));
        office.bring(&ann, &letter("somebody", "adam@else.test"));
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.until_counted(&bob, RunState::Replied, 1).await;
        assert_eq!(office.told(&ann).await, ["opted_out"]);
        served.end().await;
        assert_eq!(office.provider.calls().len(), 2);
    }

    async fn a_reply_that_waits_is_not_sent_after_the_wish(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.change_agent(&ann, |agent| agent.mode = Mode::Draft).await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.until_reason(&ann, RunState::Held, "draft", 1).await;
        let draft = office.only_run(&ann).await.id;
        office.bring(&ann, &letter("wish", EVE).saying("Please leave me alone."));
        office.until_reason(&ann, RunState::Skipped, "opted_out", 1).await;
        office.change_agent(&ann, |agent| agent.mode = Mode::Automatic).await;
        assert!(office.store.retry_run(ann.user, draft, false).await.unwrap());
        office.until_reason(&ann, RunState::Skipped, "opted_out", 2).await;
        assert_eq!(office.smtp.accepted().len(), 0);
        // What a person decides is not automation.
        assert!(office.store.retry_run(ann.user, draft, true).await.unwrap());
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
    }
}
