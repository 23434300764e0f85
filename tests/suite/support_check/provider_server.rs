//! The scripted provider answers by key, and misbehaves on command, towards a real HTTP client.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::imap_client::LONG;
use crate::support::provider_server::{Answer, ProviderServer};

#[expect(clippy::disallowed_methods, reason = "the server is checked without the product's client")]
async fn ask(
    server: &ProviderServer,
    key: &str,
    question: &str,
) -> Result<(u16, String, String), reqwest::Error> {
    // reqwest needs a TLS provider even for a plain connection; the second one to install it is told so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(LONG).build()?;
    let request = json!({ "model": "m", "messages": [{ "role": "user", "content": question }] });
    let call = client.post(format!("{}/chat/completions", server.base_url())).bearer_auth(key).json(&request);
    let response = call.send().await?;
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    Ok((response.status().as_u16(), retry_after.unwrap_or_default(), response.text().await?))
}

fn words(body: &str) -> String {
    let completion: Value = serde_json::from_str(body).unwrap();
    completion["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_key_gets_its_own_answer_and_is_recorded() {
    let server = ProviderServer::start().await;
    server.always("sk-bob", Answer::words(|call| call.last_text().to_uppercase()));
    let (_, _, anna) = ask(&server, "sk-anna", "one two").await.unwrap();
    let (_, _, bob) = ask(&server, "sk-bob", "one two").await.unwrap();
    assert_eq!((words(&anna).as_str(), words(&bob).as_str()), ("Answer to: one two", "ONE TWO"));
    assert_eq!(serde_json::from_str::<Value>(&bob).unwrap()["usage"]["total_tokens"], 4);
    assert_eq!(server.calls().len(), 2);
    assert_eq!(server.calls_of("sk-bob")[0].request["model"], "m");
}

#[tokio::test]
async fn faults_are_given_in_order_and_then_it_behaves() {
    let server = ProviderServer::start().await;
    server.next("sk-anna", Answer::status(429, "{}").header("retry-after", "7"));
    server.next("sk-anna", Answer::rubbish());
    server.next("sk-anna", Answer::Cut);
    assert_eq!(ask(&server, "sk-anna", "x").await.unwrap(), (429, "7".to_owned(), "{}".to_owned()));
    let (status, _, body) = ask(&server, "sk-anna", "x").await.unwrap();
    assert!(status == 200 && serde_json::from_str::<Value>(&body).is_err());
    assert!(!ask(&server, "sk-anna", "x").await.unwrap_err().is_timeout());
    assert_eq!(ask(&server, "sk-anna", "x").await.unwrap().0, 200);
}

#[tokio::test]
async fn it_can_be_late_or_never_answer() {
    let server = ProviderServer::start().await;
    let latency = Duration::from_millis(50);
    server.otherwise(Answer::status(500, "").late(latency));
    let asked = Instant::now();
    assert_eq!(ask(&server, "sk-anna", "x").await.unwrap().0, 500);
    assert!(asked.elapsed() >= latency);
    server.otherwise(Answer::Hang);
    assert!(tokio::time::timeout(latency, ask(&server, "sk-anna", "x")).await.is_err());
    assert_eq!(server.address().port().to_string(), server.base_url()[17..].trim_end_matches("/v1"));
}
