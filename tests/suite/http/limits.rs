//! How often something may be tried, and from where.

use std::net::IpAddr;
use std::time::Duration;

use postkey::clock::{Clock, Timestamp};
use postkey::store::{Allowance, RunState, Store};
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;

use crate::support::api::{Answered, PASSWORD, Service, Visitor, send};
use crate::support::database::on_both;
use crate::support::office::Office;
use crate::support::rows::open_store;

/// A sign-in that says that it was forwarded.
async fn sign_in_from(
    service: &Service,
    forwarded: &(impl AsRef<[u8]> + ?Sized),
    password: &str,
) -> Answered {
    let forwarded = HeaderValue::from_bytes(forwarded.as_ref()).unwrap();
    let request = service.stranger().request(Method::POST, "/api/auth/login");
    let body = json!({ "email": "ann@owner.test", "password": password });
    send(request.header("x-forwarded-for", forwarded).json(&body)).await
}

/// How long somebody is locked out who tries once more than they may, in minutes.
async fn lock_of(store: &Store, window: Duration) -> u64 {
    let allowance = Allowance { name: "somebody".into(), tries: 3, window };
    for _ in 0..3 {
        assert_eq!(store.count_attempt(allowance.clone()).await.unwrap(), None);
    }
    let locked = store.count_attempt(allowance.clone()).await.unwrap().expect("one try too many");
    assert!(store.count_attempt(allowance).await.unwrap().unwrap() <= locked, "trying on makes it no longer");
    locked.as_secs() / 60
}

const MINUTE: Duration = Duration::from_secs(60);

