//! What it costs to see who calls (SR-41, SR-50): the same call, which finds nothing, with each kind of credential, one
//! call at a time. The check is a part of it; the whole is measured, as a client sees it.

use std::time::Instant;

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::calls::Caller;
use super::loopback::Failure;
use super::loopback::database::Kind;
use super::reads::tell;

const CALLS: u32 = 3000;
/// Not counted.
const WARM_UP: u32 = 300;
/// No agent has this id.
const PATH: &str = "/api/automation/agents/01890a5d-ac96-774b-bcce-b302099a8057/preview";

pub async fn measure(kind: Kind, caller: &Caller) -> Result<(), Failure> {
    let key = json!({ "name": "bench", "scopes": ["agents:write"], "expiresAt": "never" });
    let key = text(&caller.make("/api/v1/api-keys", &key).await?, "/key")?;
    let config = text(&caller.get("/api/ai-config").send().await?.json().await?, "/items/0/id")?;
    let token = json!({ "purpose": "agent.preview", "configId": config });
    let free = text(&caller.make("/api/v1/security-tokens", &token).await?, "/token")?;
    let counted = json!({ "purpose": "agent.preview", "configId": config, "maxUses": 1_000_000 });
    let counted = text(&caller.make("/api/v1/security-tokens", &counted).await?, "/token")?;
    println!("\n{}: {CALLS} calls one after the other (aim: a check of less than 1 ms)", kind.word());
    println!("| credential | calls | p50 | p99 | most | load |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let nobody = caller.with("nobody");
    let credentials = [
        ("none that is good", nobody, 401),
        ("session", caller.clone(), 404),
        ("platform API key", caller.with(&key), 404),
        ("security token", caller.with(&free), 404),
        ("security token with maxUses: a durable commit each", caller.with(&counted), 404),
    ];
    for (what, caller, status) in credentials {
        let call = || caller.post(PATH).json(&json!({ "mail": "From: a@b.test\n\nWhat now?" }));
        one_by_one(WARM_UP, status, call).await?;
        tell(what, one_by_one(CALLS, status, call).await?);
    }
    Ok(())
}

/// In milliseconds.
async fn one_by_one(calls: u32, status: u16, call: impl Fn() -> RequestBuilder) -> Result<Vec<f64>, Failure> {
    let mut took = Vec::new();
    for _ in 0..calls {
        let began = Instant::now();
        let response = call().send().await?;
        let answered = response.status().as_u16();
        let _body = response.bytes().await?;
        if answered != status {
            return Err(format!("a call was answered with {answered} in place of {status}").into());
        }
        took.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(took)
}

fn text(answer: &Value, pointer: &str) -> Result<String, Failure> {
    let text = answer.pointer(pointer).and_then(Value::as_str);
    Ok(text.ok_or_else(|| format!("no {pointer} in {answer}"))?.to_owned())
}
