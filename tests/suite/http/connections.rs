//! Connections that are slow, many, or cut short, and the end of the service.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use postkey::app::App;
use postkey::clock::Clock;
use postkey::config::Config;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::api::Service;
use crate::support::database::TestDatabase;
use crate::support::provider_server::Answer;
use crate::support::wait::until;
use crate::support::world::KEKS;

const LONG: Duration = Duration::from_secs(30);

#[expect(clippy::disallowed_methods, reason = "a client that talks no proper HTTP is no part of the product")]
async fn connect_to(address: SocketAddr) -> std::io::Result<TcpStream> {
    TcpStream::connect(address).await
}

async fn connect(service: &Service) -> TcpStream {
    connect_to(service.address()).await.unwrap()
}

/// What the server says until it closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_never_ends_is_cut() {
    let database = TestDatabase::sqlite().await;
    let service =
        Service::start_with(&database, |config| config.http.head_timeout = Duration::from_secs(1)).await;
    let mut stream = connect(&service).await;
    stream.write_all(b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let began = Instant::now();
    read_to_end(&mut stream).await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_is_refused() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    for rubbish in
        ["\r\n\r\nEHLO x\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /\u{0} HTTP/1.1\r\nHost: x\r\n\r\n"]
    {
        let mut stream = connect(&service).await;
        stream.write_all(rubbish.as_bytes()).await.unwrap();
        let said = read_to_end(&mut stream).await;
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 400 "), "{rubbish:?}: {said}");
    }
    service.stranger().get("/api/auth/me").await.refused(401);
}

/// Simple clients look for an answer once they have sent everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_far_too_much_still_learns_that_it_is_refused() {
    const MIB: usize = 1024 * 1024;
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    for (path, status) in [("/api/auth/login", "413"), ("/api/invites", "401"), ("/nothing", "404")] {
        let mut stream = connect(&service).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            32 * MIB
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..32 {
            stream.write_all(&vec![b' '; MIB]).await.unwrap();
        }
        let said = read_to_end(&mut stream).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_connections_than_there_is_room_for_wait() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start_with(&database, |config| config.http.connections = 2).await;
    let silent = (connect(&service).await, connect(&service).await);
    let visitor = service.stranger();
    let waiting = tokio::spawn(async move { visitor.get("/api/auth/me").await.status });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished(), "the third connection was served");
    drop(silent);
    assert_eq!(tokio::time::timeout(LONG, waiting).await.unwrap().unwrap(), 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_takes_too_long_is_given_up() {
    let database = TestDatabase::sqlite().await;
    let service =
        Service::start_with(&database, |config| config.http.call_timeout = Duration::from_secs(1)).await;
    let ann = service.sign_up("ann").await;
    service.provider.checked("a-key", Answer::Hang);
    let body = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
    assert_eq!(ann.post("/api/ai-config", body).await.refused(408), "timeout");
    assert_eq!(ann.get("/api/ai-config").await.expect(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_progress_is_answered_when_the_service_ends() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    let ann = service.sign_up("ann").await;
    let late = Answer::status(200, "{\"data\":[]}").late(Duration::from_secs(1));
    service.provider.checked("a-key", late);
    let body = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
    let call = tokio::spawn(async move { ann.post("/api/ai-config", body).await.status });
    until("the key is being checked", LONG, async || service.provider.checks().len() == 1).await;
    let address = service.address();
    service.end().await;
    assert_eq!(call.await.unwrap(), 201);
    let gone = tokio::time::timeout(LONG, connect_to(address)).await.unwrap();
    assert!(gone.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_that_is_taken_is_told_with_what_to_do() {
    let (first, second) = (TestDatabase::sqlite().await, TestDatabase::sqlite().await);
    let service = Service::start(&first).await;
    let mut config = Config::default();
    config.database.url = second.url().to_owned();
    config.vault.keks = Some(KEKS.into());
    config.http.listen = service.address().to_string();
    let mut app = App::open(config, Clock::system()).await.unwrap();
    let error = app.listen().await.unwrap_err().to_string();
    assert!(error.contains(&service.address().to_string()) && error.contains("http.listen"), "{error}");
}
