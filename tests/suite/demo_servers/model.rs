//! The stand-in for a provider, asked over HTTP.

use std::time::Duration;

use postkey::clock::Clock;
use postkey::demo::model::{KeyUse, Model};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{START, converse};

async fn ask(model: &Model, authorization: &str, request: &Value) -> (u16, Value) {
    let body = request.to_string();
    let address = model.address();
    let said = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\n{authorization}Connection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let heard = converse(address, said.as_bytes()).await;
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn the_model_answers_the_question_and_counts_for_the_key() {
    let model = Model::start(Clock::manual(START), Duration::ZERO).await.unwrap();
    let request = json!({
        "model": "demo-model",
        "messages": [
            { "role": "system", "content": "Be kind." },
            { "role": "user", "content": "> old words?\nHello there. When does it arrive? Thanks" },
        ],
    });
    let (status, answer) = ask(&model, "Authorization: Bearer sk-one\r\n", &request).await;
    assert_eq!(status, 200);
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.contains("You wrote: \"When does it arrive?\""), "{text}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let input = answer["usage"]["prompt_tokens"].as_u64().unwrap();
    let output = answer["usage"]["completion_tokens"].as_u64().unwrap();
    assert_eq!(answer["usage"]["total_tokens"].as_u64(), Some(input + output));
    let used = KeyUse { calls: 1, input_tokens: input, output_tokens: output };
    assert_eq!(model.use_of(&SecretString::from("sk-one")), used);
    assert_eq!(model.use_of(&SecretString::from("sk-two")), KeyUse::default());

    let (status, answer) = ask(&model, "", &request).await;
    assert_eq!((status, &answer["error"]["code"]), (401, &json!("invalid_api_key")));
    let (status, _) = ask(&model, "Authorization: Bearer sk-one\r\n", &json!({ "messages": [] })).await;
    assert_eq!(status, 400);
    assert_eq!(model.calls(), 1);
}

#[tokio::test]
async fn the_model_stops_at_the_token_limit() {
    let model = Model::start(Clock::manual(START), Duration::ZERO).await.unwrap();
    let request = json!({
        "model": "m", "max_completion_tokens": 3, "messages": [{ "role": "user", "content": [{ "text": "Why?" }] }],
    });
    let (_, answer) = ask(&model, "Authorization: Bearer sk-one\r\n", &request).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
}