on_both! {
    async fn a_lock_doubles_up_to_an_hour_and_is_forgotten(database: TestDatabase) {
        let clock = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let store = open_store(&database, clock.clone()).await;
        for minutes in [15, 30, 60, 60] {
            assert_eq!(lock_of(&store, 15 * MINUTE).await, minutes);
            clock.advance(u32::try_from(minutes).unwrap() * MINUTE);
        }
        clock.advance(9 * 15 * MINUTE);
        assert_eq!(lock_of(&store, 15 * MINUTE).await, 15);
        store.forget_attempts("somebody".into()).await.unwrap();
        for _ in 0..3 {
            assert_eq!(lock_of(&store, 60 * MINUTE).await, 60);
            clock.advance(60 * MINUTE);
        }
    }

    async fn whoever_hammers_at_the_door_holds_up_neither_the_mail_nor_those_inside(database: TestDatabase) {
        let mut office = Office::open(&database).await;
        office.config.http.sign_ins_per_account = 1000;
        office.config.http.sign_ins_per_address = 1000;
        let desk = office.hire("ann@shop.test").await;
        let served = office.serve().await;
        let stranger = Visitor::at(served.address, "");
        let body = json!({ "email": "ann@owner.test", "password": "wrong password" });
        let knocks = (0..100).map(|_| stranger.post("/api/auth/login", body.clone()));
        let answered = async {
            for number in 1..=5 {
                office.deliver(&desk, number);
            }
            office.until_counted(&desk, RunState::Replied, 5).await;
        };
        let (answers, ()) = tokio::join!(futures::future::join_all(knocks), answered);
        served.end().await;
        office.check_answered_once(1..=5);
        let sent_away: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
        assert!(sent_away.len() > 30, "{} of 100 were sent away", sent_away.len());
        assert!(sent_away.iter().all(|answer| answer.headers.contains_key("retry-after")));
        assert!(answers.iter().all(|answer| [401, 503].contains(&answer.status)));
    }

    async fn whoever_guesses_passwords_has_to_wait_and_nobody_else(database: TestDatabase) {
        let service = Service::start_with(&database, |config| {
            config.http.sign_ins_per_account = 3;
            config.http.trusted_proxies = vec!["127.0.0.0/8".into()];
        }).await;
        service.sign_up("ann").await;
        for _ in 0..3 {
            assert_eq!(sign_in_from(&service, "192.0.2.1", "wrong").await.refused(401), "wrong_credentials");
        }
        let locked = sign_in_from(&service, "192.0.2.1", PASSWORD).await;
        let wait: u64 = locked.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((800..=900).contains(&wait), "{wait}");
        assert_eq!(locked.refused(429), "too_many_requests");
        sign_in_from(&service, "192.0.2.2", PASSWORD).await.expect(200);
    }

    async fn a_network_of_64_bits_is_one_guesser(database: TestDatabase) {
        let service = Service::start_with(&database, |config| {
            config.http.sign_ins_per_account = 3;
            config.http.trusted_proxies = vec!["127.0.0.0/8".into()];
        }).await;
        service.sign_up("ann").await;
        for host in 1..=3 {
            sign_in_from(&service, &format!("2001:db8:0:1::{host}"), "wrong").await.refused(401);
        }
        assert_eq!(sign_in_from(&service, "2001:db8:0:1:f::4", PASSWORD).await.refused(429), "too_many_requests");
        sign_in_from(&service, "2001:db8:0:2::1", PASSWORD).await.expect(200);
    }

    async fn a_right_password_begins_the_count_anew(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.sign_ins_per_account = 3).await;
        service.sign_up("ann").await;
        for _ in 0..3 {
            sign_in_from(&service, "", "wrong").await.refused(401);
            sign_in_from(&service, "", PASSWORD).await.expect(200);
        }
    }

    async fn a_forged_forwarded_header_changes_nothing(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.sign_ins_per_address = 3).await;
        service.sign_up("ann").await;
        for number in 1..=3 {
            sign_in_from(&service, &format!("192.0.2.{number}"), "wrong").await.refused(401);
        }
        assert_eq!(sign_in_from(&service, "192.0.2.9", PASSWORD).await.refused(429), "too_many_requests");
    }

    async fn a_proxy_is_believed_up_to_the_last_hop_that_is_none(database: TestDatabase) {
        let service = Service::start_with(&database, |config| {
            config.http.trusted_proxies = vec!["127.0.0.1".into(), "10.0.0.0/8".into()];
        }).await;
        service.sign_up("ann").await;
        for (forwarded, from) in [
            (b"203.0.113.7, 10.1.2.3".as_slice(), "203.0.113.7"),
            (b"198.51.100.1, 203.0.113.7", "203.0.113.7"),
            (b"::ffff:203.0.113.7", "203.0.113.7"),
            (b"203.0.113.7, rubbish, 10.1.2.3", "10.1.2.3"),
            // What is no text hides nothing that a proxy added to its line.
            (b"\xff, 203.0.113.7", "203.0.113.7"),
            (b"198.51.100.1, \xc3\xa4, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
            (b"203.0.113.7, \xff, 10.1.2.3", "10.1.2.3"),
            (b"", "127.0.0.1"),
        ] {
            let signed_in = sign_in_from(&service, forwarded, PASSWORD).await.expect(200);
            let ann = service.visitor(signed_in["token"].as_str().unwrap());
            let newest = ann.get("/api/auth/sessions").await.expect(200)["items"][0]["address"].clone();
            assert_eq!(newest.as_str().unwrap().parse::<IpAddr>().unwrap(), from.parse::<IpAddr>().unwrap(), "{}", forwarded.escape_ascii());
        }
    }

    async fn a_runaway_caller_is_braked_alone(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.calls_per_minute = 20).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let mut braked = None;
        for _ in 0..30 {
            let answer = ann.get("/api/auth/me").await;
            if answer.status == 429 {
                braked = Some(answer);
                break;
            }
        }
        let braked = braked.expect("a call too many");
        assert!(braked.headers.contains_key("retry-after"));
        assert_eq!(braked.refused(429), "too_many_requests");
        bob.get("/api/auth/me").await.expect(200);
    }

    async fn accounts_are_not_made_by_the_dozen(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.sign_ups_per_address = 2).await;
        service.sign_up("ann").await;
        service.sign_up("bob").await;
        let third = service.stranger().post("/api/auth/signup", crate::support::api::account("cleo")).await;
        assert_eq!(third.refused(429), "too_many_requests");
    }
}
