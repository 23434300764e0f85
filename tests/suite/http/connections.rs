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
/// Calls whose answers do not fit into what systems keep for a connection.
const MANY: usize = 200;

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
async fn what_is_refused_is_not_read_for_ever() {
    const MIB: usize = 1024 * 1024;
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    let mut stream = connect(&service).await;
    let head = format!("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 200 * MIB);
    stream.write_all(head.as_bytes()).await.unwrap();
    let piece = vec![b' '; MIB];
    let mut sent = 0;
    while sent < 200 && stream.write_all(&piece).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 100, "{sent} MiB were taken");
}

/// Says how long a body it has, as `curl` does with a large one, and waits to be asked for it.
async fn offer(service: &Service, path: &str, length: usize) -> TcpStream {
    let mut stream = connect(service).await;
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_offered_and_not_wanted_is_not_waited_for() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    for (path, status) in [("/api/invites", "401"), ("/nothing", "404")] {
        let began = Instant::now();
        let said = read_to_end(&mut offer(&service, path, 32 << 20).await).await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) && !said.contains("100 Continue"), "{said}");
        assert!(began.elapsed() < Duration::from_secs(8), "{path}: {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_offered_and_wanted_is_asked_for() {
    const ASKED: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    let body = json!({ "email": "ann@owner.test", "password": "wrong password" }).to_string();
    let mut stream = offer(&service, "/api/auth/login", body.len()).await;
    let mut said = [0; ASKED.len()];
    tokio::time::timeout(LONG, stream.read_exact(&mut said)).await.unwrap().unwrap();
    assert_eq!(said, ASKED.as_bytes());
    stream.write_all(body.as_bytes()).await.unwrap();
    assert!(read_to_end(&mut stream).await.contains("wrong_credentials"));
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

/// Asks for far more than fits between the two, and takes nothing of it yet.
async fn ask_for_much(service: &Service) -> TcpStream {
    let mut stream = connect(service).await;
    let calls = "GET /api/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(MANY);
    stream.write_all(calls.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_no_answer_does_not_keep_the_place_of_others() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start_with(&database, |config| {
        config.http.connections = 1;
        config.http.write_timeout = Duration::from_secs(2);
    })
    .await;
    let idle = ask_for_much(&service).await;
    let began = Instant::now();
    let answer = tokio::time::timeout(LONG, service.stranger().get("/api/auth/me")).await;
    assert_eq!(answer.expect("an answer to somebody else").status, 401);
    assert!(began.elapsed() > Duration::from_secs(1), "the place was free all the time");
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_answers_slowly_gets_all_of_them() {
    const PATIENCE: Duration = Duration::from_secs(3);
    let database = TestDatabase::sqlite().await;
    let service = Service::start_with(&database, |config| config.http.write_timeout = PATIENCE).await;
    let whole = MANY * service.stranger().get("/api/openapi.json").await.text.len();
    let mut stream = ask_for_much(&service).await;
    let (began, mut read, mut piece) = (Instant::now(), 0, vec![0; whole / 20]);
    while read < whole {
        if began.elapsed() < 2 * PATIENCE {
            tokio::time::sleep(PATIENCE / 10).await;
        }
        let taken = tokio::time::timeout(LONG, stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(taken > 0, "cut after {read} of {whole} bytes");
        read += taken;
    }
    assert!(began.elapsed() > PATIENCE);
}

/// As between two words of a chat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_sent_nothing_may_take_nothing() {
    let database = TestDatabase::sqlite().await;
    let service =
        Service::start_with(&database, |config| config.http.write_timeout = Duration::from_secs(1)).await;
    let ann = service.sign_up("ann").await;
    service.provider.checked("a-key", Answer::status(200, "{\"data\":[]}").late(Duration::from_secs(3)));
    ann.post("/api/ai-config", service.ai_configuration("a-key")).await.expect(201);
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
