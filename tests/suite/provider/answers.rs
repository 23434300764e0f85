//! What is made of a success.

use postkey::provider::{ErrorClass, Finish, Provider, Usage};
use serde_json::{Value, json};

use super::server::Step;
use super::{KEY, ask_once, error_of};

fn choice(choice: Value) -> Step {
    Step::json(200, json!({ "choices": [choice] }))
}

#[tokio::test]
async fn a_usual_answer_is_read_completely() {
    let step = Step::says("Until five.").with("x-request-id: req_123");
    let answer = ask_once(Provider::OpenAi, step).await.unwrap();
    assert_eq!(answer.text, "Until five.");
    assert_eq!(answer.finish, Finish::Stop);
    assert_eq!(answer.model, "gpt-5.5-2026");
    assert_eq!(answer.request_id.as_deref(), Some("req_123"));
    let usage = Usage { input: 13, input_cached: 5, output: 18, output_reasoning: 7, cost_nanousd: None };
    assert_eq!((answer.usage, answer.usage.total()), (usage, 31));
    assert!(!format!("{answer:?}").contains("five"));
}

#[tokio::test]
async fn the_bodys_id_is_used_when_no_header_has_one() {
    let answer = ask_once(Provider::OpenAi, Step::says("Yes.")).await.unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("chatcmpl-1"));
}

#[tokio::test]
async fn reasons_to_stop_are_told_apart() {
    let said = |text: &str| json!({ "role": "assistant", "content": text });
    for (reason, message, finish) in [
        (json!("stop"), said("x"), Finish::Stop),
        (json!(""), said("x"), Finish::Stop),
        (json!(null), said("x"), Finish::Stop),
        (json!("length"), said(""), Finish::Length),
        (json!("model_length"), said("x"), Finish::Length),
        (json!("tool_calls"), json!({ "content": null, "tool_calls": [] }), Finish::Tool),
        (json!("content_filter"), said(""), Finish::Filtered),
        (json!("stop"), json!({ "content": null, "refusal": "I cannot." }), Finish::Refused),
        (json!("brand_new"), said("x"), Finish::Other),
    ] {
        let text = message["content"].as_str().unwrap_or_default().to_owned();
        let step = choice(json!({ "finish_reason": reason, "message": message }));
        let answer = ask_once(Provider::OpenAiCompatible, step).await.unwrap();
        assert_eq!((answer.finish, answer.text), (finish, text), "{reason}");
        assert_eq!(answer.model, "gpt-5.5", "the model asked for, where the answer names none");
        assert_eq!(answer.usage, Usage::default());
    }
}

#[tokio::test]
async fn a_list_of_parts_is_joined_without_the_thoughts() {
    let parts =
        json!([{ "type": "thinking", "text": "hm" }, { "type": "text", "text": "Un" }, { "text": "til" }]);
    let step = choice(json!({ "finish_reason": "stop", "message": { "content": parts } }));
    assert_eq!(ask_once(Provider::OpenAiCompatible, step).await.unwrap().text, "Until");
}

#[tokio::test]
async fn what_the_provider_says_that_it_charges_is_kept_in_whole_numbers() {
    for (cost, nanos) in [
        (json!(0.00014), Some(140_000)),
        (json!(0), Some(0)),
        (json!(-1), None),
        (json!(1e300), None),
        (json!("0.1"), None),
        (json!(null), None),
    ] {
        let body = json!({ "choices": [{ "message": { "content": "x" } }], "usage": { "cost": cost } });
        let answer = ask_once(Provider::OpenRouter, Step::json(200, body)).await.unwrap();
        assert_eq!(answer.usage.cost_nanousd, nanos, "{cost}");
    }
}

#[tokio::test]
async fn output_includes_reasoning_that_a_server_only_counts_in_the_total() {
    let usage = json!({ "prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 35, "prompt_cache_hit_tokens": 4 });
    let body = json!({ "choices": [{ "message": { "content": "x" } }], "usage": usage });
    let answer = ask_once(Provider::Gemini, Step::json(200, body)).await.unwrap();
    assert_eq!(answer.usage, Usage { input: 10, input_cached: 4, output: 25, ..Usage::default() });
}

#[tokio::test]
async fn blank_lines_before_the_answer_do_no_harm() {
    let Step::Answer(status, headers, body) = Step::says("Yes.") else { unreachable!() };
    let body = [b"\n\n  \r\n".to_vec(), body].concat();
    let answer = ask_once(Provider::OpenAiCompatible, Step::Answer(status, headers, body)).await.unwrap();
    assert_eq!(answer.text, "Yes.");
}

#[tokio::test]
async fn a_success_that_makes_no_sense_is_unreadable_and_maybe_charged() {
    let deep = "[".repeat(100_000);
    for (body, code) in [
        ("", "no_json"),
        ("<html>SECRET-TEXT</html>", "no_json"),
        ("{\"choices\":", "no_json"),
        (deep.as_str(), "no_json"),
        ("[]", "no_choice"),
        ("{\"choices\":[]}", "no_choice"),
        ("{\"choices\":[{}]}", "no_message"),
        ("\"SECRET-TEXT\"", "no_choice"),
    ] {
        let step = Step::Answer(200, vec!["x-request-id: r1".into()], body.into());
        let error = error_of(Provider::OpenAiCompatible, step).await;
        assert_eq!(error.class, ErrorClass::Unreadable);
        assert_eq!((error.code.as_deref(), error.status), (Some(code), Some(200)));
        assert_eq!(error.request_id.as_deref(), Some("r1"));
        assert!(error.maybe_charged);
    }
    let broken =
        Step::Answer(200, Vec::new(), b"{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}".into());
    assert_eq!(error_of(Provider::OpenAi, broken).await.class, ErrorClass::Unreadable);
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_refused_while_it_is_read() {
    let step = Step::Answer(200, Vec::new(), vec![b' '; 5 * 1024 * 1024]);
    let error = error_of(Provider::OpenAi, step).await;
    assert_eq!((error.class, error.code.as_deref()), (ErrorClass::Unreadable, Some("too_long")));
    assert!(error.maybe_charged);
}

#[tokio::test]
async fn an_answer_that_repeats_the_key_is_never_used() {
    let step = Step::says(&format!("Authorization: Bearer {KEY}"));
    let error = error_of(Provider::OpenAiCompatible, step).await;
    assert_eq!((error.class, error.code.as_deref()), (ErrorClass::Unreadable, Some("key_echoed")));
}

#[tokio::test]
async fn an_error_inside_a_success_is_an_error_and_maybe_charged() {
    let failed = json!({ "finish_reason": "error", "message": { "content": "half" } });
    for (body, class) in [
        (json!({ "error": { "code": 502, "message": "SECRET-TEXT" } }), ErrorClass::Transient),
        (json!({ "error": { "code": 429, "message": "x" }, "choices": [] }), ErrorClass::RateLimited),
        (json!({ "error": { "code": 401, "message": "x" } }), ErrorClass::Transient),
        (json!({ "error": { "message": "x" } }), ErrorClass::Transient),
        (
            json!({ "choices": [{ "error": { "code": 503 }, "message": { "content": "half" } }] }),
            ErrorClass::Overloaded,
        ),
        (json!({ "choices": [failed] }), ErrorClass::Transient),
    ] {
        let error = error_of(Provider::OpenRouter, Step::json(200, body.clone())).await;
        assert_eq!((error.class, error.maybe_charged, error.status), (class, true, Some(200)), "{body}");
    }
}
