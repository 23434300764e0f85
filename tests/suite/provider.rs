//! A model is asked once, with the owner's key, and every failure says what happens next.

mod answers;
mod complaints;
mod keys;
mod server;
mod streams;

use std::time::Duration;

use postkey::config;
use postkey::provider::{
    Call, Completion, Conversation, Provider, ProviderError, Role, Turn, code_challenge, complete,
};
use secrecy::SecretString;
use serde_json::json;
use server::{Server, Step};

const KEY: &str = "sk-proj-ALICE0123456789abcdefghij";

/// The defaults, with this long for a call; only a server that says nothing makes a test wait for it.
fn limits(call_timeout: Duration) -> config::Provider {
    config::Provider { call_timeout, ..config::Provider::default() }
}

const LONG: Duration = Duration::from_secs(30);

fn conversation() -> Conversation {
    let turn = |role, text: &str| Turn { role, text: text.into() };
    let turns = vec![
        turn(Role::Correspondent, "Is it open?"),
        turn(Role::Agent, "Yes."),
        turn(Role::Correspondent, "Until when?"),
    ];
    Conversation { system: "You answer mail.".into(), turns }
}

async fn ask(server: &Server, provider: Provider) -> Result<Completion, ProviderError> {
    ask_within(LONG, server, provider).await
}

async fn ask_within(
    limit: Duration,
    server: &Server,
    provider: Provider,
) -> Result<Completion, ProviderError> {
    let base_url = server.base_url();
    let call = Call {
        provider,
        base_url: Some(&base_url),
        key: SecretString::from(KEY),
        model: "gpt-5.5",
        temperature: Some(0.5),
        max_output_tokens: 300,
        conversation: &conversation(),
    };
    complete(&server.clients(&limits(limit)), &limits(limit), call).await
}

async fn ask_once(provider: Provider, step: Step) -> Result<Completion, ProviderError> {
    let server = Server::start([step]).await;
    let answer = ask(&server, provider).await;
    assert_eq!(server.asked().len(), 1, "one call is one exchange");
    answer
}

/// The error of a step; whatever it is, it must not hold the key or text of the other side.
async fn error_of(provider: Provider, step: Step) -> ProviderError {
    without_secrets(ask_once(provider, step).await.unwrap_err())
}

fn without_secrets(error: ProviderError) -> ProviderError {
    let shown = format!("{error} {error:?}");
    for secret in [KEY, &KEY[8..20], "SECRET-TEXT"] {
        assert!(!shown.to_lowercase().contains(&secret.to_lowercase()), "{shown}");
    }
    error
}

#[tokio::test]
async fn the_question_is_put_in_the_providers_words() {
    for (provider, limit) in [
        (Provider::OpenAi, "max_completion_tokens"),
        (Provider::OpenRouter, "max_tokens"),
        (Provider::Gemini, "max_tokens"),
        (Provider::OpenAiCompatible, "max_tokens"),
    ] {
        let server = Server::start([Step::says("Until five.")]).await;
        ask(&server, provider).await.unwrap();
        let asked = server.asked().remove(0);
        let mut expected = json!({
            "model": "gpt-5.5",
            "messages": [
                { "role": "system", "content": "You answer mail." },
                { "role": "user", "content": "Is it open?" },
                { "role": "assistant", "content": "Yes." },
                { "role": "user", "content": "Until when?" },
            ],
            "temperature": 0.5,
        });
        expected[limit] = json!(300);
        if provider == Provider::OpenAi {
            expected["store"] = json!(false);
        }
        assert_eq!(asked.body, expected, "{provider}");
        assert_eq!(asked.line, "POST /v1/chat/completions HTTP/1.1");
        let titled = asked.headers.iter().any(|line| line == "x-title: Postkey");
        assert_eq!(titled, provider == Provider::OpenRouter);
    }
}

#[test]
fn a_challenge_is_the_hash_of_its_verifier() {
    // RFC 7636, appendix B.
    let verifier = SecretString::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

#[tokio::test]
async fn the_key_travels_in_one_header_only() {
    let server = Server::start([Step::says("Until five.")]).await;
    ask(&server, Provider::OpenAi).await.unwrap();
    let asked = server.asked().remove(0);
    let with_key: Vec<_> = asked.headers.iter().filter(|line| line.contains(KEY)).collect();
    assert_eq!(with_key, [&format!("authorization: Bearer {KEY}")]);
    assert!(!asked.line.contains(KEY) && !asked.body.to_string().contains(KEY));
    let from_environment = ["openai-organization", "openai-project"];
    assert!(!asked.headers.iter().any(|line| from_environment.iter().any(|name| line.starts_with(name))));
}

#[tokio::test]
async fn each_call_brings_its_own_key_over_the_same_clients() {
    let server = Server::start([Step::says("Yes.")]).await;
    let (clients, base_url) = (server.clients(&limits(LONG)), server.base_url());
    for key in ["sk-first-0123456789", "sk-second-0123456789", ""] {
        let call = Call {
            provider: Provider::OpenAiCompatible,
            base_url: Some(&base_url),
            key: key.into(),
            model: "m",
            temperature: None,
            max_output_tokens: 1,
            conversation: &Conversation::default(),
        };
        complete(&clients, &limits(LONG), call).await.unwrap();
        let asked = server.asked().pop().unwrap();
        let sent: Vec<_> =
            asked.headers.iter().filter_map(|line| line.strip_prefix("authorization: Bearer ")).collect();
        assert_eq!(sent, Some(key).filter(|key| !key.is_empty()).into_iter().collect::<Vec<_>>());
        assert_eq!(asked.body, json!({ "model": "m", "messages": [], "max_tokens": 1 }));
    }
}
