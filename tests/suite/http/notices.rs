//! What owners have to know: listed, and mailed once by the operator's mail server.

use std::time::Duration;

use postkey::mail::{self, Limits};
use postkey::store::{NewNotice, UserId};

use crate::support::api::{Service, post_by};
use crate::support::database::{TestDatabase, on_both};
use crate::support::loopback::Encryption;
use crate::support::smtp_server::{AcceptedMail, Fault, Rule, SmtpServer, Step};
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(30);

async fn with_post(database: &TestDatabase, smtp: &SmtpServer) -> Service {
    Service::start_with(database, |config| post_by(config, smtp)).await
}

/// Gives `<name>@owner.test` a notice about each of these.
async fn give(service: &Service, name: &str, causes: &[&str]) -> UserId {
    let user = service.store.find_user_by_email(&format!("{name}@owner.test")).await.unwrap().unwrap().id;
    for cause in causes {
        let sentence = format!("Look at {cause}.");
        let notice = NewNotice { user, cause: (*cause).into(), kind: "trouble", sentence };
        assert!(service.store.give_notice(notice).await.unwrap());
    }
    user
}

async fn until_mailed(smtp: &SmtpServer, letters: usize) -> Vec<AcceptedMail> {
    until("the letters are mailed", LONG, async || smtp.accepted().len() >= letters).await;
    smtp.accepted()
}

/// Lets the service look for news of everybody once more: a second letter is not begun before the first look is over.
async fn until_looked_again(service: &Service, smtp: &SmtpServer, name: &str) {
    for cause in ["looked", "looked again"] {
        give(service, name, &[cause]).await;
        let is_there = |letter: &AcceptedMail| text(letter).contains(&format!("Look at {cause}."));
        until("the next letter is mailed", LONG, async || smtp.accepted().iter().any(is_there)).await;
    }
}

fn text(letter: &AcceptedMail) -> String {
    mail::read(&letter.bytes, &Limits::default()).text.visible
}

on_both! {
    async fn an_owner_sees_what_there_is_to_know_and_nobody_elses(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let user = give(&service, "ann", &["one", "two", "three"]).await;
        service.store.end_notice(user, "two".into()).await.unwrap();
        let first = ann.get("/api/notices?limit=2").await.expect(200);
        let next = format!("/api/notices?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
        let second = ann.get(&next).await.expect(200);
        let all = [first["items"].as_array().unwrap().clone(), second["items"].as_array().unwrap().clone()].concat();
        let told: Vec<_> = all.iter().map(|notice| (notice["cause"].as_str().unwrap(), notice["ended_at"].is_null())).collect();
        assert_eq!(told, [("three", true), ("two", false), ("one", true)]);
        assert_eq!((all[0]["kind"].as_str(), all[0]["sentence"].as_str()), (Some("trouble"), Some("Look at three.")));
        assert!(second["next_cursor"].is_null());
        assert!(bob.get("/api/notices").await.expect(200)["items"].as_array().unwrap().is_empty());
    }

    async fn what_comes_together_goes_in_one_letter_once(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = with_post(&database, &smtp).await;
        service.sign_up("ann").await;
        service.sign_up("bob").await;
        give(&service, "ann", &["one", "two"]).await;
        give(&service, "bob", &["three"]).await;
        let letters = until_mailed(&smtp, 2).await;
        let of = |name: &str| letters.iter().find(|letter| letter.to == [format!("{name}@owner.test")]).map(text).unwrap();
        assert!(of("ann").contains("- Look at one.") && of("ann").contains("- Look at two.") && !of("ann").contains("three"));
        assert!(of("bob").contains("- Look at three.") && !of("bob").contains("one."));
        assert!(String::from_utf8_lossy(&letters[0].bytes).contains("Auto-Submitted: auto-generated\r\n"));
        give(&service, "ann", &["four"]).await;
        let letters = until_mailed(&smtp, 3).await;
        assert!(text(&letters[2]).contains("four") && !text(&letters[2]).contains("one."));
        until_looked_again(&service, &smtp, "bob").await;
        assert_eq!(smtp.accepted().len(), 5);
    }

    async fn what_is_over_is_not_mailed(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = with_post(&database, &smtp).await;
        service.sign_up("ann").await;
        let user = give(&service, "ann", &["over", "lasting"]).await;
        service.store.end_notice(user, "over".into()).await.unwrap();
        let letters = until_mailed(&smtp, 1).await;
        assert!(text(&letters[0]).contains("lasting") && !text(&letters[0]).contains("over"));
    }

    async fn a_letter_that_is_not_taken_is_sent_later_unless_nobody_wants_it(database: TestDatabase) {
        let smtp = SmtpServer::start(Encryption::None).await;
        let service = with_post(&database, &smtp).await;
        service.sign_up("ann").await;
        smtp.rule(Rule::at(Step::RcptTo, Fault::Reply("450 4.2.0 greylisted")).times(1));
        give(&service, "ann", &["greylisted"]).await;
        let letters = until_mailed(&smtp, 1).await;
        assert!(text(&letters[0]).contains("greylisted"));
        let connections = smtp.connections();
        smtp.rule(Rule::at(Step::RcptTo, Fault::Reply("550 5.1.1 no such user")).times(1));
        give(&service, "ann", &["unwanted"]).await;
        until("it is refused", LONG, async || smtp.connections() > connections).await;
        service.sign_up("bob").await;
        until_looked_again(&service, &smtp, "bob").await;
        assert_eq!(smtp.accepted().len(), 3, "the address that takes none is not tried again");
    }
}
