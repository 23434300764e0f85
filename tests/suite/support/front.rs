//! A site as people run it: TLS, a front end's page of its own, and Postkey behind it.
//!
//! ```ignore
//! let front = Front::bind().await;
//! let service = Service::start_with(&database, |config| config.http.public_url = Some(front.url())).await;
//! let site = front.serve(service.address(), page);
//! ```

use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State as Shared};
use axum::http::HeaderMap;
use axum::response::{Html, Response};
use axum::routing::get;
use axum::serve::Listener;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::Certificate;

/// A site whose address is known, and nothing else.
pub struct Front {
    listener: TcpListener,
    url: String,
}

/// A site that is open; it ends when it is dropped.
pub struct Site {
    /// Where it is, without a slash at its end.
    pub url: String,
    visits: Visits,
    serving: JoinHandle<()>,
}

/// What a browser sent to Postkey.
#[derive(Clone, Debug)]
pub struct Visit {
    /// The path, with what stands behind it.
    pub target: String,
    /// The headers.
    pub headers: HeaderMap,
}

type Visits = Arc<Mutex<Vec<Visit>>>;

#[derive(Clone)]
struct Behind {
    postkey: SocketAddr,
    client: Client,
    visits: Visits,
}

impl Front {
    /// On a free port of `localhost`, which is another site than `127.0.0.1`.
    pub async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        Self { listener, url }
    }

    /// Where it will be.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Shows this page at `/`, and hands everything else on.
    #[expect(clippy::disallowed_methods, reason = "the proxy of a test is no part of the product")]
    pub fn serve(self, postkey: SocketAddr, page: String) -> Site {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let visits = Visits::default();
        let behind = Behind { postkey, client, visits: Arc::clone(&visits) };
        let routes =
            Router::new().route("/", get(async move || Html(page))).fallback(hand_on).with_state(behind);
        let listener = Tls { listener: self.listener, acceptor: Certificate::generate().acceptor() };
        let serving = axum::serve(listener, routes).into_future();
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Site { url: self.url, visits, serving }
    }
}

impl Site {
    /// What was asked below this path, in order.
    pub fn visits_below(&self, path: &str) -> Vec<Visit> {
        let visits = self.visits.lock().unwrap();
        visits.iter().filter(|visit| visit.target.starts_with(path)).cloned().collect()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn hand_on(Shared(behind): Shared<Behind>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.to_string();
    behind.visits.lock().unwrap().push(Visit { target: target.clone(), headers: parts.headers.clone() });
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let asked = behind.client.request(parts.method, format!("http://{}{target}", behind.postkey));
    let answer = asked.headers(parts.headers).body(body).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap()));
    (*response.status_mut(), *response.headers_mut()) = (status, headers);
    response
}

struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            // A browser that looks at the certificate first hangs up once.
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
