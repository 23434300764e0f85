//! The way back in a real browser, which alone decides what a cookie of `SameSite=Lax` goes along with (SR-12).

use super::{CALLBACK, COOKIE, Scene, configurations};
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::front::{Front, Site};

/// A page of the same site with a button for whoever is signed in, which is pressed at once.
fn page(token: &str) -> String {
    format!(
        "<!doctype html><title>A front end</title><button>Connect OpenRouter</button><script>
        document.querySelector('button').onclick = async () => {{
            const headers = {{ 'Content-Type': 'application/json', 'Authorization': 'Bearer {token}' }};
            const asked = await fetch('/api/openrouter/connect', {{ method: 'POST', headers, body: '{{}}' }});
            location = (await asked.json()).authorize_url;
        }};
        document.querySelector('button').click();
        </script>"
    )
}

async fn open(database: &TestDatabase) -> (Scene, Site) {
    let front = Front::bind().await;
    let scene = Scene::open_with(database, |config| config.http.public_url = Some(front.url())).await;
    let site = front.serve(scene.service.address(), page(&scene.ann.token));
    (scene, site)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_comes_back_from_openrouter_once() {
    let database = TestDatabase::sqlite().await;
    let (scene, site) = open(&database).await;
    let mut browser = Browser::start().await;
    browser.open(&site.url).await;
    browser.until_seen("<h1>OpenRouter is connected</h1>").await;
    assert_eq!(configurations(&scene.ann).await.len(), 1);

    let visits = site.visits_below("/oauth/");
    let [back, end] = visits.as_slice() else { panic!("{visits:?}") };
    assert!(back.target.starts_with(&format!("{CALLBACK}?code=")), "{back:?}");
    assert_eq!(back.headers["sec-fetch-site"], "cross-site");
    assert!(back.headers["cookie"].to_str().unwrap().starts_with(&format!("{COOKIE}=")));
    // No code, no cookie, and nothing that says where it came from.
    assert_eq!(end.target, "/oauth/openrouter/connected");
    assert!(!end.headers.contains_key("cookie") && !end.headers.contains_key("referer"), "{end:?}");

    for mut browser in [browser, Browser::start().await] {
        browser.open(&format!("{}{}", site.url, back.target)).await;
        browser.until_seen("<h1>OpenRouter is not connected</h1>").await;
        browser.close().await;
    }
    assert_eq!((scene.openrouter.granted().len(), scene.openrouter.calls_of("/auth/keys")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_consent_comes_back_to_a_page_that_says_so() {
    let database = TestDatabase::sqlite().await;
    let (scene, site) = open(&database).await;
    scene.openrouter.refuse_consents();
    let mut browser = Browser::start().await;
    browser.open(&site.url).await;
    browser.until_seen("<h1>OpenRouter is not connected</h1>").await;
    browser.close().await;
    assert_eq!(site.visits_below(CALLBACK).len(), 1);
    scene.check_nothing_is_connected(&scene.ann).await;
    assert!(scene.openrouter.calls().is_empty());
}
