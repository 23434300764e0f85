//! What a token server can do wrong, and what it means for the account.

use std::time::Duration;

use postkey::net::{NetError, OAuthError, Refusal, Tokens};
use serde_json::json;

use super::server::{Answer, TokenServer, token};
use super::{ANNA, clients, clock, grant, log_in, tokens};

async fn failure(answer: Answer) -> OAuthError {
    let server = TokenServer::start([answer]).await;
    log_in(&tokens(&server, &clock()), ANNA, grant(&server.url())).await.unwrap_err()
}

fn refused(code: &str) -> OAuthError {
    OAuthError::Refused(code.into())
}

#[tokio::test]
async fn a_refusal_is_the_owners_business() {
    for (status, code, expected) in [
        (400, "invalid_grant", OAuthError::InvalidGrant),
        (200, "invalid_grant", OAuthError::InvalidGrant),
        (401, "invalid_client", OAuthError::InvalidClient),
        (400, "unauthorized_client", refused("unauthorized_client")),
        (403, "Account <b>anna</b>", refused("http_403")),
        (400, &"a".repeat(65), refused("http_400")),
    ] {
        let described = json!({ "error": code, "error_description": "about refresh-1" });
        let error = failure(Answer::json(status, &described)).await;
        assert_eq!(error, expected);
        assert!(error.is_credential() && !error.is_transient(), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_without_a_code_tells_the_status_and_a_redirect_is_not_followed() {
    for status in [302, 307, 400, 404] {
        let expected = refused(&format!("http_{status}"));
        assert_eq!(failure(Answer::text(status, "<html>")).await, expected);
        assert_eq!(failure(Answer::json(status, &json!({ "error": { "code": 1 } }))).await, expected);
        assert_eq!(failure(Answer::json(status, &token("no"))).await, expected);
    }
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_again_later() {
    let busy = json!({ "error": "temporarily_unavailable" });
    let invalid = json!({ "error": "invalid_grant" });
    for (status, body) in [(500, &invalid), (503, &invalid), (429, &invalid), (408, &invalid), (400, &busy)] {
        let error = failure(Answer::json(status, body)).await;
        assert_eq!(error, OAuthError::Unavailable(status));
        assert!(error.is_transient() && !error.is_credential());
    }
}

#[tokio::test]
async fn an_answer_without_a_usable_token_is_unreadable() {
    let other_kind = json!({ "access_token": "a", "token_type": "mac" });
    let mut rubbish = vec!["".to_owned(), "<html>".into(), "[]".into(), "{}".into(), other_kind.to_string()];
    let tokens = ["", "a b", "a\u{1}b", "a\r\nb", "ü", &"a".repeat(16 * 1024 + 1)];
    rubbish.extend(tokens.map(|text| token(text).to_string()));
    for body in rubbish {
        let error = failure(Answer::text(200, &body)).await;
        assert_eq!(error, OAuthError::Unreadable, "{body:.40}");
        assert!(error.is_transient() && !error.is_credential());
    }
}

#[tokio::test]
async fn an_answer_of_more_than_64_kib_is_refused() {
    let padded = |length: usize| {
        let body = token("fits").to_string();
        Answer::text(200, &format!("{body}{}", " ".repeat(length - body.len())))
    };
    let server = TokenServer::start([padded(64 * 1024), padded(64 * 1024 + 1), padded(8 << 20)]).await;
    let tokens = tokens(&server, &clock());
    for expected in [Ok("fits".to_owned()), Err(OAuthError::Unreadable), Err(OAuthError::Unreadable)] {
        assert_eq!(log_in(&tokens, ANNA, grant(&server.url())).await, expected);
        tokens.forget(ANNA);
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let error = failure(Answer::token("late").late(Duration::from_secs(60))).await;
    assert_eq!(error, OAuthError::Net(NetError::Timeout));
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_token_url_that_the_guard_does_not_allow_gets_no_secret() {
    let server = TokenServer::start([]).await;
    let strict = Tokens::new(clients(&[]), clock());
    let elsewhere = [
        (server.url(), Refusal::PlainText),
        ("http://login.example/token".into(), Refusal::PlainText),
        ("https://127.0.0.1/token".into(), Refusal::PrivateAddress),
        ("https://login.example:8443/token".into(), Refusal::Port),
        ("https://anna:pw@login.example/token".into(), Refusal::Address),
        ("not a url".into(), Refusal::Address),
    ];
    for (url, expected) in elsewhere {
        let error = log_in(&strict, ANNA, grant(&url)).await.unwrap_err();
        assert_eq!(error, OAuthError::Net(NetError::Refused(expected)), "{url}");
        assert!(error.is_credential() && !error.is_transient());
    }
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn an_error_shows_no_secret_even_if_the_server_repeats_it() {
    for status in [200, 400, 401, 500] {
        let echo =
            json!({ "error": "refresh-1", "error_description": "refresh-1", "access_token": "refresh-1" });
        let error = failure(Answer::json(status, &echo)).await;
        let shown = format!("{error} {error:?} {}", error.code());
        assert!(!shown.contains("refresh-1"), "{shown}");
    }
}
