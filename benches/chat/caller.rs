//! Whoever chats: owners through Postkey, or somebody with the provider itself.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

use super::loopback::Failure;
use super::provider::millis;

/// Enough for the crowd, each with as many chats as one may have.
const OWNERS: u32 = 6;
const PATIENCE: Duration = Duration::from_secs(60);
const PASSWORD: &str = "a long bench password";

#[derive(Clone)]
pub struct Caller {
    client: Client,
    url: String,
    token: String,
}

/// One chat, as it was read.
pub struct Chat {
    /// From the question to the first byte of the answer's first event, in milliseconds.
    pub first_byte: f64,
    /// How late each word was, in milliseconds.
    pub delays: Vec<f64>,
    /// Whether the answer said that it was complete.
    pub is_complete: bool,
}

impl Caller {
    pub fn of_provider(base_url: &str) -> Result<Self, Failure> {
        let url = format!("{base_url}/chat/completions");
        Ok(Self { client: client()?, url, token: "sk-of-the-bench-0123456789".into() })
    }

    /// Owners with accounts and AI configurations at this provider.
    pub async fn sign_up(address: SocketAddr, base_url: &str) -> Result<Vec<Self>, Failure> {
        let (base, client) = (format!("http://{address}"), client()?);
        let mut owners: Vec<Self> = Vec::new();
        for number in 0..OWNERS {
            let mut account = json!({ "email": format!("owner-{number}@bench.test"), "password": PASSWORD, "name": "Owner" });
            if let (Some(first), Some(account)) = (owners.first(), account.as_object_mut()) {
                let invite =
                    post(client.post(format!("{base}/api/invites")), &first.token, &json!({})).await?;
                account.insert("invite".into(), invite.get("token").cloned().unwrap_or_default());
            }
            let made = until_signed_up(&client, &base, &account).await?;
            let token = made.get("token").and_then(Value::as_str).ok_or("no token")?.to_owned();
            let configuration = json!({
                "provider": "custom", "apiKey": format!("sk-of-owner-{number}-0123456789"), "modelName": "m",
                "baseUrl": base_url,
            });
            post(client.post(format!("{base}/api/ai-config")), &token, &configuration).await?;
            let url = format!("{base}/api/v1/chat/completions");
            owners.push(Self { client: client.clone(), url, token });
        }
        Ok(owners)
    }

    /// A chat whose answer has so many words.
    pub async fn chat(&self, words: u32) -> Result<Chat, Failure> {
        let question = json!({ "model": "m", "stream": true, "messages": [{ "role": "user", "content": words.to_string() }] });
        let asked = Instant::now();
        let mut response: Response = self
            .client
            .post(&self.url)
            .bearer_auth(&self.token)
            .json(&question)
            .send()
            .await?
            .error_for_status()?;
        let mut chat = Chat { first_byte: 0.0, delays: Vec::new(), is_complete: false };
        let mut text = String::new();
        while let Some(chunk) = response.chunk().await? {
            if chat.first_byte == 0.0 {
                chat.first_byte = asked.elapsed().as_secs_f64() * 1000.0;
            }
            text.push_str(std::str::from_utf8(&chunk)?);
            while let Some((event, rest)) = text.split_once("\n\n") {
                chat.take(event);
                text = rest.to_owned();
            }
        }
        Ok(chat)
    }
}

impl Chat {
    fn take(&mut self, event: &str) {
        let data = event.strip_prefix("data: ").unwrap_or_default();
        self.is_complete |= data == "[DONE]";
        let piece: Value = serde_json::from_str(data).unwrap_or_default();
        let said = piece.pointer("/choices/0/delta/content").and_then(Value::as_str);
        if let Some(sent) = said.and_then(|said| said.trim().parse::<i64>().ok()) {
            #[expect(clippy::cast_precision_loss, reason = "some milliseconds")]
            self.delays.push((millis() - sent) as f64);
        }
    }
}

async fn until_signed_up(client: &Client, base: &str, account: &Value) -> Result<Value, Failure> {
    let began = Instant::now();
    loop {
        match client.post(format!("{base}/api/auth/signup")).json(account).send().await {
            Ok(response) => return Ok(response.error_for_status()?.json().await?),
            Err(error) if began.elapsed() > PATIENCE => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn post(request: RequestBuilder, token: &str, body: &Value) -> Result<Value, Failure> {
    Ok(request.bearer_auth(token).json(body).send().await?.error_for_status()?.json().await?)
}

#[expect(clippy::disallowed_methods, reason = "the client of a benchmark is no part of the product")]
fn client() -> Result<Client, Failure> {
    postkey::net::install_crypto();
    Ok(Client::builder().no_proxy().timeout(PATIENCE).build()?)
}

/// Of figures; zero where there are none.
pub fn percentile(figures: &mut [f64], part: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a short list")]
    let position = (figures.len().saturating_sub(1) as f64 * part).round() as usize;
    figures.get(position).copied().unwrap_or_default()
}
