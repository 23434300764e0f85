//! The examples of the README do what it says.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::Scene;
use crate::support::database::TestDatabase;

const README: &str = include_str!("../../../../README.md");

/// The command of the README that calls this path, with its continuation lines.
fn example(path: &str) -> String {
    let mut lines = README.lines().skip_while(|line| !(line.starts_with("curl") && line.contains(path)));
    let mut command = String::new();
    for line in lines.by_ref() {
        command.push_str(line);
        command.push('\n');
        if !line.ends_with('\\') {
            break;
        }
    }
    assert!(!command.is_empty(), "the README has no example of {path}");
    command
}

async fn run(scene: &Scene, path: &str, code: &str) -> Value {
    let command = example(path).replace("localhost:8080", &scene.service.address().to_string());
    let shell = Command::new("sh")
        .arg("-c")
        .arg(command)
        .env("TOKEN", &scene.ann.token)
        .env("CODE", code)
        .stdin(Stdio::null())
        .output();
    let output = shell.await.unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_examples_connect_openrouter() {
    let database = TestDatabase::sqlite().await;
    let scene = Scene::open(&database).await;
    let asked = run(&scene, "/api/openrouter/connect", "").await;
    let code = scene.openrouter.consent(asked["authorize_url"].as_str().unwrap());
    let made = run(&scene, "/api/openrouter/exchange", &code).await;
    assert_eq!(
        (made["provider"].as_str(), made["limits"]["limit"].as_f64()),
        (Some("openrouter"), Some(5.0))
    );
}
