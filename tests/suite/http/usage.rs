//! What was used, told apart by day, agent, model and payer, whether its hours are summed yet or not.

use std::time::Duration;

use postkey::clock::Timestamp;
use postkey::store::{AgentId, Store, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::api::{Service, Visitor};
use crate::support::database::{TestDatabase, on_both};
use crate::support::raw::{execute, id_literal};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A call that was made.
#[derive(Clone, Copy)]
struct Call {
    at: Timestamp,
    agent: Uuid,
    payer: &'static str,
    model: &'static str,
    state: &'static str,
}

async fn add(database: &TestDatabase, user: UserId, call: Call) {
    let id = |id: Uuid| id_literal(database, id);
    let Call { at, agent, payer, model, state } = call;
    let statement = format!(
        "INSERT INTO provider_calls (id, user_id, run_id, agent_id, payer, provider, model, state, input_tokens,
            cached_tokens, output_tokens, reasoning_tokens, started_at)
         VALUES ({}, {}, {}, {}, '{payer}', 'openai', '{model}', '{state}', 100, 40, 10, 3, {})",
        id(Uuid::from_bytes(rand::random())),
        id(user.uuid()),
        id(Uuid::from_bytes(rand::random())),
        id(agent),
        at.millis(),
    );
    execute(database, &statement).await;
}

async fn user_of(service: &Service, name: &str) -> UserId {
    service.store.find_user_by_email(&format!("{name}@owner.test")).await.unwrap().unwrap().id
}

/// Sums everything that there is to sum.
async fn sum(store: &Store, settled_before: Timestamp) {
    while store.sum_hours(settled_before).await.unwrap() > 0 {}
}

async fn items(visitor: &Visitor, query: &str) -> Vec<Value> {
    visitor.get(&format!("/api/usage{query}")).await.expect(200)["items"].as_array().unwrap().clone()
}

on_both! {
    async fn usage_is_told_apart_as_wished_before_and_after_it_is_summed(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let user = user_of(&service, "ann").await;
        let now = service.store.clock().now();
        let (one, other) = (AgentId::new(service.store.clock()).uuid(), AgentId::new(service.store.clock()).uuid());
        let usual = Call { at: now.minus(DAY * 2), agent: one, payer: "owner", model: "big", state: "done" };
        for call in [
            usual,
            Call { at: now.minus(DAY * 2 - Duration::from_secs(1)), ..usual },
            Call { model: "small", ..usual },
            Call { payer: "platform", ..usual },
            Call { agent: other, state: "failed", ..usual },
            Call { at: now.minus(DAY * 10), ..usual },
            Call { at: now, ..usual },
            Call { at: now.minus(DAY * 40), ..usual },
        ] {
            add(&database, user, call).await;
        }
        let queries = ["", "?group_by=agent", "?group_by=model,payer", "?group_by=day,agent,model,payer", "?group_by=payer"];
        let mut before = Vec::new();
        for query in queries {
            before.push(ann.get(&format!("/api/usage{query}")).await.expect(200));
        }
        assert_eq!(before[0]["total"]["calls"], 7, "the last 30 days: {}", before[0]);
        assert_eq!(before[0]["total"]["input_tokens"], 700);
        assert_eq!(before[0]["items"].as_array().unwrap().len(), 3);
        assert_eq!((before[0]["items"][1]["calls"].as_i64(), before[0]["items"][1]["failed"].as_i64()), (Some(5), Some(1)));
        assert_eq!(before[1]["items"].as_array().unwrap().len(), 2);
        assert_eq!(before[1]["items"][0]["day"], json!(null));
        assert_eq!(before[2]["items"].as_array().unwrap().len(), 3);
        let paid: Vec<_> = before[4]["items"].as_array().unwrap().iter().map(|item| (item["payer"].clone(), item["calls"].clone())).collect();
        assert_eq!(paid, [(json!("owner"), json!(6)), (json!("platform"), json!(1))]);
        sum(&service.store, now.minus(DAY)).await;
        for (query, before) in queries.into_iter().zip(before) {
            assert_eq!(ann.get(&format!("/api/usage{query}")).await.expect(200), before, "{query}");
        }
        assert!(items(&bob, "").await.is_empty());
    }

    async fn a_range_has_its_first_and_its_last_day(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let user = user_of(&service, "ann").await;
        // 2026-03-01T00:00:00Z and the last millisecond of the day after.
        for millis in [1_772_323_199_999, 1_772_323_200_000, 1_772_495_999_999, 1_772_496_000_000] {
            let at = Timestamp::from_millis(millis);
            add(&database, user, Call { at, agent: Uuid::nil(), payer: "owner", model: "m", state: "done" }).await;
        }
        for summed in [false, true] {
            if summed {
                sum(&service.store, service.store.clock().now()).await;
            }
            let days: Vec<Value> =
                items(&ann, "?from=2026-03-01&to=2026-03-02").await.iter().map(|item| item["day"].clone()).collect();
            assert_eq!(days, ["2026-03-01", "2026-03-02"], "{summed}");
        }
    }

    async fn a_wrong_range_or_group_is_named(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        for (query, field) in [
            ("from=2026-03-02&to=2026-03-01", "from"),
            ("from=2025-03-01&to=2026-03-02", "from"),
            ("from=yesterday", "from"),
            ("from=2026-3-1", "from"),
            ("to=2026-02-30", "to"),
            ("group_by=week", "group_by"),
            ("group_by=", "group_by"),
        ] {
            let refused = ann.get(&format!("/api/usage?{query}")).await;
            assert_eq!(refused.body["error"]["details"]["field"], field, "{query}");
            assert_eq!(refused.refused(422), "invalid_input", "{query}");
        }
        assert_eq!(ann.get("/api/usage?surprise=1").await.refused(422), "invalid_input");
        ann.get("/api/usage?from=2025-03-01&to=2026-03-01").await.expect(200);
        ann.get("/api/usage?from=0001-01-01&to=0001-01-01").await.expect(200);
        ann.get("/api/usage?to=9999-12-31").await.expect(200);
    }

    async fn many_calls_are_summed_in_batches_and_none_twice(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let user = id_literal(&database, user_of(&service, "ann").await.uuid());
        let (numbers, id) = if database.is_postgres() {
            ("SELECT n FROM generate_series(0, 19999) AS n", "gen_random_uuid()")
        } else {
            ("WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 19999) SELECT n FROM s", "randomblob(16)")
        };
        let begin = service.store.clock().now().minus(DAY * 20).millis();
        // 70 seconds apart, so that hours end within batches.
        execute(&database, &format!(
            "INSERT INTO provider_calls (id, user_id, run_id, agent_id, payer, provider, model, state, input_tokens, started_at)
             SELECT {id}, {user}, {id}, {user}, 'owner', 'openai', 'm', 'done', 1, {begin} + n * 70000 FROM ({numbers}) AS numbers")).await;
        let settled_before = service.store.clock().now().minus(Duration::from_secs(7200));
        let (one, other) = tokio::join!(sum(&service.store, settled_before), sum(&service.store, settled_before));
        assert_eq!((one, other), ((), ()));
        let total = ann.get("/api/usage").await.expect(200)["total"].clone();
        assert_eq!((total["calls"].as_i64(), total["input_tokens"].as_i64()), (Some(20_000), Some(20_000)));
    }
}
