//! The examples of the README do what they say.

use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::support::api::Service;
use crate::support::database::on_both;

const README: &str = include_str!("../../../README.md");
const ADDRESS: &str = "localhost:8080";

/// The first block of commands below a heading.
fn commands(heading: &str) -> &'static str {
    let section = README.split_once(&format!("\n{heading}\n")).unwrap().1;
    section.split_once("```console\n").unwrap().1.split_once("```").unwrap().0
}

on_both! {
    async fn keys_and_tokens_are_used_as_the_readme_shows(database: TestDatabase) {
        let service = Service::start(&database).await;
        let ann = service.sign_up("ann").await;
        let config = json!({ "provider": "custom", "apiKey": "a-key", "modelName": "m", "baseUrl": service.provider.base_url() });
        let config = ann.post("/api/ai-config", config).await.expect(201);
        let commands = commands("### Keys for programs, tokens for front ends");
        let commands = commands.replace(ADDRESS, &service.address().to_string());
        let done = Command::new("bash").args(["-euo", "pipefail", "-c", &commands])
            .env("TOKEN", &ann.token).env("CONFIG", config["id"].as_str().unwrap())
            .stdin(Stdio::null()).output().await.unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{out}{err}");
        assert!(out.contains("\"items\":[]") && out.contains("{\"verified\":true,\"reason\":null}") && out.ends_with("{\"revoked\":1}"), "{out}");
        let keys = ann.get("/api/v1/api-keys").await.expect(200);
        assert_eq!((&keys["items"][0]["state"], &keys["items"][1]["state"]), (&json!("active"), &json!("rotated")));
    }
}
