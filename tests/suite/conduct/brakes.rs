//! Limits of an agent's own, and threads that say the same again or go too fast (EM-27 to EM-29).

use postkey::store::RunState;

use super::letter;
use crate::support::database::on_both;
use crate::support::office::Office;
use crate::support::provider_server::Answer;

const EVE: &str = "eve@else.test";

on_both! {
    async fn an_agent_may_answer_less_often_than_configured_and_not_more_often(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.answers.per_thread_day = 1;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        office.lay_down(&ann, |rules| rules.limits.per_correspondent_10_minutes = Some(1)).await;
        office.lay_down(&bob, |rules| rules.limits.per_thread_day = Some(50)).await;
        let served = office.serve().await;
        for desk in [&ann, &bob] {
            office.bring(desk, &letter("first", EVE));
            office.until_counted(desk, RunState::Replied, 1).await;
        }
        office.bring(&ann, &letter("second", EVE));
        office.until_reason(&ann, RunState::Held, "correspondent_limit", 1).await;
        office.bring(&bob, &letter("second", EVE).answering("first@else.test"));
        office.until_reason(&bob, RunState::Held, "thread_limit", 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 2, "replies that may not go out were paid for");
    }

    async fn the_same_question_again_is_held_until_its_owner_says_otherwise(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE).saying("Is the shop open?"));
        office.until_counted(&ann, RunState::Replied, 1).await;
        let again = letter("second", EVE).saying("is  the shop OPEN?").answering(&office.last_reply());
        office.bring(&ann, &again);
        office.until_reason(&ann, RunState::Held, "same_content", 1).await;
        assert_eq!(office.provider.calls().len(), 1);
        assert_eq!(office.told(&ann).await, ["same_content"]);
        let held = office.runs(&ann).await[0].id;
        assert!(office.store.retry_run(ann.user, held, true).await.unwrap());
        office.until_counted(&ann, RunState::Replied, 2).await;
        served.end().await;
        assert_eq!(office.told(&ann).await, [""; 0]);
    }

    async fn the_same_answer_again_is_held(database: TestDatabase) {
        let office = Office::open(&database).await;
        office.provider.otherwise(Answer::words(|_| "Thank you for your message.".to_owned()));
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.bring(&ann, &letter("second", EVE).answering(&office.last_reply()));
        office.until_reason(&ann, RunState::Held, "same_content", 1).await;
        // In another conversation it is no loop.
        office.bring(&ann, &letter("third", EVE));
        office.until_counted(&ann, RunState::Replied, 2).await;
        served.end().await;
    }

    async fn a_thread_that_goes_faster_than_people_write_is_paused(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.answers.per_correspondent_10_minutes = 100;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("mail-0", EVE));
        for number in 1..=3 {
            office.until_counted(&ann, RunState::Replied, number).await;
            office.bring(&ann, &letter(&format!("mail-{number}"), EVE).answering(&office.last_reply()));
        }
        office.until_reason(&ann, RunState::Held, "robot_speed", 1).await;
        served.end().await;
        assert_eq!(office.smtp.accepted().len(), 3);
        assert_eq!(office.told(&ann).await, ["robot_speed"]);
    }
}
