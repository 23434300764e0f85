//! The examples of the README do what they say.

use serde_json::json;

use crate::support::api::Service;
use crate::support::database::on_both;
use crate::support::readme::run_block;

on_both! {
    async fn keys_and_tokens_are_used_as_the_readme_shows(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
        let config = ann.post("/api/ai-config", config).await.expect(201);
        let variables = [("TOKEN", ann.token.as_str()), ("CONFIG", config["id"].as_str().unwrap())];
        let heading = "### Keys for programs, tokens for front ends";
        let printed = run_block(service.address(), heading, &variables).await;
        let has_verified = printed.contains("{\"verified\":true,\"reason\":null}");
        assert!(has_verified && printed.contains("\"items\":[]") && printed.ends_with("{\"revoked\":1}"), "{printed}");
        let keys = ann.get("/api/v1/api-keys").await.expect(200);
        assert_eq!((&keys["items"][0]["state"], &keys["items"][1]["state"]), (&json!("active"), &json!("rotated")));
    }
}
