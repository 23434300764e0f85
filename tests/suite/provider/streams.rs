//! Events are read however they are cut and written, and within their limits.

use std::time::Duration;

use postkey::config;
use postkey::provider::{Chat, ChatStream, ErrorClass, Provider, ProviderError, chat_stream};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::server::{Server, Step};
use super::{KEY, LONG, limits};

async fn open(server: &Server, limits: &config::Provider) -> Result<ChatStream, ProviderError> {
    let mut question = Map::new();
    question.insert("messages".into(), json!([{ "role": "user", "content": "Is it open?" }]));
    let chat = Chat {
        provider: Provider::OpenAiCompatible,
        base_url: Some(server.base_url()),
        key: SecretString::from(KEY),
        model: "gpt-5.5".into(),
        temperature: None,
        max_output_tokens: 300,
        tells_usage: false,
        question,
    };
    chat_stream(&server.clients(limits), limits, &chat).await
}

/// The words up to the end, and how it ended.
async fn read(body: Vec<u8>, limits: &config::Provider) -> (String, Result<ChatStream, ProviderError>) {
    let server =
        Server::start([Step::Answer(200, vec!["content-type: text/event-stream".into()], body)]).await;
    let mut words = String::new();
    let mut stream = open(&server, limits).await.unwrap();
    loop {
        match stream.next().await {
            Ok(Some(piece)) => words.push_str(content(&piece)),
            Ok(None) => return (words, Ok(stream)),
            Err(error) => return (words, Err(error)),
        }
    }
}

fn content(piece: &Value) -> &str {
    piece["choices"][0]["delta"]["content"].as_str().unwrap_or_default()
}

fn said(words: &str) -> String {
    format!("data: {}", json!({ "choices": [{ "index": 0, "delta": { "content": words } }] }))
}

const LAST: &str = "data: {\"id\":\"c-1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}";
const COSTS: &str =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5}}";

#[tokio::test]
async fn events_are_read_however_they_are_written() {
    let lines = [said("Until "), said("fünf."), LAST.into(), COSTS.into(), "data: [DONE]".into()];
    let plain = format!("{}\n\n", lines.join("\n\n"));
    let in_lines = said("Until ").replace(",\"delta\"", ",\ndata: \"delta\"");
    for body in [
        plain.clone(),
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r"),
        plain.replace("data: ", "data:"),
        plain.trim_end().to_owned(),
        format!("\u{feff}{plain}"),
        plain.replace("data: {", ": keep-alive\n\nevent: message\nid: 7\nretry: 10\nunknown\ndata: {"),
        plain.replace(&said("Until "), &in_lines),
        // Some servers leave out how OpenAI ends it.
        plain.replace("data: [DONE]\n\n", ""),
        plain.replace("\n\ndata: [DONE]\n\n", ""),
        // What is no part of an answer is left out.
        format!("data: {{\"choices\":[],\"prompt_filter_results\":[]}}\n\n{plain}"),
    ] {
        let (words, end) = read(body.clone().into_bytes(), &limits(LONG)).await;
        assert_eq!(words, "Until fünf.", "{body:?}");
        let stream = end.unwrap();
        let known = stream.end();
        assert_eq!(
            (known.model.as_deref(), known.request_id.as_deref()),
            (Some("m-1"), Some("c-1")),
            "{body:?}"
        );
        assert_eq!(known.usage.unwrap().output, 2);
    }
}

#[tokio::test]
async fn events_are_read_however_they_are_cut() {
    let body =
        format!("{}\r\n\r\n{}\r\n\r\n{LAST}\r\n\r\ndata: [DONE]\r\n\r\n", said("Until "), said("fünf."));
    for size in [1, 2, 3, 5, 7, 64] {
        let pieces: Vec<Vec<u8>> = body.as_bytes().chunks(size).map(<[u8]>::to_vec).collect();
        let server = Server::start([Step::Pieces(pieces)]).await;
        let mut stream = open(&server, &limits(LONG)).await.unwrap();
        let mut words = String::new();
        while let Some(piece) = stream.next().await.unwrap() {
            words.push_str(content(&piece));
        }
        assert_eq!(words, "Until fünf.", "pieces of {size} bytes");
    }
}

