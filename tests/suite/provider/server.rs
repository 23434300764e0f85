//! A provider that does what its script says, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use postkey::config;
use postkey::net::{Guard, HttpClients};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What to do with one request.
#[derive(Clone)]
pub enum Step {
    /// Answer with this status, these header lines and this body.
    Answer(u16, Vec<String>, Vec<u8>),
    /// Send these bytes, each on its own.
    Pieces(Vec<Vec<u8>>),
    /// Promise a long body, send this much of it, and leave.
    Cut(Vec<u8>),
    /// Leave without a word.
    Leave,
    /// Send blank lines for ever.
    KeepAlive,
    /// Say nothing for ever.
    Hang,
}

impl Step {
    /// A JSON answer.
    pub fn json(status: u16, body: Value) -> Self {
        Self::Answer(status, Vec::new(), body.to_string().into_bytes())
    }

    /// The same with one more header line.
    pub fn with(mut self, header: &str) -> Self {
        if let Self::Answer(_, headers, _) = &mut self {
            headers.push(header.to_owned());
        }
        self
    }

    /// A usual success.
    pub fn says(text: &str) -> Self {
        let message = json!({ "role": "assistant", "content": text, "refusal": null });
        Self::json(
            200,
            json!({
                "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-5.5-2026",
                "choices": [{ "index": 0, "finish_reason": "stop", "message": message }],
                "usage": {
                    "prompt_tokens": 13, "completion_tokens": 18, "total_tokens": 31,
                    "prompt_tokens_details": { "cached_tokens": 5 },
                    "completion_tokens_details": { "reasoning_tokens": 7 },
                },
            }),
        )
    }
}

/// One request as it came.
#[derive(Clone)]
pub struct Asked {
    /// `POST /v1/chat/completions HTTP/1.1`
    pub line: String,
    /// Header lines.
    pub headers: Vec<String>,
    /// The JSON.
    pub body: Value,
}

/// A provider on loopback; steps beyond the script repeat the last one.
pub struct Server {
    /// Its `host:port`.
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts it with a script.
    pub async fn start(script: impl IntoIterator<Item = Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script = Arc::new(Mutex::new(script.into_iter().collect::<VecDeque<_>>()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&seen)));
            }
        });
        Self { address, asked }
    }

    /// The base URL for a call.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Everything that it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Clients that may reach it.
    pub fn clients(&self, limits: &config::Provider) -> HttpClients {
        clients(limits, &self.address)
    }
}

/// Clients with one private endpoint.
pub fn clients(limits: &config::Provider, endpoint: &str) -> HttpClients {
    let private_endpoints = vec![endpoint.to_owned()];
    let network = config::Network { private_endpoints, ..config::Network::default() };
    HttpClients::new(limits, Guard::new(&network).unwrap()).unwrap()
}

async fn serve(stream: TcpStream, script: Arc<Mutex<VecDeque<Step>>>, asked: Arc<Mutex<Vec<Asked>>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read(&mut stream).await {
        asked.lock().unwrap().push(request);
        let step = {
            let mut script = script.lock().unwrap();
            if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
        };
        if !act(stream.get_mut(), step).await {
            return;
        }
    }
}

/// Whether the connection goes on.
async fn act(stream: &mut TcpStream, step: Step) -> bool {
    match step {
        Step::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            headers.iter().for_each(|line| head.push_str(&format!("{line}\r\n")));
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).await.is_ok() && stream.write_all(&body).await.is_ok()
        }
        Step::Cut(body) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n").await;
            let _ = stream.write_all(&body).await;
            false
        }
        Step::Pieces(pieces) => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
            for piece in pieces {
                let _ = stream.write_all(&piece).await;
                let _ = stream.flush().await;
                tokio::task::yield_now().await;
            }
            false
        }
        Step::Leave => false,
        Step::KeepAlive => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
            while stream.write_all(b"1\r\n\n\r\n").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            false
        }
        Step::Hang => std::future::pending().await,
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(Asked { line: lines.remove(0), headers: lines, body })
}
