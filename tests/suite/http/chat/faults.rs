//! What goes wrong at the provider, and what whoever chats is told of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{KEY, PATH, calls, events, question, settle, streamed, words};
use crate::support::api::Service;
use crate::support::database::on_both;
use crate::support::provider_server::{Answer, Events, Then, last_piece, piece};
use crate::support::raw::texts;

fn complaint(status: u16, code: &str) -> Answer {
    Answer::status(
        status,
        &json!({ "error": { "message": "SECRET-TEXT", "type": code, "code": code } }).to_string(),
    )
}

fn told(answer: &crate::support::api::Answered) -> Value {
    serde_json::from_str(events(answer).last().unwrap()).unwrap()
}

on_both! {
    async fn every_complaint_of_a_provider_has_its_own_answer(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        for (answer, status, code, class) in [
            (complaint(400, "invalid_request_error"), 422, "provider_refused", "bad_request"),
            (complaint(400, "context_length_exceeded"), 422, "provider_refused", "context_too_long"),
            (complaint(403, "x"), 422, "provider_refused", "forbidden"),
            (complaint(404, "model_not_found"), 422, "provider_refused", "model_not_found"),
            (complaint(400, "content_filter"), 422, "provider_refused", "content_blocked"),
            (complaint(500, "x"), 422, "provider_failed", "transient"),
            (complaint(503, "server_is_overloaded"), 429, "provider_busy", "overloaded"),
            (Answer::status(302, "").header("location", "http://169.254.169.254/"), 422, "provider_refused", "bad_request"),
            (Answer::rubbish(), 422, "provider_failed", "unreadable"),
            (Answer::status(200, "{}"), 422, "provider_failed", "unreadable"),
            (Answer::status(200, "{\"error\":{\"code\":502}}"), 422, "provider_failed", "transient"),
            (Answer::Cut, 422, "provider_failed", "ambiguous"),
        ] {
            for asked in [question("x"), streamed("x")] {
                service.provider.next(KEY, answer.clone());
                let refused = ann.post(PATH, asked).await;
                assert!(!refused.text.contains("SECRET-TEXT") && !refused.text.contains("redirect"), "{refused:?}");
                let details = &refused.body["error"]["details"];
                // A whole document where events are wanted, or half of one, is no answer either.
                assert!(details["class"] == class || code == "provider_failed", "{refused:?}");
                // A program tries again by itself where that costs nothing and can help.
                let may_cost = matches!(details["class"].as_str().unwrap(), "ambiguous" | "unreadable") || details["provider_status"] == 200;
                let retry = match code {
                    _ if may_cost => Some("false"),
                    "provider_failed" => Some("true"),
                    _ => None,
                };
                assert_eq!(refused.headers.get("x-should-retry").map(|value| value.to_str().unwrap()), retry, "{refused:?}");
                assert_eq!(refused.headers.contains_key("retry-after"), status == 429);
                assert_eq!(refused.refused(status), code);
            }
        }
        service.end().await;
    }

    async fn a_key_that_is_refused_or_exhausted_is_not_used_again(database: TestDatabase) {
        let service = Service::start(&database).await;
        for (name, answer, status, code, later) in [
            ("ann", complaint(401, "invalid_api_key"), 422, "key_refused", (422, "key_refused")),
            ("bob", complaint(429, "insufficient_quota"), 402, "quota_exhausted", (429, "provider_busy")),
            ("eve", complaint(429, "rate_limit_exceeded"), 429, "provider_busy", (429, "provider_busy")),
        ] {
            let visitor = settle(&service, name).await;
            let before = service.provider.calls().len();
            service.provider.next(KEY, answer);
            let refused = visitor.post(PATH, question("x")).await;
            assert!(refused.status != 429 || refused.headers["retry-after"] == "30");
            assert_eq!(refused.refused(status), code);
            assert_eq!(visitor.post(PATH, streamed("x")).await.refused(later.0), later.1);
            assert_eq!(service.provider.calls().len(), before + 1, "the provider is left alone");
        }
        assert_eq!(calls(&database, 3).await, ["owner failed auth_invalid - 0 0", "owner failed quota_exhausted - 0 0", "owner failed rate_limited - 0 0"]);
        service.end().await;
    }

    async fn an_exhausted_key_that_works_again_is_used_again(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        service.provider.next(KEY, complaint(429, "insufficient_quota"));
        assert_eq!(ann.post(PATH, question("x")).await.refused(402), "quota_exhausted");
        assert_eq!(ann.get("/api/notices").await.expect(200)["items"].as_array().unwrap().len(), 1);
        crate::support::raw::execute(&database, "UPDATE ai_configurations SET resume_at = 1").await;
        ann.post(PATH, streamed("x")).await.expect(200);
        assert_eq!(texts(&database, "SELECT state FROM ai_configurations").await, ["active"]);
        assert!(ann.get("/api/notices").await.expect(200)["items"][0]["ended_at"].is_string());
        service.end().await;
    }

    async fn a_stream_that_goes_wrong_ends_with_the_reason(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.provider.call_timeout = Duration::from_secs(2)).await;
        let ann = settle(&service, "ann").await;
        let begun = || vec![format!("data: {}\n\n", piece("Half an "))];
        let then = |more: &str| Events::of(begun().into_iter().chain([more.to_owned()]));
        let comments = vec![": keep-alive\n\n".to_owned(); 400];
        for (events_sent, class) in [
            (Events { then: Then::Break, ..Events::of(begun()) }, "ambiguous"),
            (Events { then: Then::Hang, ..Events::of(begun()) }, "ambiguous"),
            (Events::of(begun()), "ambiguous"),
            (Events { pause: Duration::from_millis(20), ..Events::of(begun().into_iter().chain(comments)) }, "ambiguous"),
            (then("data: {\"error\":{\"code\":502,\"message\":\"SECRET-TEXT\"}}\n\n"), "transient"),
            (then("data: {\"choices\":[{\"index\":0,\"finish_reason\":\"error\"}]}\n\n"), "transient"),
            (then("data: {\"choi\n\n"), "unreadable"),
            (then(&format!("data: {}\n\n", "x".repeat(5 << 20))), "unreadable"),
        ] {
            service.provider.next(KEY, Answer::Events(events_sent));
            let answer = ann.post(PATH, streamed("x")).await;
            let error = &told(&answer)["error"];
            assert_eq!((answer.status, words(&answer).as_str()), (200, "Half an "), "{class}");
            assert_eq!((&error["code"], &error["details"]["class"]), (&json!("provider_failed"), &json!(class)), "{error}");
            assert!(!answer.text.contains("SECRET-TEXT") && !answer.text.contains("[DONE]"));
        }
        let noted = calls(&database, 8).await;
        assert!(noted.iter().all(|call| call.starts_with("owner failed") && call.ends_with(" maybe 1 3")), "{noted:?}");
        service.end().await;
    }

    async fn an_endless_answer_is_cut_off(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.provider.max_response_bytes = 16 * 1024).await;
        let ann = settle(&service, "ann").await;
        let event = format!("data: {}\n\n", piece(&"word ".repeat(200)));
        service.provider.next(KEY, Answer::Events(Events::of(vec![event; 400])));
        let answer = ann.post(PATH, streamed("x")).await;
        assert_eq!(told(&answer)["error"]["details"]["provider_code"], "too_long");
        assert!(answer.text.len() < 200_000, "{}", answer.text.len());
        service.end().await;
    }

    async fn a_key_that_comes_back_is_not_passed_on(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let by_letter = |text: &str| text.chars().map(|letter| piece(&letter.to_string())).collect::<Vec<_>>();
        let echoes = [
            vec![piece(&format!("It is {KEY}."))],
            [by_letter("It is "), by_letter(KEY), by_letter(".")].concat(),
            by_letter(&KEY[..KEY.len() - 2]),
            vec![json!({ "choices": [{ "index": 0, "delta": { KEY: "x" } }] })],
            vec![json!({ "choices": [{ "index": 0, "delta": { "tool_calls": [{ "index": 0, "function": { "arguments": KEY } }] } }] })],
        ];
        for echo in echoes {
            let mut sent = Events::data(echo.into_iter().chain([last_piece()]));
            sent.pieces.push("data: [DONE]\n\n".into());
            service.provider.next(KEY, Answer::Events(sent));
            let answer = ann.post(PATH, streamed("x")).await;
            assert!(!words(&answer).contains(&KEY[..16]) && !answer.text.contains(KEY), "{}", answer.text);
            let told = if answer.status == 200 { told(&answer) } else { answer.body.clone() };
            assert_eq!(told["error"]["details"]["provider_code"], "key_echoed", "{answer:?}");
        }
        service.provider.next(KEY, Answer::words(|call| call.key.clone()));
        let answer = ann.post(PATH, question("x")).await;
        assert_eq!(answer.body["error"]["details"]["provider_code"], "key_echoed");
        assert_eq!(answer.refused(422), "provider_failed");
        // What only begins like it is passed on.
        let alike = format!("{}-and-no-more", &KEY[..20]);
        let mut sent = Events::data(by_letter(&alike).into_iter().chain([last_piece()]));
        sent.pieces.push("data: [DONE]\n\n".into());
        service.provider.next(KEY, Answer::Events(sent));
        assert_eq!(words(&ann.post(PATH, streamed("x")).await), alike);
        service.end().await;
    }

    async fn a_temperature_that_a_model_refuses_is_left_out_unless_it_was_asked_for(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = settle(&service, "ann").await;
        let refusal = || Answer::status(400, "{\"error\":{\"code\":\"unsupported_value\",\"param\":\"temperature\"}}");
        service.provider.next(KEY, refusal());
        ann.post(PATH, streamed("x")).await.expect(200);
        assert_eq!(service.provider.calls()[1].request.get("temperature"), None);
        service.provider.next(KEY, refusal());
        let mut asked = question("x");
        asked["temperature"] = json!(0.1);
        let refused = ann.post(PATH, asked).await;
        assert_eq!(refused.body["error"]["details"]["provider_code"], "unsupported_value");
        assert_eq!(refused.refused(422), "provider_refused");
        service.end().await;
    }
}
