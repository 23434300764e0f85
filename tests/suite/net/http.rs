//! The guarded HTTP clients.

use std::time::Duration;

use postkey::config;
use postkey::net::{Guard, HttpClient, HttpClients, NetError, Refusal, Unanswered};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Names, PRIVATE};

/// Clients with short limits.
pub fn clients(guard: Guard) -> HttpClients {
    let limits = config::Provider {
        connect_timeout: Duration::from_secs(1),
        call_timeout: Duration::from_secs(2),
        ..config::Provider::default()
    };
    HttpClients::new(&limits, guard).unwrap()
}

async fn get(client: &HttpClient, url: &str) -> Result<reqwest::Response, Unanswered> {
    client.execute(client.request_builder().get(url).build().unwrap()).await
}

/// A server that gives every connection the same bytes.
async fn serve(answer: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    port
}

fn refusal(clients: &HttpClients, base: &str) -> Option<NetError> {
    clients.for_base(&base.parse().unwrap()).err()
}

#[test]
fn a_base_url_must_be_plain_https_on_443() {
    let clients = clients(Names::default().guard(&["127.0.0.1:11434"]));
    for (base, expected) in [
        ("http://api.example/v1", Refusal::PlainText),
        ("ftp://api.example/v1", Refusal::Address),
        ("https://api.example:8443/v1", Refusal::Port),
        ("https://user@api.example/v1", Refusal::Address),
        ("https://user:password@api.example/v1", Refusal::Address),
        ("https://:password@api.example/v1", Refusal::Address),
        ("https://api.example/v1?key=1", Refusal::Address),
        ("https://api.example/v1#here", Refusal::Address),
        ("http://127.0.0.1:11435/v1", Refusal::PlainText),
        ("http://user@127.0.0.1:11434/v1", Refusal::Address),
    ] {
        assert_eq!(refusal(&clients, base), Some(NetError::Refused(expected)), "{base}");
    }
    for base in ["https://api.openai.com/v1", "https://api.example", "http://127.0.0.1:11434/v1"] {
        assert_eq!(refusal(&clients, base), None, "{base}");
    }
}

#[tokio::test]
async fn a_name_that_points_inside_is_refused_when_connecting() {
    let names = Names::default().then("inside.example", &["93.184.216.34", "127.0.0.1"]);
    let client = clients(names.guard(&[])).for_base(&"https://inside.example".parse().unwrap()).unwrap();
    let failure = get(&client, "https://inside.example/v1").await.unwrap_err();
    assert_eq!(failure, Unanswered { error: PRIVATE, was_sent: false });
}

#[tokio::test]
async fn a_listed_name_is_reached_at_its_private_address() {
    let port = serve("HTTP/1.1 204 No Content\r\n\r\n".into()).await;
    let names = Names::default().then("model.internal", &["127.0.0.1"]);
    let base = format!("http://model.internal:{port}/");
    let clients = clients(names.guard(&[&format!("model.internal:{port}")]));
    let client = clients.for_base(&base.parse().unwrap()).unwrap();
    assert_eq!(get(&client, &base).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_client_serves_only_the_server_it_was_made_for() {
    let port = serve("HTTP/1.1 204 No Content\r\n\r\n".into()).await;
    let other = serve("HTTP/1.1 204 No Content\r\n\r\n".into()).await;
    let clients = clients(Names::default().guard(&[&format!("127.0.0.1:{port}")]));
    let client = clients.for_base(&format!("http://127.0.0.1:{port}").parse().unwrap()).unwrap();
    for url in [format!("http://127.0.0.1:{other}/"), format!("https://127.0.0.1:{port}/")] {
        let failure = get(&client, &url).await.unwrap_err();
        assert_eq!(failure.error, NetError::Refused(Refusal::OtherServer));
    }
}

#[tokio::test]
async fn the_builder_of_requests_reaches_nothing() {
    let clients = clients(Names::default().then("api.example", &["93.184.216.34"]).guard(&[]));
    let client = clients.for_base(&"https://api.example".parse().unwrap()).unwrap();
    let error = client.request_builder().get("https://api.example/").send().await.unwrap_err();
    assert_eq!(Unanswered::from_client(&error).error, NetError::Refused(Refusal::OtherServer));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let to = "http://169.254.169.254/latest/meta-data";
    let port = serve(format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")).await;
    let clients = clients(Names::default().guard(&[&format!("127.0.0.1:{port}")]));
    let base = format!("http://127.0.0.1:{port}");
    let client = clients.for_base(&base.parse().unwrap()).unwrap();
    assert_eq!(get(&client, &base).await.unwrap().status(), 302);
}

#[tokio::test]
async fn failures_tell_whether_the_request_may_have_arrived() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let cut = serve(String::new()).await;
    let plain = serve("HTTP/1.1 400 Bad Request\r\n\r\n".into()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap().port();
    let entries = [free, cut, plain, silent].map(|port| format!("127.0.0.1:{port}"));
    let clients = clients(Names::default().guard(&entries.each_ref().map(String::as_str)));
    let handshake = NetError::Tls(postkey::net::TlsFault::Handshake);
    for (base, error, was_sent) in [
        (format!("http://127.0.0.1:{free}"), NetError::Connect, false),
        (format!("http://127.0.0.1:{cut}"), NetError::Closed, true),
        (format!("https://127.0.0.1:{plain}"), handshake, false),
        (format!("https://127.0.0.1:{silent}"), NetError::Timeout, false),
        (format!("http://127.0.0.1:{silent}"), NetError::Timeout, true),
    ] {
        let client = clients.for_base(&base.parse().unwrap()).unwrap();
        assert_eq!(get(&client, &base).await.unwrap_err(), Unanswered { error, was_sent }, "{base}");
    }
}
