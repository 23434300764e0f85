//! What is made of a failure: the tables of the providers, row by row.

use std::time::Duration;

use postkey::net::NetError;
use postkey::provider::{Call, Conversation, ErrorClass, Finish, Provider, ProviderError, complete};
use serde_json::{Value, json};

use super::server::{Server, Step, clients};
use super::{KEY, LONG, ask, ask_within, error_of, limits, without_secrets};

fn complaint(kind: &str, code: &str) -> Value {
    json!({ "error": { "message": "SECRET-TEXT", "type": kind, "param": null, "code": code } })
}

#[tokio::test]
async fn each_row_of_openais_table() {
    for (status, kind, code, class) in [
        (400, "invalid_request_error", "context_length_exceeded", ErrorClass::ContextTooLong),
        (400, "invalid_request_error", "anything", ErrorClass::BadRequest),
        (401, "invalid_request_error", "invalid_api_key", ErrorClass::AuthInvalid),
        (401, "", "", ErrorClass::AuthInvalid),
        (402, "", "", ErrorClass::QuotaExhausted),
        (403, "", "unsupported_country_region_territory", ErrorClass::Forbidden),
        (403, "", "", ErrorClass::Forbidden),
        (404, "invalid_request_error", "model_not_found", ErrorClass::ModelNotFound),
        (404, "", "", ErrorClass::ModelNotFound),
        (429, "insufficient_quota", "credit_balance_exhausted", ErrorClass::QuotaExhausted),
        (429, "insufficient_quota", "", ErrorClass::QuotaExhausted),
        (429, "", "insufficient_quota", ErrorClass::QuotaExhausted),
        (429, "", "organization_spend_limit_exceeded", ErrorClass::QuotaExhausted),
        (429, "", "project_spend_limit_exceeded", ErrorClass::QuotaExhausted),
        (429, "", "organization_usage_limit_exceeded", ErrorClass::QuotaExhausted),
        (429, "requests", "rate_limit_exceeded", ErrorClass::RateLimited),
        (429, "", "", ErrorClass::RateLimited),
        (503, "", "slow_down", ErrorClass::RateLimited),
        (503, "service_unavailable_error", "server_is_overloaded", ErrorClass::Overloaded),
        (408, "", "", ErrorClass::Transient),
        (409, "", "", ErrorClass::Transient),
        (500, "", "", ErrorClass::Transient),
        (502, "", "", ErrorClass::Transient),
        (504, "", "", ErrorClass::Transient),
        (413, "", "", ErrorClass::BadRequest),
        (422, "", "", ErrorClass::BadRequest),
        (498, "", "capacity_exceeded", ErrorClass::Overloaded),
        (524, "", "", ErrorClass::Ambiguous),
        (529, "", "", ErrorClass::Overloaded),
        (302, "", "", ErrorClass::BadRequest),
    ] {
        let error = error_of(Provider::OpenAi, Step::json(status, complaint(kind, code))).await;
        assert_eq!(error.class, class, "{status} {kind} {code}");
        assert_eq!(error.status, Some(status));
        assert_eq!(error.maybe_charged, matches!(status, 504 | 524), "{status}");
    }
}

#[tokio::test]
async fn each_row_of_openrouters_table() {
    let with = |metadata: Value| json!({ "error": { "code": 1, "message": "x", "metadata": metadata } });
    let in_flight = with(json!({ "limit_source": "openrouter_in_flight_budget" }));
    let flagged = with(json!({ "reasons": ["violence"], "flagged_input": "SECRET-TEXT" }));
    for (status, body, class) in [
        (402, in_flight, ErrorClass::RateLimited),
        (402, with(json!({})), ErrorClass::QuotaExhausted),
        (403, with(json!({ "limit_source": "openrouter_key_limit" })), ErrorClass::QuotaExhausted),
        (403, with(json!({ "limit_source": "openrouter_guardrail_budget" })), ErrorClass::QuotaExhausted),
        (403, flagged, ErrorClass::ContentBlocked),
        (403, with(json!({})), ErrorClass::Forbidden),
        (408, json!({}), ErrorClass::Ambiguous),
    ] {
        let error = error_of(Provider::OpenRouter, Step::json(status, body.clone())).await;
        assert_eq!(error.class, class, "{status} {body}");
    }
}

