//! Access tokens are fetched once, kept while they are valid, and never leak.

mod failures;
mod server;

use std::time::Duration;

use futures::future::join_all;
use postkey::clock::{Clock, Timestamp};
use postkey::config;
use postkey::net::{Credentials, Grant, Guard, HttpClients, Login, OAuthError, Tokens};
use secrecy::ExposeSecret;
use serde_json::json;
use server::{Answer, TokenServer, token};
use uuid::Uuid;

const ANNA: Uuid = Uuid::from_u128(1);
const BOB: Uuid = Uuid::from_u128(2);

/// Tokens that may be fetched from this server.
fn tokens(server: &TokenServer, clock: &Clock) -> Tokens {
    Tokens::new(clients(&[&server.address.to_string()]), clock.clone())
}

fn clients(private_endpoints: &[&str]) -> HttpClients {
    let limits = config::Provider { call_timeout: Duration::from_secs(2), ..config::Provider::default() };
    let private_endpoints = private_endpoints.iter().map(ToString::to_string).collect();
    let network = config::Network { private_endpoints, ..config::Network::default() };
    HttpClients::new(&limits, Guard::new(&network).unwrap()).unwrap()
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_millis(1_700_000_000_000))
}

fn grant(token_url: &str) -> Grant {
    Grant {
        username: "anna@example.org".into(),
        client_id: "client-1".into(),
        client_secret: Some("s&cret=+ ü".into()),
        refresh_token: "refresh-1".into(),
        token_url: token_url.into(),
    }
}

/// The access token that a login would show.
async fn log_in(tokens: &Tokens, account: Uuid, grant: Grant) -> Result<String, OAuthError> {
    match tokens.login(account, Credentials::Refresh(grant)).await? {
        Login::Xoauth2 { username, access_token } => {
            assert_eq!(username, "anna@example.org");
            Ok(access_token.expose_secret().to_owned())
        }
        Login::Password { .. } => panic!("a grant became a password"),
    }
}

#[tokio::test]
async fn a_password_passes_through() {
    let credentials = Credentials::Password { username: "anna".into(), password: "pass word".into() };
    let login = Tokens::new(clients(&[]), clock()).login(ANNA, credentials).await.unwrap();
    let Login::Password { username, password } = login else { panic!("a password became a token") };
    assert_eq!((username.as_str(), password.expose_secret()), ("anna", "pass word"));
}

#[tokio::test]
async fn a_grant_becomes_a_token_that_is_kept() {
    let server = TokenServer::start([]).await;
    let tokens = tokens(&server, &clock());
    for _ in 0..3 {
        assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-1");
    }
    let forms = server.forms();
    assert_eq!(forms.len(), 1);
    assert_eq!(forms[0]["grant_type"], "refresh_token");
    assert_eq!(forms[0]["refresh_token"], "refresh-1");
    assert_eq!(forms[0]["client_id"], "client-1");
    assert_eq!(forms[0]["client_secret"], "s&cret=+ ü");
}

#[tokio::test]
async fn a_public_client_sends_no_secret() {
    let server = TokenServer::start([]).await;
    let public = Grant { client_secret: None, ..grant(&server.url()) };
    log_in(&tokens(&server, &clock()), ANNA, public).await.unwrap();
    assert!(!server.forms()[0].contains_key("client_secret"));
}

#[tokio::test]
async fn a_token_is_fetched_again_a_minute_before_it_expires() {
    let server = TokenServer::start([]).await;
    let clock = clock();
    let tokens = tokens(&server, &clock);
    assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-1");
    clock.advance(Duration::from_secs(3539));
    assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-1");
    clock.advance(Duration::from_secs(1));
    assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_lifetime_may_be_a_string_missing_or_endless() {
    for (lifetime, seconds) in [(json!("600"), 600), (json!(null), 300), (json!(u64::MAX), 86_400)] {
        let mut answer = token("first");
        answer["expires_in"] = lifetime;
        let server = TokenServer::start([Answer::json(200, &answer)]).await;
        let clock = clock();
        let tokens = tokens(&server, &clock);
        log_in(&tokens, ANNA, grant(&server.url())).await.unwrap();
        clock.advance(Duration::from_secs(seconds - 61));
        assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "first");
        clock.advance(Duration::from_secs(1));
        assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-2");
    }
}

