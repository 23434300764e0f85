//! What is no token of ours, or not any more what it was: nobody but this server can make one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postkey::vault::Vault;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{assert_refused, configure, make, token, verify, wanted};
use crate::support::api::Service;
use crate::support::database::on_both;
use crate::support::raw::{execute, texts};
use crate::support::world::test_vault;

/// What stands in a token, with some of it changed; sealed again.
fn with(token: &str, changes: Value) -> String {
    let vault = test_vault();
    let contents = vault.open_security_token(token).unwrap();
    let mut contents: Value = serde_json::from_str(contents.expose_secret()).unwrap();
    contents.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    vault.seal_security_token(&SecretString::from(contents.to_string())).unwrap()
}

on_both! {
    async fn what_is_no_token_of_ours_is_refused(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let made = make(&ann, wanted(&config)).await;
        let token = token(&made);
        let (begin, sealed) = token.rsplit_once('.').unwrap();
        let foreign = Vault::single("k1", [7; 32]).unwrap();
        let contents = test_vault().open_security_token(token).unwrap();
        let mut bad = vec![
            "pkst1.".to_owned(), "pkst1.k1.".to_owned(), "pkst1.k1.AAAA".to_owned(), "pkst1..".to_owned(),
            token[..token.len() - 1].to_owned(), token[1..].to_owned(), format!("{token}A"), format!("{token}="),
            format!("pkst1.k2.{sealed}"), format!("pkst2.k1.{sealed}"), format!("{begin}.{begin}.{sealed}"),
            format!("pkst1.k1.{}", "A".repeat(5000)), "nothing".to_owned(),
            foreign.seal_security_token(&contents).unwrap(),
        ];
        bad.extend((0..sealed.len()).step_by(7).map(|at| {
            let other = if &sealed[at..=at] == "A" { "B" } else { "A" };
            format!("{begin}.{}{other}{}", &sealed[..at], &sealed[at + 1..])
        }));
        for token in bad {
            assert_refused(verify(&service, &token, &config).await);
        }
        verify(&service, token, &config).await.expect(200);
    }

    async fn what_stands_in_a_token_has_to_be_true(database: TestDatabase) {
        let service = Service::start(&database).await;
        let (ann, bob) = (service.sign_up("ann").await, service.sign_up("bob").await);
        let (config, bobs) = (configure(&service, &ann).await, configure(&service, &bob).await);
        let made = make(&ann, wanted(&config)).await;
        let bob = bob.get("/api/auth/me").await.expect(200)["id"].clone();
        let now = service.store.clock().now().millis() / 1000;
        for (changes, config) in [
            (json!({ "tid": bob, "uid": bob }), &config),
            (json!({ "uid": bob }), &config),
            (json!({ "cfg": bobs }), &bobs),
            (json!({ "tid": bob, "uid": bob, "cfg": bobs }), &bobs),
            (json!({ "pur": "chat.completion" }), &config),
            (json!({ "pur": "everything" }), &config),
            (json!({ "jti": "AAAAAAAAAAAAAAAAAAAAAA" }), &config),
            (json!({ "exp": now - 1 }), &config),
            (json!({ "exp": now }), &config),
            (json!({ "nbf": now + 60 }), &config),
            // The clock was set back since.
            (json!({ "iat": now + 3600 }), &config),
            (json!({ "cfg": null, "keys": { "openai": "sk-abc" } }), &config),
            (json!({ "ip": ["203.0.113.7"] }), &config),
            (json!({ "ip": ["no network"] }), &config),
        ] {
            assert_refused(verify(&service, &with(token(&made), changes.clone()), config).await);
        }
        // Clocks of two servers may differ a little.
        for good in [json!({ "iat": now + 20 }), json!({ "nbf": now + 20 }), json!({ "exp": now + 30 })] {
            verify(&service, &with(token(&made), good), &config).await.expect(200);
        }
        execute(&database, &format!("UPDATE security_tokens SET expires_at = {}", now * 1000)).await;
        assert_refused(verify(&service, token(&made), &config).await);
    }

    async fn a_token_in_the_place_of_a_stored_key_does_not_open_and_the_reverse(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = configure(&service, &ann).await;
        let made = make(&ann, wanted(&config)).await;
        let stored = texts(&database, "SELECT api_key FROM ai_configurations").await.remove(0);
        let data = stored.rsplit_once('.').unwrap().1;
        let wrapped = stored.split('.').nth(2).unwrap();
        for pasted in [stored.clone(), format!("pkst1.k1.{data}"), format!("pkst1.k1.{wrapped}")] {
            assert_refused(verify(&service, &pasted, &config).await);
        }
        let sealed = token(&made).rsplit_once('.').unwrap().1;
        for pasted in [token(&made).to_owned(), format!("v1.k1.{wrapped}.{sealed}"), format!("v1.k1.{sealed}.{data}"), format!("v1.k1.{sealed}.{sealed}")] {
            execute(&database, &format!("UPDATE ai_configurations SET api_key = '{pasted}'")).await;
            assert_eq!(ann.post(&format!("/api/ai-config/{config}/verify"), json!({})).await.refused(500), "internal");
        }
        assert_eq!(service.provider.checks().len(), 1, "nothing was opened and sent");
        for ours in [token(&made), "pk_sk_Ab12Cd34Ef_0123456789ABCDEFGHIJKLMNOPQRST3LzHOE"] {
            let body = json!({ "apiKey": ours });
            let refused = ann.put(&format!("/api/ai-config/{config}"), body).await;
            assert_eq!(refused.refused(422), "key_refused", "{ours}");
        }
        assert_eq!(service.provider.checks().len(), 1, "what opens our own doors is sent to nobody");
    }
}

#[test]
fn a_flipped_bit_anywhere_is_seen() {
    let vault = test_vault();
    let token =
        vault.seal_security_token(&SecretString::from("{\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\"}")).unwrap();
    let (begin, sealed) = token.rsplit_once('.').unwrap();
    let sealed = URL_SAFE_NO_PAD.decode(sealed).unwrap();
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1 << bit;
            let flipped = format!("{begin}.{}", URL_SAFE_NO_PAD.encode(flipped));
            assert!(vault.open_security_token(&flipped).is_err(), "bit {bit} of byte {at}");
        }
    }
    assert!(vault.open_security_token(&token).is_ok());
}
