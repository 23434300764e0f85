//! Wrong calls get a clear refusal in the one shape, and do nothing.

use reqwest::Method;
use serde_json::json;

use crate::support::api::{PASSWORD, Service, account, send};
use crate::support::database::on_both;

const KEY: &str = "sk-test-0123456789abcdef";

on_both! {
    async fn a_body_that_cannot_be_read_is_refused(database: TestDatabase) {
        let service = Service::start_with(&database, |config| config.http.max_body_bytes = 4096).await;
        let ann = service.sign_up("ann").await;
        let post = |body: Vec<u8>| {
            let request = ann.request(Method::POST, "/api/ai-config").header("content-type", "application/json");
            send(request.body(body))
        };
        let deep = format!("{}{}", "[".repeat(2000), "]".repeat(2000));
        for (body, status, code) in [
            (b"{".to_vec(), 400, "malformed_json"),
            (b"".to_vec(), 400, "malformed_json"),
            (b"{\"provider\":\"openai\",\"apiKey\":\"k\",\"modelName\":\"m\"} {}".to_vec(), 400, "malformed_json"),
            (b"{\"provider\":\"\xff\xfe\"}".to_vec(), 400, "malformed_json"),
            (b"{\"provider\":\"\\ud800\"}".to_vec(), 400, "malformed_json"),
            (deep.into_bytes(), 422, "invalid_input"),
            (b"[\"custom\",\"a-key\",\"a-model\"]".to_vec(), 422, "invalid_input"),
            (b"[]".to_vec(), 422, "invalid_input"),
            (b"null".to_vec(), 422, "invalid_input"),
            (b"[\"openai\",\"a-key\",\"m\",null,null,null,true]".to_vec(), 422, "invalid_input"),
            (vec![b' '; 5000], 413, "payload_too_large"),
        ] {
            assert_eq!(post(body.clone()).await.refused(status), code, "{}", String::from_utf8_lossy(&body[..20.min(body.len())]));
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx"] {
            let request = ann.request(Method::POST, "/api/ai-config").header("content-type", kind).body("{}");
            assert_eq!(send(request).await.refused(415), "unsupported_media_type", "{kind}");
        }
        assert_eq!(ann.get("/api/ai-config").await.expect(200)["items"], json!([]));
    }

    async fn a_field_that_is_wrong_is_named_and_its_value_is_not_repeated(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let good = json!({ "provider": "openai", "apiKey": KEY, "modelName": "gpt-5-mini" });
        for (field, value, named) in [
            ("temperature", json!("hunter2hunter2"), "temperature"),
            ("temperature", json!(2.1), "temperature"),
            ("temperature", json!(-0.1), "temperature"),
            ("maxTokens", json!(0), "maxTokens"),
            ("maxTokens", json!(1.5), "maxTokens"),
            ("maxTokens", json!(9_000_000_000_000_i64), "maxTokens"),
            ("maxTokens", json!(1e300), "maxTokens"),
            ("isDefault", json!("hunter2hunter2"), "isDefault"),
            ("modelName", json!(["hunter2hunter2"]), "modelName"),
            ("modelName", json!("a\nb"), "modelName"),
            ("modelName", json!("a\u{0}b"), "modelName"),
            ("modelName", json!(" "), "modelName"),
            ("modelName", json!("m".repeat(201)), "modelName"),
            ("apiKey", json!("hunter2 hunter2"), "apiKey"),
            ("apiKey", json!(""), "apiKey"),
            ("apiKey", json!("k".repeat(513)), "apiKey"),
            ("baseUrl", json!("http://llm.example.com/v1"), "baseUrl"),
            ("baseUrl", json!("https://10.0.0.1/v1"), "baseUrl"),
            ("baseUrl", json!("https://u:hunter2@llm.example.com/v1"), "baseUrl"),
            ("baseUrl", json!("https://llm.example.com:8443/v1"), "baseUrl"),
            ("baseUrl", json!("file:///etc/passwd"), "baseUrl"),
        ] {
            let mut body = good.clone();
            body[field] = value;
            let refused = ann.post("/api/ai-config", body.clone()).await;
            assert!(!refused.body.to_string().contains("hunter2"), "{refused:?}");
            assert_eq!(refused.body["error"]["details"]["field"], named, "{body} {refused:?}");
            assert_eq!(refused.status, 422);
        }
        let mut unknown = good.clone();
        unknown["surprise"] = json!(1);
        let long = format!("hunter{}", "2".repeat(5000));
        let mut huge = good.clone();
        huge[&long] = json!(1);
        let mut twice = good.clone();
        twice["api_key"] = json!(KEY);
        let missing = json!({ "provider": "openai", "apiKey": KEY });
        for (body, told) in [
            (unknown, "`surprise` is not known here; known: one of `provider`, `apiKey`"),
            (huge, "is not known here"),
            (twice, "the call has the field `apiKey` twice"),
            (missing, "the call lacks the field `modelName`"),
            (json!([1]), "the call must be an object"),
            (json!({ "maxTokens": "5" }), "`maxTokens` must be a whole number"),
            (json!({ "temperature": "5" }), "`temperature` must be a number"),
            (json!({ "isDefault": "5" }), "`isDefault` must be true or false"),
            (json!({ "modelName": 5 }), "`modelName` must be a text"),
        ] {
            let refused = ann.post("/api/ai-config", body).await;
            let message = refused.body["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains(told) && message.len() < 400, "{message}");
            assert!(!told.contains("lacks") || refused.body["error"]["details"]["field"] == "modelName", "{refused:?}");
            assert_eq!(refused.refused(422), "invalid_input");
        }
        assert_eq!(ann.get("/api/ai-config").await.expect(200)["items"], json!([]));
        assert!(service.provider.checks().is_empty());
    }

    async fn a_parameter_that_is_wrong_is_named(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        for (query, named) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=hunter2", "limit"),
            ("limit=99999999999999999999", "limit"),
            ("limit=1&limit=2", "."),
            ("limit=%ff", "limit"),
            ("cursor=hunter2", "cursor"),
            ("surprise=hunter2", "surprise"),
        ] {
            let refused = ann.get(&format!("/api/notices?{query}")).await;
            assert!(!refused.body.to_string().contains("hunter2"), "{refused:?}");
            assert_eq!(refused.body["error"]["details"]["field"], named, "{query} {refused:?}");
            assert_eq!(refused.refused(422), "invalid_input");
        }
    }

    async fn a_parameter_of_another_kind_is_told_which_kind_it_must_be(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        for (query, told) in [
            ("limit=hunter2", "`limit` must be a whole number"),
            ("limit=", "`limit` must be a whole number"),
            ("limit=99999999999999999999", "`limit` must be a smaller number"),
            ("mailbox=hunter2", "`mailbox` must be an id"),
            ("state=hunter2", "`state` must be one of `queued`"),
            ("since=hunter2", "`since` must be a time"),
        ] {
            let refused = ann.get(&format!("/api/runs?{query}")).await;
            assert!(refused.body["error"]["message"].as_str().unwrap().starts_with(told), "{refused:?}");
            assert_eq!(refused.refused(422), "invalid_input");
        }
        let retry = ann.post("/api/runs/01890a5d-ac96-774b-bcce-b302099a8057/retry?resend=hunter2", json!({})).await;
        assert_eq!(retry.body["error"]["message"], "`resend` must be true or false");
    }

    async fn an_account_needs_an_address_a_name_and_a_password_of_some_length(database: TestDatabase) {
        let service = Service::start(&database).await;
        for (field, value) in [
            ("email", json!("no address")),
            ("email", json!("ann@owner.test\r\nBcc: x@y.test")),
            ("email", json!(7)),
            ("name", json!("")),
            ("name", json!("a\tb")),
            ("password", json!("short")),
            ("password", json!("x".repeat(129))),
            ("password", json!("password")),
            ("password", json!("qwertyuiop")),
            ("password", json!("iloveyou1")),
            ("password", json!(null)),
        ] {
            let mut body = account("ann");
            body[field] = value;
            let refused = service.stranger().post("/api/auth/signup", body.clone()).await;
            assert_eq!(refused.body["error"]["details"]["field"], field, "{body}");
            assert_eq!(refused.refused(422), "invalid_input");
        }
        assert!(service.store.has_no_users().await.unwrap());
    }

    async fn what_is_not_there_is_not_found(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        for path in ["/", "/api", "/api/nothing", "/api/ai-config/", "/api/ai-config/7", "/api/ai-config/%00", "/api/ai-config/%ff%fe",
            "/api/ai-config/01890a5d-ac96-774b-bcce-b302099a8057", "/api/ai-config/../../etc/passwd"] {
            assert_eq!(ann.get(path).await.refused(404), "not_found", "{path}");
        }
        let wrong = ann.call(Method::PATCH, "/api/ai-config", None).await;
        let allowed = wrong.headers["allow"].to_str().unwrap().to_owned();
        assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
        assert_eq!(wrong.refused(405), "method_not_allowed");
    }

    async fn every_answer_has_an_id_and_is_not_kept(database: TestDatabase) {
        let service = Service::start(&database).await;
        let stranger = service.stranger();
        let (first, second) = (stranger.get("/api/auth/me").await, stranger.get("/nothing").await);
        assert_ne!(first.headers["x-request-id"], second.headers["x-request-id"]);
        for header in ["cache-control", "x-content-type-options", "referrer-policy", "content-security-policy", "permissions-policy"] {
            assert!(first.headers.contains_key(header) && second.headers.contains_key(header), "{header}");
        }
        assert!(!first.headers.contains_key("strict-transport-security"), "there is no TLS in front of it");
        let request = stranger.request(Method::GET, "/api/auth/me").header("origin", "https://evil.example");
        assert!(!send(request).await.headers.contains_key("access-control-allow-origin"));
    }

    async fn behind_tls_browsers_are_told_to_stay_there(database: TestDatabase) {
        let url = "https://postkey.example.org";
        let service = Service::start_with(&database, |config| config.http.public_url = Some(url.into())).await;
        let answer = service.stranger().get("/api/auth/me").await;
        assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000");
    }

    async fn only_listed_front_ends_may_call_from_a_browser(database: TestDatabase) {
        let origin = "https://app.example.org";
        let service = Service::start_with(&database, |config| config.http.allowed_origins = vec![origin.into()]).await;
        let preflight = |origin: &str| {
            let request = service.stranger().request(Method::OPTIONS, "/api/auth/login");
            let request = request.header("access-control-request-headers", "authorization,x-stainless-lang");
            send(request.header("origin", origin).header("access-control-request-method", "POST"))
        };
        assert_eq!(preflight(origin).await.headers["access-control-allow-headers"], "authorization,x-stainless-lang");
        assert_eq!(preflight(origin).await.headers["access-control-allow-origin"], origin);
        assert!(!preflight("https://evil.example").await.headers.contains_key("access-control-allow-origin"));
        let body = json!({ "email": "x@owner.test", "password": PASSWORD });
        let request = service.stranger().request(Method::POST, "/api/auth/login").header("origin", origin).json(&body);
        let answer = send(request).await;
        assert_eq!(answer.headers["access-control-allow-origin"], origin);
        let shown = answer.headers["access-control-expose-headers"].to_str().unwrap();
        for name in ["retry-after", "x-should-retry", "x-request-id"] {
            assert!(shown.contains(name), "{name} is not in {shown}");
        }
        // What OpenAI's client library sends from a browser.
        let library = service.stranger().request(Method::OPTIONS, "/api/v1/chat/completions").header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-stainless-lang");
        assert_eq!(send(library).await.headers["access-control-allow-headers"], "authorization,content-type,x-stainless-lang");
    }
}
