//! No user's words lead a connection to where it must not go.

mod dialling;
mod http;
mod spellings;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::future::BoxFuture;
use postkey::config;
use postkey::net::{Guard, Lookup, NetError, Refusal, Use};

const PRIVATE: NetError = NetError::Refused(Refusal::PrivateAddress);

/// A resolver that answers a name with one set of addresses after the other, and the last one for ever.
#[derive(Clone, Default)]
pub struct Names {
    answers: HashMap<&'static str, Vec<Vec<IpAddr>>>,
    asked: Arc<AtomicUsize>,
}

impl Names {
    /// One more answer for a name.
    pub fn then(mut self, name: &'static str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.answers.entry(name).or_default().push(addresses);
        self
    }

    /// A guard that knows only these names.
    pub fn guard(&self, private_endpoints: &[&str]) -> Guard {
        Guard::with_lookup(&network(private_endpoints), self.clone()).unwrap()
    }
}

impl Lookup for Names {
    fn addresses<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let turn = self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let answers = self.answers.get(name).ok_or(io::ErrorKind::NotFound)?;
            Ok(answers[turn.min(answers.len() - 1)].clone())
        })
    }
}

/// The operator's settings with these private endpoints.
pub fn network(private_endpoints: &[&str]) -> config::Network {
    let private_endpoints = private_endpoints.iter().map(ToString::to_string).collect();
    config::Network { private_endpoints, ..config::Network::default() }
}

#[tokio::test]
async fn a_name_with_public_addresses_resolves_to_exactly_those() {
    let names = Names::default().then("mail.example", &["93.184.216.34", "2606:4700::1111"]);
    let addresses = names.guard(&[]).resolve("Mail.Example.", 993, Use::Imap).await.unwrap();
    assert_eq!(addresses, ["93.184.216.34:993".parse().unwrap(), "[2606:4700::1111]:993".parse().unwrap()]);
}

#[tokio::test]
async fn a_name_with_a_private_address_is_refused() {
    let names = Names::default().then("inside.example", &["10.0.0.7"]);
    assert_eq!(names.guard(&[]).resolve("inside.example", 443, Use::Provider).await, Err(PRIVATE));
}

#[tokio::test]
async fn one_private_address_among_public_ones_is_enough_to_refuse() {
    let mut many: Vec<String> = (1..40).map(|n| format!("93.184.216.{n}")).collect();
    many.push("127.0.0.1".into());
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for addresses in [&["93.184.216.34", "169.254.169.254"][..], &many] {
        let names = Names::default().then("two.example", addresses);
        assert_eq!(names.guard(&[]).resolve("two.example", 587, Use::Smtp).await, Err(PRIVATE));
    }
}

#[tokio::test]
async fn each_resolution_asks_once_and_checks_what_it_returns() {
    let names =
        Names::default().then("flip.example", &["93.184.216.34"]).then("flip.example", &["127.0.0.1"]);
    let guard = names.guard(&[]);
    assert!(guard.resolve("flip.example", 993, Use::Imap).await.is_ok());
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    assert_eq!(guard.resolve("flip.example", 993, Use::Imap).await, Err(PRIVATE));
}

#[tokio::test]
async fn an_unknown_name_is_a_dns_error_and_an_empty_answer_too() {
    let names = Names::default().then("empty.example", &[]);
    let guard = names.guard(&[]);
    assert_eq!(guard.resolve("missing.example", 993, Use::Imap).await, Err(NetError::Dns));
    assert_eq!(guard.resolve("empty.example", 993, Use::Imap).await, Err(NetError::Dns));
}

#[tokio::test]
async fn a_resolver_that_never_answers_is_given_up() {
    struct Silent;
    impl Lookup for Silent {
        fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
            Box::pin(std::future::pending())
        }
    }
    let limit = std::time::Duration::from_millis(20);
    let settings = config::Network { resolve_timeout: limit, ..config::Network::default() };
    let guard = Guard::with_lookup(&settings, Silent).unwrap();
    assert_eq!(guard.resolve("slow.example", 993, Use::Imap).await, Err(NetError::Timeout));
}

#[tokio::test]
async fn only_the_ports_of_a_purpose_are_allowed() {
    let names = Names::default().then("mail.example", &["93.184.216.34"]);
    let guard = names.guard(&[]);
    let allowed = [(Use::Provider, &[443][..]), (Use::Imap, &[143, 993]), (Use::Smtp, &[25, 465, 587, 2525])];
    for (purpose, ports) in allowed {
        for port in [22, 25, 80, 143, 443, 465, 587, 993, 2525, 5432, 6379, 8080] {
            let expected = ports.contains(&port);
            let answer = guard.resolve("mail.example", port, purpose).await;
            assert_eq!(answer.is_ok(), expected, "{purpose:?} {port}");
            assert!(expected || answer == Err(NetError::Refused(Refusal::Port)), "{purpose:?} {port}");
        }
    }
}

#[tokio::test]
async fn a_listed_endpoint_may_be_private_and_have_any_port_but_only_exactly_so() {
    let names =
        Names::default().then("ollama.internal", &["10.0.0.5"]).then("ollama.internal", &["10.0.0.5"]);
    let guard = names.guard(&["Ollama.Internal:11434", "127.0.0.1:1143", "[::1]:993"]);
    let listed =
        [("ollama.internal", 11434), ("127.0.0.1", 1143), ("127.1", 1143), ("::1", 993), ("[::1]", 993)];
    for (host, port) in listed {
        assert!(guard.is_private_endpoint(host, port), "{host}");
        assert!(guard.resolve(host, port, Use::Imap).await.is_ok(), "{host}");
    }
    for (host, port) in [("ollama.internal", 993), ("127.0.0.1", 993), ("127.0.0.2", 1143), ("::1", 143)] {
        assert!(!guard.is_private_endpoint(host, port), "{host}");
        assert!(guard.resolve(host, port, Use::Imap).await.is_err(), "{host}");
    }
}

#[test]
fn a_list_that_cannot_be_read_names_the_entry() {
    for bad in ["localhost", "localhost:", "localhost:0", "localhost:70000", "::1:8080", ":80", "a b:80"] {
        let error = Guard::new(&network(&["127.0.0.1:80", bad])).err();
        assert_eq!(error, Some(NetError::PrivateEndpoint(1)), "{bad}");
    }
}

#[test]
fn installing_the_crypto_provider_twice_is_fine() {
    postkey::net::install_crypto();
    postkey::net::install_crypto();
}
