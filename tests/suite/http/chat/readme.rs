//! The example of the README does what it says.

use super::{PATH, settle};
use crate::support::api::Service;
use crate::support::database::TestDatabase;
use crate::support::readme::run_example;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_chats() {
    let database = TestDatabase::sqlite().await;
    let service = Service::start(&database).await;
    let ann = settle(&service, "ann").await;
    let printed = run_example(service.address(), PATH, &[("TOKEN", &ann.token)]).await;
    assert!(
        printed.contains("\"content\":\"spring \"") && printed.ends_with("data: [DONE]\n\n"),
        "{printed}"
    );
    service.end().await;
}