#[tokio::test]
async fn logins_at_the_same_time_share_one_request() {
    let server = TokenServer::start([Answer::token("shared").late(Duration::from_millis(100))]).await;
    let tokens = tokens(&server, &clock());
    let logins = (0..20).map(|_| log_in(&tokens, ANNA, grant(&server.url())));
    for token in join_all(logins).await {
        assert_eq!(token.unwrap(), "shared");
    }
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn logins_at_the_same_time_share_one_failure() {
    let server = TokenServer::start([Answer::text(503, "").late(Duration::from_millis(100))]).await;
    let tokens = tokens(&server, &clock());
    let logins = (0..20).map(|_| log_in(&tokens, ANNA, grant(&server.url())));
    for token in join_all(logins).await {
        assert_eq!(token, Err(OAuthError::Unavailable(503)));
    }
    assert_eq!(server.requests(), 1);
    assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_the_request() {
    let server = TokenServer::start([Answer::token("kept").late(Duration::from_millis(100))]).await;
    let tokens = tokens(&server, &clock());
    let login = log_in(&tokens, ANNA, grant(&server.url()));
    assert!(tokio::time::timeout(Duration::from_millis(20), login).await.is_err());
    assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "kept");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn accounts_do_not_share_tokens() {
    let server = TokenServer::start([]).await;
    let tokens = tokens(&server, &clock());
    assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-1");
    assert_eq!(log_in(&tokens, BOB, grant(&server.url())).await.unwrap(), "token-2");
}

#[tokio::test]
async fn changed_credentials_are_not_served_from_the_cache() {
    let server = TokenServer::start([]).await;
    let tokens = tokens(&server, &clock());
    let url = server.url();
    let changed = [
        grant(&url),
        Grant { client_id: "client-2".into(), ..grant(&url) },
        Grant { client_secret: None, ..grant(&url) },
        Grant { client_secret: Some("".into()), ..grant(&url) },
        Grant { refresh_token: "refresh-2".into(), ..grant(&url) },
        Grant { token_url: format!("{url}/../token"), ..grant(&url) },
    ];
    for (number, grant) in (1..).zip(changed) {
        assert_eq!(log_in(&tokens, ANNA, grant).await.unwrap(), format!("token-{number}"));
    }
}

#[tokio::test]
async fn a_forgotten_token_is_fetched_again() {
    let server = TokenServer::start([]).await;
    let tokens = tokens(&server, &clock());
    log_in(&tokens, ANNA, grant(&server.url())).await.unwrap();
    log_in(&tokens, BOB, grant(&server.url())).await.unwrap();
    tokens.forget(ANNA);
    assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await.unwrap(), "token-3");
    assert_eq!(log_in(&tokens, BOB, grant(&server.url())).await.unwrap(), "token-2");
}

#[tokio::test]
async fn a_replaced_refresh_token_is_used_until_it_is_refused() {
    let mut replacing = token("first");
    replacing["refresh_token"] = json!("refresh-2");
    let ended = Answer::json(400, &json!({ "error": "invalid_grant" }));
    let second = Answer::token("second");
    let server = TokenServer::start([Answer::json(200, &replacing), second, ended]).await;
    let tokens = tokens(&server, &clock());
    let expected = [Ok("first"), Ok("second"), Err(OAuthError::InvalidGrant), Ok("token-4")];
    for expected in expected {
        let token = log_in(&tokens, ANNA, grant(&server.url())).await;
        assert_eq!(token, expected.map(str::to_owned));
        tokens.forget(ANNA);
    }
    let used: Vec<String> = server.forms().iter().map(|form| form["refresh_token"].clone()).collect();
    assert_eq!(used, ["refresh-1", "refresh-2", "refresh-2", "refresh-1"]);
}

#[tokio::test]
async fn the_account_that_was_not_used_for_longest_makes_room() {
    let server = TokenServer::start([]).await;
    let tokens = Tokens::with_room(clients(&[&server.address.to_string()]), clock(), 2);
    let carol = Uuid::from_u128(3);
    for (account, expected) in [
        (ANNA, "token-1"),
        (BOB, "token-2"),
        (ANNA, "token-1"),
        (carol, "token-3"),
        (ANNA, "token-1"),
        (BOB, "token-4"),
    ] {
        assert_eq!(log_in(&tokens, account, grant(&server.url())).await.unwrap(), expected);
    }
}
