//! A forgotten password: a link by the operator's mail server, good once and for a while.

use std::time::{Duration, Instant};

use postkey::mail::{self, Limits};
use serde_json::{Value, json};

use crate::support::api::{OPERATOR, PASSWORD, Service, post_by};
use crate::support::database::on_both;
use crate::support::loopback::Encryption;
use crate::support::smtp_server::{Fault, Rule, SmtpServer, Step};
use crate::support::timing::compare_times;
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(30);

/// Asks for a link and takes the token out of the mail.
async fn token_by_mail(service: &Service, smtp: &SmtpServer, email: &str) -> String {
    let before = smtp.accepted().len();
    service.stranger().post("/api/auth/password-reset", json!({ "email": email })).await.expect(202);
    until("the link is mailed", LONG, async || smtp.accepted().len() > before).await;
    let accepted = smtp.accepted();
    let mail = mail::read(&accepted[before].bytes, &Limits::default());
    let text = &mail.text.visible;
    let link = text.split_whitespace().find(|word| word.starts_with("https://")).unwrap();
    link.strip_prefix("https://postkey.example.org/reset-password#").unwrap().to_owned()
}

fn confirm(token: &str) -> Value {
    json!({ "token": token, "newPassword": "another password" })
}

on_both! {
    async fn a_link_by_mail_sets_another_password_once(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = Service::start_with(&database, |config| post_by(config, &smtp)).await;
        let ann = service.sign_up("ann").await;
        let token = token_by_mail(&service, &smtp, "Ann@owner.test").await;
        let letter = &smtp.accepted()[0];
        assert_eq!((letter.from.as_str(), letter.to.as_slice()), (OPERATOR, ["ann@owner.test".to_owned()].as_slice()));
        let text = String::from_utf8_lossy(&letter.bytes).into_owned();
        assert!(text.contains("Auto-Submitted: auto-generated\r\n") && text.contains("Subject: Another password"), "{text}");
        let stranger = service.stranger();
        stranger.post("/api/auth/password-reset/confirm", confirm(&token)).await.expect(204);
        assert_eq!(ann.get("/api/auth/me").await.refused(401), "unauthorized");
        let sign_in = |password: &str| json!({ "email": "ann@owner.test", "password": password });
        stranger.post("/api/auth/login", sign_in(PASSWORD)).await.refused(401);
        stranger.post("/api/auth/login", sign_in("another password")).await.expect(200);
        let again = stranger.post("/api/auth/password-reset/confirm", confirm(&token)).await;
        assert_eq!(again.refused(403), "link_invalid");
    }

    async fn another_password_ends_every_link(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = Service::start_with(&database, |config| post_by(config, &smtp)).await;
        let ann = service.sign_up("ann").await;
        let first = token_by_mail(&service, &smtp, "ann@owner.test").await;
        let second = token_by_mail(&service, &smtp, "ann@owner.test").await;
        service.stranger().post("/api/auth/password-reset/confirm", confirm(&second)).await.expect(204);
        let refused = service.stranger().post("/api/auth/password-reset/confirm", confirm(&first)).await;
        assert_eq!(refused.refused(403), "link_invalid");
        assert_eq!(ann.get("/api/auth/me").await.refused(401), "unauthorized");
    }

    async fn a_link_ends_with_its_time(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = Service::start_with(&database, |config| {
            post_by(config, &smtp);
            config.http.reset_life = Duration::from_secs(1);
        }).await;
        service.sign_up("ann").await;
        let token = token_by_mail(&service, &smtp, "ann@owner.test").await;
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let late = service.stranger().post("/api/auth/password-reset/confirm", confirm(&token)).await;
        assert_eq!(late.refused(403), "link_invalid");
    }

    async fn nobody_learns_who_has_an_account(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = Service::start_with(&database, |config| post_by(config, &smtp)).await;
        service.sign_up("ann").await;
        let stranger = service.stranger();
        let unknown = stranger.post("/api/auth/password-reset", json!({ "email": "nobody@owner.test" })).await;
        let known = stranger.post("/api/auth/password-reset", json!({ "email": "ann@owner.test" })).await;
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
        until("one link is mailed", LONG, async || smtp.accepted().len() == 1).await;
        for _ in 0..2 {
            stranger.post("/api/auth/password-reset", json!({ "email": "nobody@owner.test" })).await.expect(202);
        }
        let braked = stranger.post("/api/auth/password-reset", json!({ "email": "nobody@owner.test" })).await;
        assert_eq!(braked.refused(429), "too_many_requests");
    }

    async fn an_answer_takes_as_long_for_an_address_without_an_account(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = Service::start_with(&database, |config| {
            post_by(config, &smtp);
            config.http.resets_per_account = 1000;
        }).await;
        service.sign_up("ann").await;
        let stranger = service.stranger();
        // Whoever waited for the mail server would be noticed on every machine.
        let slow = Duration::from_millis(300);
        smtp.rule(Rule::at(Step::Connect, Fault::Late(slow)));
        let difference = compare_times(50, async |index| {
            let email = ["ann@owner.test", "nobody@owner.test"][index];
            let began = Instant::now();
            stranger.post("/api/auth/password-reset", json!({ "email": email })).await.expect(202);
            let took = began.elapsed();
            // What is done beside the answer is not to disturb the next one.
            tokio::time::sleep(Duration::from_millis(20)).await;
            took
        })
        .await;
        assert!(difference.would_notice(slow) && !difference.is_noticed(), "{difference:?}");
    }

    async fn without_a_mail_server_no_link_is_promised(database: TestDatabase) {
        let service = Service::start(&database).await;
        let refused = service.stranger().post("/api/auth/password-reset", json!({ "email": "ann@owner.test" })).await;
        assert_eq!(refused.refused(403), "reset_unavailable");
    }

    async fn the_page_of_the_link_shows_a_form_and_loads_nothing(database: TestDatabase) {
        let service = Service::start(&database).await;
        let request = service.stranger().request(reqwest::Method::GET, "/reset-password");
        let response = request.send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"), "{policy}");
        let page = response.text().await.unwrap();
        assert!(page.contains("<form>") && page.contains("newPassword") && !page.contains("http"), "{page}");
    }
}
