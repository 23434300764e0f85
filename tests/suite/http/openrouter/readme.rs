//! The examples of the README do what it says.

use serde_json::Value;

use super::Scene;
use crate::support::database::TestDatabase;
use crate::support::readme::run_example;

async fn run(scene: &Scene, path: &str, code: &str) -> Value {
    let variables = [("TOKEN", scene.ann.token.as_str()), ("CODE", code)];
    let printed = run_example(scene.service.address(), path, &variables).await;
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}"))
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
