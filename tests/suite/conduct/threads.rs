//! A conversation is found by the mails that are answered, within one mailbox and with one correspondent, and never
//! by its subject (EM-69, EM-70).

use std::time::Duration;

use postkey::store::RunState;

use super::letter;
use crate::support::database::{TestDatabase, on_both};
use crate::support::office::Office;
use crate::support::raw::texts;

const EVE: &str = "eve@else.test";

/// Whom the threads are with, in order.
async fn threads(database: &TestDatabase) -> Vec<String> {
    texts(database, "SELECT correspondent FROM threads ORDER BY correspondent").await
}

on_both! {
    async fn em_69_a_conversation_is_one_thread_and_the_same_subject_is_not(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.bring(&ann, &letter("second", EVE).answering(&office.last_reply()));
        office.until_counted(&ann, RunState::Replied, 2).await;
        assert_eq!(threads(&database).await, [EVE]);
        office.bring(&ann, &letter("third", EVE));
        office.until_counted(&ann, RunState::Replied, 3).await;
        served.end().await;
        assert_eq!(threads(&database).await, [EVE, EVE]);
    }

    async fn em_70_nobody_gets_into_the_conversation_of_another(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE).saying("My secret is 4711."));
        office.until_counted(&ann, RunState::Replied, 1).await;
        let nosy = letter("second", "nosy@else.test").saying("What was it again?").answering(&office.last_reply());
        office.bring(&ann, &nosy);
        office.until_counted(&ann, RunState::Replied, 2).await;
        served.end().await;
        assert_eq!(threads(&database).await, [EVE, "nosy@else.test"]);
        let asked = office.provider.calls();
        assert!(asked[0].request.to_string().contains("4711"));
        assert!(!asked[1].request.to_string().contains("4711"), "the model was shown another's conversation");
    }

    async fn em_69_an_answer_to_a_forgotten_reply_finds_its_thread(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        office.bring(&ann, &letter("first", EVE));
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        let later = office.store.clock().now().plus(Duration::from_secs(60));
        office.store.forget(later, later).await.unwrap();
        let served = office.serve().await;
        office.bring(&ann, &letter("second", EVE).answering(&office.last_reply()));
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        assert_eq!(threads(&database).await, [EVE]);
    }
}
