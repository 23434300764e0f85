//! Chat for front ends: in OpenAI's shape, on the owner's own key.

mod browser;
mod credentials;
mod faults;
mod leaving;
mod readme;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::api::{Answered, Service, Visitor, send};
use crate::support::database::{TestDatabase, on_both};
use crate::support::raw::texts;
use crate::support::wait::some;

const PATH: &str = "/api/v1/chat/completions";
/// The stored key of everybody here.
const KEY: &str = "sk-test-0123456789abcdefghij";

/// Somebody with an AI configuration.
async fn settle(service: &Service, name: &str) -> Visitor {
    let visitor = service.sign_up(name).await;
    visitor.post("/api/ai-config", service.ai_configuration(KEY)).await.expect(201);
    visitor
}

fn question(words: &str) -> Value {
    json!({ "messages": [{ "role": "user", "content": words }] })
}

fn streamed(words: &str) -> Value {
    let mut question = question(words);
    question["stream"] = json!(true);
    question
}

/// The data of each event of an answer.
fn events(answer: &Answered) -> Vec<&str> {
    let events = answer.text.split_terminator("\n\n").filter_map(|event| event.strip_prefix("data: "));
    events.collect()
}

/// The words of an answer in pieces, as far as they came.
fn words(answer: &Answered) -> String {
    let pieces = events(answer).into_iter().filter_map(|data| serde_json::from_str::<Value>(data).ok());
    pieces.filter_map(|piece| Some(piece["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
}

/// The rows of calls that were ended, once there are so many: who paid, the state, the class of the error, whether it
/// may be charged, tokens in and out.
async fn calls(database: &TestDatabase, number: usize) -> Vec<String> {
    let query = "SELECT payer || ' ' || state || ' ' || COALESCE(error_class, '-') || ' ' ||
            CASE WHEN maybe_charged THEN 'maybe' ELSE '-' END || ' ' || input_tokens || ' ' || output_tokens
        FROM provider_calls WHERE ended_at IS NOT NULL AND run_id IS NULL AND agent_id IS NULL ORDER BY id";
    some("the calls are noted", Duration::from_secs(20), || async {
        let found = texts(database, query).await;
        (found.len() == number).then_some(found)
    })
    .await
}

on_both! {
    async fn a_question_is_answered_on_its_owners_key(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let answer = ann.post(PATH, question("Is it open?")).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        let answer = answer.expect(200);
        assert_eq!(answer["object"], "chat.completion");
        assert_eq!(answer["choices"][0]["message"], json!({ "role": "assistant", "content": "Answer to: Is it open?", "refusal": null }));
        assert_eq!((answer["model"].as_str(), answer["usage"]["total_tokens"].as_i64()), (Some("test-model"), Some(8)));
        let asked = service.provider.calls_of(KEY).remove(0).request;
        // What the AI configuration says holds for what the question leaves open.
        assert_eq!(asked, json!({
            "model": "test-model", "messages": [{ "role": "user", "content": "Is it open?" }],
            "max_tokens": 500, "temperature": 0.7,
        }));
        assert_eq!(calls(&database, 1).await, ["owner done - - 3 5"]);
        let usage = ann.get("/api/usage?group_by=agent,model,payer").await.expect(200);
        assert_eq!(usage["items"][0]["agent_id"], Value::Null);
        assert_eq!((usage["items"][0]["payer"].as_str(), usage["total"]["output_tokens"].as_i64()), (Some("owner"), Some(5)));
        assert_eq!(ann.get("/api/runs").await.expect(200)["items"], json!([]));
        service.end().await;
    }

    async fn an_answer_comes_piece_by_piece(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let answer = ann.post(PATH, streamed("Is it open?")).await;
        assert_eq!((answer.status, answer.headers["content-type"].to_str().unwrap()), (200, "text/event-stream"));
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!((words(&answer).as_str(), events(&answer).last()), ("Answer to: Is it open?", Some(&"[DONE]")));
        for data in events(&answer).iter().rev().skip(1) {
            let piece: Value = serde_json::from_str(data).unwrap();
            assert_eq!(piece["object"], "chat.completion.chunk");
            assert!(piece["choices"][0].is_object() && piece.get("usage").is_none(), "{piece}");
        }
        // Costs are asked for in any case, and told to whoever asks for them.
        let asked = service.provider.calls_of(KEY).remove(0).request;
        assert_eq!((&asked["stream"], &asked["stream_options"]["include_usage"]), (&json!(true), &json!(true)));
        let mut question = streamed("Is it open?");
        question["stream_options"] = json!({ "include_usage": true });
        let answer = ann.post(PATH, question).await;
        let told: Value = serde_json::from_str(events(&answer).into_iter().rev().nth(1).unwrap()).unwrap();
        assert_eq!((&told["choices"], &told["usage"]["completion_tokens"]), (&json!([]), &json!(5)));
        assert_eq!(calls(&database, 2).await, ["owner done - - 3 5"; 2]);
        service.end().await;
    }

    async fn what_shapes_an_answer_is_passed_on(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let passed = json!({
            "top_p": 1, "stop": ["END"], "seed": i64::MIN, "presence_penalty": 0.30000000000000004, "frequency_penalty": -2.0,
            "logit_bias": { "50256": -100 }, "logprobs": true, "top_logprobs": 20, "tool_choice": "auto",
            "response_format": { "type": "json_schema", "json_schema": { "name": "x", "schema": { "properties": { "why": {}, "answer": {} } } } },
            "tools": [{ "type": "function", "function": { "name": "weather", "parameters": {} } }],
            "parallel_tool_calls": false, "reasoning_effort": "low", "verbosity": "low", "user": "visitor-1", "temperature": 0,
            "safety_identifier": "v1", "prompt_cache_key": "shop",
        });
        let mut question = json!({
            "model": "another", "max_completion_tokens": 40, "n": 1, "store": false, "stop": null,
            "messages": [
                { "role": "system", "content": "Be short." },
                { "role": "user", "content": [{ "type": "text", "text": "What is it?" }, { "type": "image_url", "image_url": { "url": "data:," } }] },
                { "role": "assistant", "content": null, "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "weather", "arguments": "{}" } }] },
                { "role": "tool", "tool_call_id": "c1", "content": "rain" },
            ],
        });
        question.as_object_mut().unwrap().extend(passed.as_object().unwrap().clone());
        ann.post(PATH, question.clone()).await.expect(200);
        let asked = service.provider.calls_of(KEY).remove(0).request;
        assert_eq!((&asked["model"], &asked["max_tokens"], &asked["messages"]), (&json!("another"), &json!(40), &question["messages"]));
        for (name, value) in passed.as_object().unwrap() {
            // As texts: a model writes the fields of a schema in their order, and 1 does not become 1.0.
            assert_eq!(asked[name].to_string(), value.to_string(), "{name}");
        }
        assert_eq!(asked.as_object().unwrap().len(), 3 + passed.as_object().unwrap().len(), "{asked}");
        for (name, value) in [("stop", json!("END")), ("stop", json!([])), ("tool_choice", json!({ "type": "function", "function": { "name": "weather" } }))] {
            let mut asked = question.clone();
            asked[name] = value.clone();
            ann.post(PATH, asked).await.expect(200);
            assert_eq!(service.provider.calls_of(KEY).last().unwrap().request[name], value);
        }
        service.end().await;
    }

    async fn what_is_not_taken_is_refused_by_its_name(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        for (field, value) in [
            ("messages", json!([])),
            ("messages", json!("hunter2hunter2")),
            ("n", json!(2)),
            ("store", json!(true)),
            ("metadata", json!({ "secret": "hunter2hunter2" })),
            ("web_search_options", json!({})),
            ("audio", json!({})),
            ("service_tier", json!("priority")),
            ("max_tokens", json!(0)),
            ("max_tokens", json!(-1)),
            ("max_completion_tokens", json!(501)),
            ("temperature", json!(2.1)),
            ("temperature", json!("hunter2hunter2")),
            ("stream", json!("hunter2hunter2")),
            ("stream_options", json!([true])),
            ("model", json!("a\nb")),
            ("top_p", json!("hunter2hunter2")),
            ("stop", json!({ "hunter2": 1 })),
            ("stop", json!(["hunter2", 2])),
            ("seed", json!(1.5)),
            ("seed", json!(u64::MAX)),
            ("presence_penalty", json!(true)),
            ("frequency_penalty", json!([])),
            ("logit_bias", json!([1])),
            ("logprobs", json!("hunter2hunter2")),
            ("top_logprobs", json!(-1)),
            ("response_format", json!("hunter2hunter2")),
            ("tools", json!({})),
            ("tool_choice", json!(["hunter2hunter2"])),
            ("parallel_tool_calls", json!(1)),
            ("reasoning_effort", json!(2)),
            ("verbosity", json!({})),
            ("user", json!(7)),
            ("safety_identifier", json!([])),
            ("prompt_cache_key", json!(false)),
            ("hunter", json!(2)),
        ] {
            let mut asked = question("x");
            asked[field] = value;
            let refused = ann.post(PATH, asked).await;
            assert_eq!(refused.body["error"]["details"]["field"], field, "{refused:?}");
            assert!(refused.body["error"]["message"].as_str().unwrap().contains(field) && !refused.text.contains("hunter2"), "{refused:?}");
            assert_eq!(refused.refused(422), "invalid_input");
        }
        for body in [json!({ "messages": [{ "role": "wizard", "content": "hunter2hunter2" }] }), json!({ "messages": [{ "content": "x" }] }),
            json!({ "messages": ["hunter2"] }), json!({}), json!([])] {
            let refused = ann.post(PATH, body).await;
            assert!(!refused.text.contains("hunter2"));
            assert_eq!(refused.refused(422), "invalid_input");
        }
        let large = ann.post(PATH, question(&"x".repeat(1024 * 1024))).await;
        assert_eq!(large.refused(413), "payload_too_large");
        let broken = ann.request(Method::POST, PATH).header("content-type", "application/json").body("{\"messages\":");
        assert_eq!(send(broken).await.refused(400), "malformed_json");
        assert!(service.provider.calls().is_empty());
        service.end().await;
    }

    async fn a_model_of_another_configuration_is_asked_with_its_key(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let other = json!({ "provider": "openai", "apiKey": "sk-other-0123456789abcdef", "modelName": "gpt-5-mini", "isDefault": false });
        ann.post("/api/ai-config", other).await.expect(201);
        let listed = ann.get("/api/v1/models").await.expect(200);
        let ids: Vec<&str> = listed["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap()).collect();
        assert_eq!((&listed["object"], ids.len()), (&json!("list"), 2));
        assert!(ids.contains(&"gpt-5-mini") && ids.contains(&"test-model"));
        // The real OpenAI is not reachable from here, so that it is no answer that tells which one is meant.
        let mut asked = question("x");
        asked["model"] = json!("gpt-5-mini");
        assert_eq!(ann.post(PATH, asked).await.refused(422), "provider_failed");
        assert!(service.provider.calls().is_empty());
        assert_eq!(texts(&database, "SELECT provider || ' ' || model FROM provider_calls").await, ["openai gpt-5-mini"]);
        service.end().await;
    }

    async fn nobody_else_pays_for_a_chat(database: TestDatabase) {
        let service = Service::start_with(&database, |config| {
            let platform = postkey::config::PlatformKey {
                provider: "openai_compatible".into(),
                api_key: "sk-of-the-operator".into(),
                model: "m".into(),
                base_url: Some("http://127.0.0.1:1/v1".into()),
            };
            config.platform_key = Some(platform);
            config.network.private_endpoints.push("127.0.0.1:1".into());
        })
        .await;
        let ann = service.sign_up("ann").await;
        let refused = ann.post(PATH, question("x")).await;
        assert!(refused.body["error"]["message"].as_str().unwrap().contains("add an AI configuration"));
        assert_eq!(refused.refused(422), "no_key");
        assert_eq!(ann.get("/api/v1/models").await.expect(200)["data"], json!([]));
        assert!(texts(&database, "SELECT model FROM provider_calls").await.is_empty());
        service.end().await;
    }

    async fn so_many_chats_at_once_and_no_more(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.chats_per_user = 2).await;
        let (ann, bob) = (settle(&service, "ann").await, settle(&service, "bob").await);
        service.provider.next(KEY, crate::support::provider_server::Answer::Hang);
        service.provider.next(KEY, crate::support::provider_server::Answer::Hang);
        let hanging: Vec<_> = (0..2)
            .map(|_| {
                let ann = ann.clone();
                tokio::spawn(async move { ann.post(PATH, question("x")).await })
            })
            .collect();
        some("both are asked", Duration::from_secs(20), || async { (service.provider.calls().len() == 2).then_some(()) }).await;
        let refused = ann.post(PATH, streamed("x")).await;
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(refused.refused(429), "too_many_requests");
        bob.post(PATH, question("x")).await.expect(200);
        hanging.iter().for_each(tokio::task::JoinHandle::abort);
        // Whoever has gone away makes room.
        some("there is room again", Duration::from_secs(20), || async {
            (ann.post(PATH, question("x")).await.status == 200).then_some(())
        })
        .await;
        service.end().await;
    }
}
