//! The whole story: a click, a mail, a reply that the connected key has paid for.

use postkey::store::RunState;
use serde_json::json;

use super::{configurations, rows};
use crate::http::account::give_password;
use crate::support::api::{PASSWORD, Visitor};
use crate::support::database::on_both;
use crate::support::office::Office;
use crate::support::openrouter::{OpenRouter, PRICE};

on_both! {
    async fn a_reply_is_paid_for_by_the_key_that_was_connected(database: TestDatabase) {
        let openrouter = OpenRouter::start().await;
        let mut office = Office::open(&database).await;
        openrouter.stand_in(&mut office.config);
        office.config.provider.app_url = Some("https://postkey.example.org".into());
        let ann = office.hire_without_key("ann@shop.test").await;
        give_password(&office.store, ann.user, "ann@owner.test").await;
        let served = office.serve().await;
        office.deliver(&ann, 1);
        office.until_reason(&ann, RunState::Waiting, "no_key", 1).await;

        let sign_in = json!({ "email": "ann@owner.test", "password": PASSWORD });
        let signed_in = Visitor::at(served.address, "").post("/api/auth/login", sign_in).await.expect(200);
        let visitor = Visitor::at(served.address, signed_in["token"].as_str().unwrap());
        let asked = visitor.post("/api/openrouter/connect", json!({ "headless": true })).await.expect(200);
        let code = openrouter.consent(asked["authorize_url"].as_str().unwrap());
        let made = visitor.post("/api/openrouter/exchange", json!({ "code": code })).await.expect(200);

        // What waited for a key is answered at once.
        office.until_counted(&ann, RunState::Replied, 1).await;
        office.check_answered_once([1]);
        let key = openrouter.granted().remove(0);
        assert_eq!(openrouter.account(&key).remaining, Some(5.0 - PRICE));
        let calls = openrouter.calls();
        let paid = calls.iter().find(|call| call.path == "/chat/completions").unwrap();
        assert_eq!(paid.headers["authorization"].to_str().unwrap(), format!("Bearer {key}"));
        assert_eq!(paid.headers["x-openrouter-title"], "Postkey");
        assert_eq!(paid.headers["http-referer"], "https://postkey.example.org");
        assert!(office.provider.calls().is_empty() && office.open_notices(&ann).await.is_empty());

        let path = format!("/api/ai-config/{}", made["id"].as_str().unwrap());
        visitor.call(reqwest::Method::POST, &format!("{path}/verify"), None).await.expect(200);
        let shown = configurations(&visitor).await.remove(0);
        assert_eq!((shown["limits"]["limit"].as_f64(), shown["limits"]["limit_remaining"].as_f64()), (Some(5.0), Some(5.0 - PRICE)));
        assert_eq!(rows(&database, "key_limits").await, 1);
        served.end().await;
    }
}