#[tokio::test]
async fn a_stream_without_an_end_is_no_answer() {
    for (more, class) in [
        ("", ErrorClass::Ambiguous),
        ("data: {\"choices\":[{\"index\":0", ErrorClass::Ambiguous),
        ("data: {\"choices\":[{\"index\":0\n\n", ErrorClass::Unreadable),
        ("data: <html>\n\n", ErrorClass::Unreadable),
        ("data: {\"error\":{\"code\":429,\"message\":\"SECRET-TEXT\"}}\n\n", ErrorClass::RateLimited),
        ("event: error\ndata: {\"error\":{\"type\":\"overloaded_error\"}}\n\n", ErrorClass::Overloaded),
    ] {
        let body = format!("{}\n\n{more}", said("Half an "));
        let (words, end) = read(body.into_bytes(), &limits(LONG)).await;
        let error = super::without_secrets(end.err().unwrap());
        assert_eq!((words.as_str(), error.class, error.maybe_charged), ("Half an ", class, true), "{more}");
    }
}

#[tokio::test]
async fn neither_a_line_nor_an_event_nor_a_stream_grows_without_end() {
    let small = config::Provider { max_response_bytes: 16 * 1024, ..limits(LONG) };
    for endless in [
        b"x".repeat(1 << 20),
        b"data: x\n".repeat(1 << 17),
        b"\n".repeat(1 << 20),
        b": keep-alive\n\n".repeat(1 << 16),
        format!("{}\n\n", said("word ")).into_bytes().repeat(1 << 14),
    ] {
        let (_, end) = read(endless, &small).await;
        assert_eq!(end.err().unwrap().code.as_deref(), Some("too_long"));
    }
}

#[tokio::test]
async fn lines_that_say_nothing_are_read_in_no_time() {
    let roomy = config::Provider { max_response_bytes: 2 << 20, ..limits(LONG) };
    let began = std::time::Instant::now();
    let body = [b"\n".repeat(15 << 20), format!("{LAST}\n\n").into_bytes()].concat();
    read(body, &roomy).await.1.unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn comments_do_not_keep_a_stream_alive() {
    for step in [Step::KeepAlive, Step::Hang] {
        let server = Server::start([step]).await;
        let short = limits(Duration::from_millis(300));
        let error = match open(&server, &short).await {
            Ok(mut stream) => stream.next().await.err().unwrap(),
            Err(error) => error,
        };
        assert_eq!((error.class, error.maybe_charged), (ErrorClass::Ambiguous, true));
    }
}

#[tokio::test]
async fn a_document_in_place_of_events_is_no_answer() {
    let server = Server::start([Step::says("Yes.").with("content-type: application/json")]).await;
    let error = open(&server, &limits(LONG)).await.err().unwrap();
    assert_eq!((error.class, error.code.as_deref()), (ErrorClass::Unreadable, Some("no_stream")));
}

#[tokio::test]
async fn little_is_held_back_while_the_key_may_be_coming() {
    let thought = |bytes: usize| {
        let delta = json!({ "reasoning": "x".repeat(bytes) });
        format!("data: {}", json!({ "choices": [{ "index": 0, "delta": delta }] }))
    };
    // The beginning of the key is the last of the words until it turns out to go on in another way.
    let answer = |thoughts: usize| {
        let thoughts = std::iter::repeat_n(thought(1000), thoughts);
        let words = [said(&KEY[..20]), thoughts.collect::<Vec<_>>().join("\n\n"), said(" and no more.")];
        format!("{}\n\n{LAST}\n\ndata: [DONE]\n\n", words.join("\n\n")).into_bytes()
    };
    let (words, end) = read(answer(20), &limits(LONG)).await;
    end.unwrap();
    assert_eq!(words, format!("{} and no more.", &KEY[..20]));
    let (words, end) = read(answer(100), &limits(LONG)).await;
    assert_eq!((words.as_str(), end.err().unwrap().code.as_deref()), ("", Some("key_echoed")));
}

#[tokio::test]
async fn an_event_holds_so_many_values_and_no_more() {
    let event = |values: usize| {
        let values = vec!["0"; values].join(",");
        let event = format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"odd\":[{values}]}}}}]}}");
        format!("{event}\n\n{LAST}\n\ndata: [DONE]\n\n").into_bytes()
    };
    let roomy = config::Provider { max_response_bytes: 4 << 20, ..limits(LONG) };
    read(event(10_000), &roomy).await.1.unwrap();
    assert_eq!(read(event(1_000_000), &roomy).await.1.err().unwrap().code.as_deref(), Some("too_long"));
    // Pictures are long and few.
    let picture = format!("{}\n\n{LAST}\n\ndata: [DONE]\n\n", said(&"A".repeat(3 << 20)));
    read(picture.into_bytes(), &roomy).await.1.unwrap();
}
