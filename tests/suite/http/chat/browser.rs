//! A chat in a page of another site: what a browser lets it do, and that no key is in it.

use serde_json::json;

use super::{KEY, settle};
use crate::support::api::Service;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::front::Front;

/// What a chat component does; with a header such as client libraries add.
const COMPONENT: &str = "
    const chat = async (url, token, words) => {
        const headers = { 'Content-Type': 'application/json', 'X-Security-Token': token, 'X-Stainless-Lang': 'js' };
        const body = JSON.stringify({ messages: [{ role: 'user', content: words }], stream: true });
        const answer = await fetch(url, { method: 'POST', headers, body });
        let said = '';
        for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) said += piece;
        const events = said.split('\\n\\n').filter((event) => event.startsWith('data: {'));
        return events.map((event) => JSON.parse(event.slice(6)).choices[0]?.delta?.content ?? '').join('');
    };
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_another_site_chats_with_a_security_token() {
    let database = TestDatabase::sqlite().await;
    let front = Front::bind().await;
    let service =
        Service::start_with(&database, |config| config.http.allowed_origins = vec![front.url()]).await;
    let ann = settle(&service, "ann").await;
    let config = ann.get("/api/ai-config").await.expect(200)["items"][0]["id"].clone();
    let wanted = json!({ "purpose": "chat.completion", "configId": config, "maxUses": 1 });
    let token = ann.post("/api/v1/security-tokens", wanted).await.expect(201)["token"].clone();
    let url = format!("http://{}{}", service.address(), super::PATH);
    let page = format!(
        "<!doctype html><title>A front end</title><p>..</p><script>{COMPONENT}
        chat('{url}', {token}, 'Is it open?').then((words) => document.querySelector('p').append(words));
        </script>"
    );
    let site = front.serve(service.address(), page);
    let mut browser = Browser::start().await;
    browser.open(&site.url).await;
    browser.until_seen("<p>..Answer to: Is it open?</p>").await;
    browser.close().await;
    assert_eq!(service.provider.calls_of(KEY).len(), 1);
    service.end().await;
}
