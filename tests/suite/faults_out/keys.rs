//! Keys that are refused, used up, missing, or the operator's.

use std::time::{Duration, Instant};

use postkey::config::PlatformKey;
use postkey::store::{KeyState, Payer, RunState};
use secrecy::SecretString;

use crate::support::database::on_both;
use crate::support::office::{LONG, Office};
use crate::support::provider_server::{Answer, ProviderServer};
use crate::support::wait::until;

const REFUSED: &str =
    r#"{"error":{"message":"Incorrect API key","type":"invalid_request_error","code":"invalid_api_key"}}"#;
const NO_MONEY: &str = r#"{"error":{"message":"You exceeded your quota","type":"insufficient_quota","code":"insufficient_quota"}}"#;

on_both! {
    async fn a_refused_key_is_not_used_again_until_it_is_replaced(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        // Eight runs at once, one call at a time: seven hold an opened key when the first call is refused.
        office.config.worker.per_user = 8;
        office.config.provider.per_key = 1;
        let ann = office.hire("ann@shop.test").await;
        office.provider.always(&ann.key, Answer::status(401, REFUSED).late(Duration::from_millis(200)));
        (0..20).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "key_invalid", 20).await;
        assert_eq!(office.provider.calls().len(), 1);
        let key = &office.store.list_ai_configurations(ann.user).await.unwrap()[0];
        assert_eq!((key.state, key.state_reason.as_deref()), (KeyState::Invalid, Some("auth_invalid")));
        let notices = office.open_notices(&ann).await;
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert_eq!(notices[0].kind, "auth_invalid");
        office.save_key(&ann, "sk-test-new-0123456789abcdef").await;
        office.until_counted(&ann, RunState::Replied, 20).await;
        served.end().await;
        office.check_answered_once(0..20);
        assert_eq!(office.provider.calls_of(&ann.key).len(), 1);
        assert_eq!(office.open_notices(&ann).await.len(), 0);
        assert!(office.runs(&ann).await.iter().all(|run| run.attempt == 0));
    }
}

on_both! {
    async fn calls_in_flight_end_and_no_other_begins_after_a_refusal(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        // The first refusal is quick; the others of the first four come back after it, one with a milder word.
        office.provider.next(&ann.key, Answer::status(401, REFUSED));
        let slow = Duration::from_millis(500);
        office.provider.next(&ann.key, Answer::status(429, "{}").header("retry-after", "1").late(slow));
        office.provider.always(&ann.key, Answer::status(401, REFUSED).late(slow));
        (0..30).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "key_invalid", 30).await;
        served.end().await;
        let calls = office.provider.calls().len();
        assert!((1..=4).contains(&calls), "{calls} calls with a refused key");
        let key = &office.store.list_ai_configurations(ann.user).await.unwrap()[0];
        assert_eq!(key.state, KeyState::Invalid);
    }
}

on_both! {
    async fn a_key_saved_while_the_old_one_is_being_refused_is_not_missed(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.always(&ann.key, Answer::status(401, REFUSED).late(Duration::from_secs(1)));
        office.deliver(&ann, 1);
        let served = office.serve().await;
        until("the old key is asked with", LONG, async || office.provider.calls().len() == 1).await;
        office.save_key(&ann, "sk-test-new-0123456789abcdef").await;
        office.until_counted(&ann, RunState::Replied, 1).await;
        served.end().await;
        office.check_answered_once([1]);
        let key = &office.store.list_ai_configurations(ann.user).await.unwrap()[0];
        assert_eq!(key.state, KeyState::Active, "the new key was marked for the old one's fault");
        assert_eq!(office.open_notices(&ann).await.len(), 0);
    }
}

