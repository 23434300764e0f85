//! Providers that are busy, broken, silent or talk nonsense, and models that decline.

use std::time::{Duration, Instant};

use postkey::app::App;
use postkey::clock::Clock;
use postkey::store::RunState;
use tokio_util::sync::CancellationToken;

use crate::support::database::on_both;
use crate::support::office::{LONG, Office};
use crate::support::provider_server::Answer;
use crate::support::raw::texts;
use crate::support::wait::until;

on_both! {
    async fn a_rate_limit_is_waited_out_and_counts_no_attempt(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.next(&ann.key, Answer::status(429, "{}").header("retry-after", "2"));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        until("it has been asked", LONG, async || office.provider.calls().len() == 1).await;
        let asked = Instant::now();
        office.until_counted(&ann, RunState::Replied, 1).await;
        let waited = asked.elapsed();
        served.end().await;
        assert!(waited >= Duration::from_millis(1900), "asked again after {waited:?}");
        assert!(waited < Duration::from_secs(20), "asked again only after {waited:?}");
        assert_eq!(office.only_run(&ann).await.attempt, 0);
        assert_eq!(office.provider.calls().len(), 2);
        office.check_answered_once([1]);
    }
}

on_both! {
    async fn a_provider_that_asks_for_no_wait_is_left_alone_for_a_second_all_the_same(database: TestDatabase) {
        let office = Office::open(&database).await;
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        let past = "Wed, 21 Oct 2015 07:28:00 GMT";
        office.provider.always(&ann.key, Answer::status(429, "{}").header("retry-after", "0"));
        office.provider.always(&bob.key, Answer::status(503, "{}").header("retry-after", past));
        let served = office.serve().await;
        for desk in [&ann, &bob] {
            office.deliver(desk, 1);
            let asked = async || office.provider.calls_of(&desk.key).len();
            until("it has been asked", LONG, async || asked().await >= 1).await;
            let first = Instant::now();
            until("it has been asked again and again", LONG, async || asked().await >= 4).await;
            assert!(first.elapsed() >= Duration::from_millis(2900), "four calls within {:?}", first.elapsed());
        }
        served.end().await;
    }

    async fn a_provider_that_asks_for_no_wait_again_and_again_is_asked_less_often(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire_without_key("ann@shop.test").await;
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "no_key", 1).await;
        served.end().await;
        office.provider.otherwise(Answer::status(429, "{}").header("retry-after", "0"));
        office.save_key(&ann, "sk-test-ann-0123456789abcdef").await;
        let (now, later) = (Clock::system().now(), Clock::system().now().plus(Duration::from_secs(2 * 3600)));
        let app = App::open(office.config.clone(), Clock::manual(later)).await.unwrap();
        let stop = CancellationToken::new();
        let served = tokio::spawn(app.serve(stop.clone()));
        office.until_reason(&ann, RunState::Waiting, "rate_limited", 1).await;
        stop.cancel();
        served.await.unwrap().unwrap();
        // PostgreSQL has a clock of its own.
        let begun = if database.is_postgres() { now } else { later };
        let waits = format!("SELECT CAST(due_at >= {} AS TEXT) FROM runs", begun.millis() + 30_000);
        let waits = texts(&database, &waits).await;
        assert!(waits == ["1"] || waits == ["true"], "less than where nothing is said: {waits:?}");
    }
}

on_both! {
    async fn a_broken_provider_is_asked_again(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.next(&ann.key, Answer::status(500, "{}"));
        office.provider.next(&ann.key, Answer::rubbish());
        office.provider.next(&ann.key, Answer::status(503, "busy"));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 4);
        // Busy is nobody's fault, so the 503 is not counted.
        assert_eq!(office.only_run(&ann).await.attempt, 2);
        office.check_answered_once([1]);
        let usage = office.store.sum_usage(ann.user).await.unwrap();
        assert_eq!((usage[0].calls, usage[0].failed), (4, 3));
    }
}

on_both! {
    async fn rubbish_for_ever_ends_as_failed_and_sends_nothing(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.otherwise(Answer::rubbish());
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Failed, "provider_failed", 1).await;
        served.end().await;
        let attempts = usize::try_from(office.config.worker.max_attempts).unwrap();
        assert_eq!(office.provider.calls().len(), attempts);
        assert!(office.smtp.accepted().is_empty());
    }
}

on_both! {
    async fn a_silent_provider_is_asked_once_more_and_then_a_person_decides(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.provider.call_timeout = Duration::from_millis(500);
        let (ann, bob) = (office.hire("ann@shop.test").await, office.hire("bob@shop.test").await);
        office.provider.always(&ann.key, Answer::Hang);
        office.provider.next(&bob.key, Answer::Hang);
        office.deliver(&ann, 1);
        office.deliver(&bob, 2);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Held, "provider_silent", 1).await;
        office.until_counted(&bob, RunState::Replied, 1).await;
        assert_eq!(office.provider.calls_of(&ann.key).len(), 2, "it may be charged for each");
        assert_eq!(office.provider.calls_of(&bob.key).len(), 2);
        office.provider.always(&ann.key, Answer::words(|_| "Here I am.".into()));
        assert!(office.store.retry_run(ann.user, office.only_run(&ann).await.id, false).await.unwrap());
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([1, 2]);
    }
}

on_both! {
    async fn an_answer_that_is_cut_off_is_never_sent(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.next(&ann.key, Answer::Cut);
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 2);
        office.check_answered_once([1]);
    }
}

on_both! {
    async fn a_model_may_decline_to_answer(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.otherwise(Answer::words(|_| "[[NO REPLY]]".into()));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Skipped, "model_declined", 1).await;
        served.end().await;
        assert!(office.smtp.accepted().is_empty());
        assert_eq!(office.provider.calls().len(), 1);
    }
}

/// What a model says that has thought for as long as it may speak.
fn thought_only() -> Answer {
    let message = r#"{"role":"assistant","content":""}"#;
    let usage = r#"{"prompt_tokens":10,"completion_tokens":500,"total_tokens":510}"#;
    let choice = format!(r#"{{"index":0,"message":{message},"finish_reason":"length"}}"#);
    Answer::status(200, &format!(r#"{{"id":"c","model":"test-model","choices":[{choice}],"usage":{usage}}}"#))
}

fn rooms(office: &Office) -> Vec<u64> {
    office.provider.calls().iter().map(|call| call.request["max_tokens"].as_u64().unwrap()).collect()
}

on_both! {
    async fn a_model_that_thought_for_as_long_as_it_may_speak_gets_more_room_once(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.provider.max_output_tokens = 500;
        let ann = office.hire("ann@shop.test").await;
        office.provider.next(&ann.key, thought_only());
        // The second call has its own trouble; the room stays.
        office.provider.next(&ann.key, Answer::status(429, "{}").header("retry-after", "1"));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.provider.otherwise(thought_only());
        office.deliver(&ann, 2);
        office.until_reason(&ann, RunState::Held, "no_words", 1).await;
        served.end().await;
        assert_eq!(rooms(&office), [500, 2000, 2000, 500, 2000]);
        office.check_answered_once([1]);
        let usage = office.store.sum_usage(ann.user).await.unwrap();
        assert_eq!((usage[0].calls, usage[0].failed), (5, 3));
        assert!(usage[0].output_tokens >= 1500, "what was thought is paid for: {usage:?}");
    }
}
