//! The demo's stand-ins, driven by the client crates that Postkey itself stands on.

mod imap;
mod model;
mod samples;
mod smtp;

use std::net::SocketAddr;
use std::time::Duration;

use postkey::clock::{Clock, Timestamp};
use postkey::demo::control::{self, Order, Report};
use postkey::demo::post_office::PostOffice;
use postkey::demo::samples::Letter;
use secrecy::SecretString;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const ADDRESS: &str = "ann@demo.test";
const PASSWORD: &str = "pass \"word\\ ü";
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

async fn start() -> PostOffice {
    let office = PostOffice::start(Clock::manual(START), None).await.unwrap();
    office.add_account(ADDRESS, SecretString::from(PASSWORD));
    office
}

#[expect(clippy::disallowed_methods, reason = "the stand-ins are tested without Postkey's own dialler")]
async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.unwrap()
}

fn letter(message_id: &str) -> Letter<'_> {
    Letter { name: "Bob", from: "bob@out.test", to: ADDRESS, message_id, date: START }
}

async fn converse(address: SocketAddr, said: &[u8]) -> String {
    let mut stream = connect(address).await;
    stream.write_all(said).await.unwrap();
    let mut heard = String::new();
    stream.read_to_string(&mut heard).await.unwrap();
    heard
}

#[tokio::test]
async fn dropping_the_office_ends_its_connections() {
    let office = start().await;
    let mut streams = [connect(office.imap).await, connect(office.smtp).await];
    for stream in &mut streams {
        stream.read_u8().await.unwrap();
    }
    drop(office);
    for stream in &mut streams {
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }
}

#[tokio::test]
async fn another_process_can_lead_the_stand_ins() {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (orders, reports) = tokio::io::split(theirs);
    let setup = control::Setup { clock: Clock::manual(START), tls: None, latency: Duration::ZERO };
    let serving = tokio::spawn(control::serve(setup, BufReader::new(orders), reports));
    let (heard, mut say) = tokio::io::split(ours);
    let mut heard = BufReader::new(heard).lines();
    let Report::Ready { smtp, .. } = next(&mut heard).await else { panic!() };
    let account = Order::AddAccount { address: ADDRESS.to_owned(), password: PASSWORD.to_owned() };
    let deliver = |to: &str| Order::Deliver { address: to.to_owned(), mail: "Subject: a\r\n\r\n".to_owned() };
    for (order, done) in [(account, true), (Order::Watch, true), (deliver("no@demo.test"), false)] {
        say.write_all(format!("{}\n", serde_json::to_string(&order).unwrap()).as_bytes()).await.unwrap();
        assert_eq!(matches!(next(&mut heard).await, Report::Done), done);
    }
    let said =
        "MAIL FROM:<>\r\nRCPT TO:<ann@demo.test>\r\nDATA\r\nIn-Reply-To:\r\n <1@x>\r\n\r\n.\r\nQUIT\r\n";
    converse(smtp, said.as_bytes()).await;
    let Report::Accepted { to, in_reply_to, at } = next(&mut heard).await else { panic!() };
    assert_eq!((to, in_reply_to.as_deref(), at), (vec![ADDRESS.to_owned()], Some("1@x"), START));
    assert!(matches!(next(&mut heard).await, Report::Arrived { uid: 1001, .. }));
    say.shutdown().await.unwrap();
    serving.await.unwrap().unwrap();
}

async fn next(heard: &mut tokio::io::Lines<impl tokio::io::AsyncBufRead + Unpin>) -> Report {
    serde_json::from_str(&heard.next_line().await.unwrap().unwrap()).unwrap()
}