on_both! {
    async fn used_up_money_costs_one_call_for_each_step_of_waiting(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire("ann@shop.test").await;
        office.provider.always(&ann.key, Answer::status(429, NO_MONEY).header("retry-after", "1"));
        (0..50).for_each(|number| office.deliver(&ann, number));
        let begun = Instant::now();
        let served = office.serve().await;
        until("it has been tried again twice", LONG, async || office.provider.calls().len() >= 6).await;
        let steps = usize::try_from(begun.elapsed().as_secs()).unwrap() + 1;
        let calls = office.provider.calls().len();
        // At first as many calls are in flight as the owner may have runs; then each step has one.
        assert!(calls <= 4 + steps, "{calls} calls in {steps} steps");
        assert!(begun.elapsed() >= Duration::from_secs(2), "six calls within {:?}", begun.elapsed());
        assert!(office.runs(&ann).await.iter().all(|run| run.attempt == 0), "an attempt was counted");
        let notices = office.open_notices(&ann).await;
        assert_eq!(notices.len(), 1, "{notices:?}");
        office.provider.always(&ann.key, Answer::words(|call| format!("At last: {}", call.last_text())));
        office.until_counted(&ann, RunState::Replied, 50).await;
        served.end().await;
        office.check_answered_once(0..50);
        assert_eq!(office.open_notices(&ann).await.len(), 0, "it works again, and the notice stays");
        let key = &office.store.list_ai_configurations(ann.user).await.unwrap()[0];
        assert_eq!((key.state, key.resume_at), (KeyState::Active, None));
    }
}

on_both! {
    async fn mail_without_a_key_waits_for_one(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire_without_key("ann@shop.test").await;
        (0..3).for_each(|number| office.deliver(&ann, number));
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "no_key", 3).await;
        let notices = office.open_notices(&ann).await;
        assert_eq!(notices.iter().map(|notice| notice.kind.as_str()).collect::<Vec<_>>(), ["no_key"]);
        assert_eq!(office.provider.calls().len(), 0);
        office.save_key(&ann, "sk-test-first-0123456789abcdef").await;
        office.until_counted(&ann, RunState::Replied, 3).await;
        served.end().await;
        office.check_answered_once(0..3);
        assert_eq!(office.open_notices(&ann).await.len(), 0);
    }
}

on_both! {
    async fn the_platform_key_pays_only_where_operator_and_agent_allow_it(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        let operators = ProviderServer::start().await;
        office.config.network.private_endpoints.push(operators.address().to_string());
        office.config.platform_key = Some(PlatformKey {
            provider: "openai_compatible".into(),
            api_key: SecretString::from("sk-platform-0123456789abcdef"),
            model: "platform-model".into(),
            base_url: Some(operators.base_url()),
        });
        let allowed = office.hire_without_key("allowed@shop.test").await;
        let forbidden = office.hire_without_key("forbidden@shop.test").await;
        let own = office.hire("own@shop.test").await;
        let refused = office.hire("refused@shop.test").await;
        for desk in [&allowed, &own, &refused] {
            office.change_agent(desk, |agent| agent.allow_platform_key = true).await;
        }
        office.provider.always(&refused.key, Answer::status(401, REFUSED));
        for (number, desk) in [&allowed, &forbidden, &own, &refused].into_iter().enumerate() {
            office.deliver(desk, number);
        }
        let served = office.serve().await;
        office.until_counted(&allowed, RunState::Replied, 1).await;
        office.until_counted(&own, RunState::Replied, 1).await;
        office.until_reason(&forbidden, RunState::Waiting, "no_key", 1).await;
        office.until_reason(&refused, RunState::Waiting, "key_invalid", 1).await;
        served.end().await;
        let of_operator = operators.calls();
        assert_eq!(of_operator.len(), 1, "only the one agent without a key that may");
        assert_eq!(of_operator[0].key, "sk-platform-0123456789abcdef");
        assert_eq!(office.provider.calls_of("sk-platform-0123456789abcdef").len(), 0, "it left for a user's server");
        assert_eq!(office.provider.calls_of(&own.key).len(), 1);
        let usage = office.store.sum_usage(allowed.user).await.unwrap();
        assert_eq!(usage.iter().map(|total| total.payer).collect::<Vec<_>>(), [Payer::Platform]);
    }
}

on_both! {
    async fn without_the_operators_word_no_platform_key_is_used(database: TestDatabase) {
        let office = Office::open(&database).await;
        let ann = office.hire_without_key("ann@shop.test").await;
        office.change_agent(&ann, |agent| agent.allow_platform_key = true).await;
        office.deliver(&ann, 1);
        let served = office.serve().await;
        office.until_reason(&ann, RunState::Waiting, "no_key", 1).await;
        served.end().await;
        assert_eq!(office.provider.calls().len(), 0);
    }
}
