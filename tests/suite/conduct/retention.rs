//! Text is forgotten before the runs that it belonged to (SR-83).

use std::time::Duration;

use postkey::clock::Timestamp;
use postkey::store::{Mode, RunState};

use crate::support::database::on_both;
use crate::support::office::Office;
use crate::support::smtp_server::{Fault, Rule, Step};

on_both! {
    async fn sr_83_the_text_of_an_ended_reply_goes_and_a_draft_keeps_its_bytes(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        let cleo = office.hire("cleo@shop.test").await;
        office.change_agent(&bob, |agent| agent.mode = Mode::Draft).await;
        office.deliver(&ann, 1);
        office.deliver(&bob, 2);
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.until_reason(&bob, RunState::Held, "draft", 1).await;
        office.smtp.rule(Rule::at(Step::RcptTo, Fault::Reply("550 5.1.1 nobody")));
        office.deliver(&cleo, 3);
        office.until_reason(&cleo, RunState::Failed, "smtp_refused", 1).await;
        served.end().await;
        let later = office.store.clock().now().plus(Duration::from_secs(60));
        let no_runs = Timestamp::from_millis(0);
        assert!(office.store.forget(later, no_runs).await.unwrap() > 0);
        for (desk, state, keeps_text) in [
            (&ann, RunState::Replied, false),
            (&bob, RunState::Held, true),
            (&cleo, RunState::Failed, false),
        ] {
            let run = office.only_run(desk).await;
            assert_eq!(run.state, state);
            let reply = office.store.find_reply(desk.user, run.id).await.unwrap().unwrap();
            assert_eq!((reply.raw.is_some(), reply.words.is_some()), (keeps_text, keeps_text));
            assert!(reply.rfc_message_id.is_some());
        }
        assert_eq!(office.store.forget(later, no_runs).await.unwrap(), 0, "something was forgotten twice");
    }
}