#[tokio::test]
async fn each_row_of_geminis_table() {
    let google = |status: &str, details: Value| json!([{ "error": { "code": 1, "message": "SECRET-TEXT", "status": status, "details": details } }]);
    let bad_key =
        json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID" }]);
    let quota = |id: &str| json!([{ "violations": [{ "quotaId": id }] }, { "retryDelay": "39s" }]);
    for (status, body, class, wait) in [
        (400, google("INVALID_ARGUMENT", bad_key), ErrorClass::AuthInvalid, None),
        (400, google("INVALID_ARGUMENT", json!([])), ErrorClass::BadRequest, None),
        (400, google("FAILED_PRECONDITION", json!([])), ErrorClass::Forbidden, None),
        (403, google("PERMISSION_DENIED", json!([])), ErrorClass::Forbidden, None),
        (429, google("RESOURCE_EXHAUSTED", quota("PerDayPerProject")), ErrorClass::QuotaExhausted, None),
        (429, google("RESOURCE_EXHAUSTED", quota("PerMinute")), ErrorClass::RateLimited, Some(39)),
        (504, google("DEADLINE_EXCEEDED", json!([])), ErrorClass::Ambiguous, None),
    ] {
        let error = error_of(Provider::Gemini, Step::json(status, body.clone())).await;
        assert_eq!(
            (error.class, error.retry_after),
            (class, wait.map(Duration::from_secs)),
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn errors_of_compatible_servers_are_read_in_every_shape() {
    let too_long = "This model's maximum context length is 4096 tokens.";
    for (status, body, class) in [
        (
            400,
            json!({ "object": "error", "message": too_long, "type": "BadRequestError" }),
            ErrorClass::ContextTooLong,
        ),
        (400, json!({ "error": { "type": "exceed_context_size_error" } }), ErrorClass::ContextTooLong),
        (404, json!({ "error": "model 'x' not found" }), ErrorClass::ModelNotFound),
        (422, json!({ "detail": [{ "loc": ["body"], "msg": "SECRET-TEXT" }] }), ErrorClass::BadRequest),
        (503, json!({ "error": { "code": 503, "type": "unavailable_error" } }), ErrorClass::Overloaded),
        (401, json!({ "error": { "message": "Your IP address is not allowed" } }), ErrorClass::Forbidden),
    ] {
        let error = error_of(Provider::OpenAiCompatible, Step::json(status, body.clone())).await;
        assert_eq!(error.class, class, "{status} {body}");
    }
    let huge = Step::Answer(500, Vec::new(), vec![b'x'; 1024 * 1024]);
    assert_eq!(error_of(Provider::OpenAiCompatible, huge).await.class, ErrorClass::Transient);
}

#[tokio::test]
async fn the_wait_is_read_in_every_form() {
    let rate = || Step::json(429, complaint("requests", "rate_limit_exceeded"));
    let date = "date: Wed, 21 Oct 2026 07:28:00 GMT";
    for (headers, wait) in [
        (&["retry-after: 7"][..], Some(7_000)),
        (&["retry-after: 0.25"], Some(250)),
        (&["retry-after-ms: 1500", "retry-after: 7"], Some(1_500)),
        (&["retry-after: Wed, 21 Oct 2026 07:29:30 GMT", date], Some(90_000)),
        (&["retry-after: Wed, 21 Oct 2026 07:00:00 GMT", date], Some(0)),
        (&["retry-after: Wed, 21 Oct 2026 07:29:30 GMT"], None),
        (&["retry-after: 99999999999999"], Some(7 * 24 * 60 * 60 * 1000)),
        (&["retry-after: -5"], None),
        (&["retry-after: NaN"], None),
        (&["retry-after: soon"], None),
        (&[], None),
    ] {
        let step = headers.iter().fold(rate(), |step, header| step.with(header));
        let error = error_of(Provider::OpenAi, step).await;
        assert_eq!(error.retry_after, wait.map(Duration::from_millis), "{headers:?}");
    }
    let budget = json!({ "limit_source": "openrouter_key_limit", "resets_at": "2026-10-21T08:28:00Z" });
    let step = Step::json(403, json!({ "error": { "metadata": budget } })).with(date);
    let error = error_of(Provider::OpenRouter, step).await;
    assert_eq!(error.retry_after, Some(Duration::from_secs(3600)));
}

#[tokio::test]
async fn the_provider_may_say_whether_trying_again_helps() {
    for (status, word, class) in [
        (400, "true", ErrorClass::Transient),
        (500, "false", ErrorClass::BadRequest),
        (429, "false", ErrorClass::QuotaExhausted),
        (401, "true", ErrorClass::AuthInvalid),
        (500, "true", ErrorClass::Transient),
    ] {
        let step = Step::json(status, json!({})).with(&format!("x-should-retry: {word}"));
        assert_eq!(error_of(Provider::OpenAi, step).await.class, class, "{status} {word}");
    }
}

#[tokio::test]
async fn codes_and_ids_are_kept_only_in_a_safe_form() {
    let echo = format!("r-{KEY}");
    for (code, kept) in [
        ("Rate_Limit_Exceeded", Some("rate_limit_exceeded")),
        ("SECRET-TEXT with spaces", None),
        (KEY, None),
        (&KEY[4..24], None),
        (&"a".repeat(65), None),
    ] {
        let error = error_of(Provider::OpenAi, Step::json(429, complaint("", code))).await;
        assert_eq!(error.code.as_deref(), kept, "{code}");
    }
    let step = Step::json(401, complaint("", "invalid_api_key"));
    let error = error_of(Provider::OpenAi, step.clone().with("x-request-id: req_9")).await;
    assert_eq!(error.request_id.as_deref(), Some("req_9"));
    let error = error_of(Provider::OpenAi, step.with(&format!("x-request-id: {echo}"))).await;
    assert_eq!(error.request_id, None);
}

#[tokio::test]
async fn an_unsupported_parameter_is_left_out_once() {
    let unsupported = |parameter: &str| {
        Step::json(
            400,
            json!({ "error": { "type": "invalid_request_error", "param": parameter, "code": "unsupported_value" } }),
        )
    };
    let server = Server::start([unsupported("temperature"), Step::says("Yes.")]).await;
    assert_eq!(ask(&server, Provider::OpenAi).await.unwrap().finish, Finish::Stop);
    let asked = server.asked();
    assert_eq!((asked.len(), &asked[0].body["temperature"]), (2, &json!(0.5)));
    assert!(asked[1].body.get("temperature").is_none());

    let steps = [unsupported("max_tokens"), unsupported("temperature"), Step::says("Yes.")];
    let server = Server::start(steps).await;
    ask(&server, Provider::OpenAiCompatible).await.unwrap();
    let asked = server.asked();
    assert_eq!((asked.len(), &asked[2].body["max_completion_tokens"]), (3, &json!(300)));
    assert!(asked[2].body.get("max_tokens").is_none());

    for parameter in ["temperature", "max_tokens"] {
        let server = Server::start([unsupported(parameter)]).await;
        let error = ask(&server, Provider::OpenAi).await.unwrap_err();
        assert_eq!((error.class, server.asked().len()), (ErrorClass::BadRequest, 2), "{parameter}");
    }
    let error = error_of(Provider::OpenAi, unsupported("messages")).await;
    assert_eq!(error.class, ErrorClass::BadRequest);
}

#[tokio::test]
async fn no_complete_answer_after_sending_is_ambiguous_and_maybe_charged() {
    for (step, code) in [
        (Step::Hang, "timeout"),
        (Step::KeepAlive, "timeout"),
        (Step::Leave, "closed"),
        (Step::Cut(b"{\"choices\":".to_vec()), "closed"),
    ] {
        let limit = if code == "timeout" { Duration::from_millis(200) } else { LONG };
        let server = Server::start([step]).await;
        let error = without_secrets(ask_within(limit, &server, Provider::OpenAi).await.unwrap_err());
        assert_eq!((error.class, error.code.as_deref()), (ErrorClass::Ambiguous, Some(code)));
        assert!(error.maybe_charged);
    }
}

async fn ask_at(base_url: Option<&str>, endpoint: &str, key: &str) -> ProviderError {
    let call = Call {
        provider: Provider::OpenAiCompatible,
        base_url,
        key: key.into(),
        model: "m",
        temperature: None,
        max_output_tokens: 1,
        conversation: &Conversation::default(),
    };
    complete(&clients(&limits(LONG), endpoint), &limits(LONG), call).await.unwrap_err()
}

#[tokio::test]
async fn a_refused_connection_is_a_network_error_and_costs_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    drop(listener);
    let error = ask_at(Some(&format!("http://{endpoint}/v1")), &endpoint, KEY).await;
    assert_eq!(error.class, ErrorClass::Network(NetError::Connect));
    assert!(!error.maybe_charged);
}

#[tokio::test]
async fn a_destination_that_the_guard_refuses_gets_nothing() {
    let server = Server::start([Step::says("Yes.")]).await;
    let base = server.base_url();
    let elsewhere = "127.0.0.1:1";
    for (base, code) in [
        (Some(base.as_str()), "refused_plain_text"),
        (Some("https://169.254.169.254/v1"), "refused_private_address"),
        (Some("https://user:pass@api.example/v1"), "refused_address"),
        (Some("no url"), "refused_address"),
        (None, "refused_address"),
    ] {
        let error = ask_at(base, elsewhere, KEY).await;
        assert_eq!((error.class, error.code.as_deref()), (ErrorClass::Refused, Some(code)), "{base:?}");
        assert!(!error.maybe_charged);
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_key_that_cannot_be_a_header_is_not_sent() {
    let server = Server::start([Step::says("Yes.")]).await;
    let error = ask_at(Some(&server.base_url()), &server.address, "sk-a\r\nx: y").await;
    assert_eq!((error.class, error.code.as_deref()), (ErrorClass::AuthInvalid, Some("key_form")));
    assert!(server.asked().is_empty());
}
