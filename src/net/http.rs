//! The one way to a model's HTTP interface.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Request, Response};
use rustls::ClientConfig;
use url::{Origin, Url};

use super::error::{NetError, Refusal, TlsFault, find_tls_fault};
use super::guard::{Guard, Use};
use super::host::Host;
use super::public::is_public;
use super::trust::{trust_nobody, trust_public};
use crate::config;

/// The providers' own hosts; they share no connection with servers that users chose.
const BUILT_IN: [&str; 3] = ["api.openai.com", "openrouter.ai", "generativelanguage.googleapis.com"];

/// Answers' headers beyond this many bytes are refused (HTTP/2).
const MOST_HEADER_BYTES: u32 = 64 * 1024;

/// How long a connection waits for the next call.
const IDLE: Duration = Duration::from_secs(60);

/// The connection pools, one per class of destination: no redirects, no proxies, no retries, and every name
/// resolved by the guard. Cheap to clone.
#[derive(Clone)]
pub struct HttpClients {
    guard: Guard,
    built_in: Client,
    chosen: Client,
    listed: Client,
    inert: Client,
}

/// A client for one server; a request for any other one is refused.
#[derive(Clone)]
pub struct HttpClient {
    client: Client,
    inert: Client,
    origin: Origin,
}

/// No answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer: {error}")]
pub struct Unanswered {
    /// What happened to the connection.
    pub error: NetError,
    /// Whether the other side may have the request.
    pub was_sent: bool,
}

impl HttpClients {
    /// Builds the pools; once per process.
    ///
    /// # Errors
    /// [`NetError::Tls`] if TLS cannot be set up at all.
    pub fn new(limits: &config::Provider, guard: Guard) -> Result<Self, NetError> {
        let public = GuardedResolver { guard: guard.clone(), scope: Scope::Public };
        let listed = GuardedResolver { guard: guard.clone(), scope: Scope::Listed };
        let nothing = GuardedResolver { guard: guard.clone(), scope: Scope::Nothing };
        Ok(Self {
            guard,
            built_in: build(limits, public.clone(), trust_public()?)?,
            chosen: build(limits, public, trust_public()?)?,
            listed: build(limits, listed, trust_public()?)?,
            inert: build(limits, nothing, trust_nobody()?)?,
        })
    }

    /// The client for the server of this base URL.
    ///
    /// # Errors
    /// [`NetError::Refused`] unless it is `https` on port 443 at a public host, or exactly an endpoint that the
    /// operator listed; and never with a user, password, query or fragment in it (SR-58).
    pub fn for_base(&self, base: &Url) -> Result<HttpClient, NetError> {
        let is_plain_address = base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !is_plain_address {
            return Err(NetError::Refused(Refusal::Address));
        }
        let client = self.pool_for(base)?.clone();
        Ok(HttpClient { client, inert: self.inert.clone(), origin: base.origin() })
    }

    fn pool_for(&self, base: &Url) -> Result<&Client, NetError> {
        let host = Host::of_url(base)?;
        let port = base.port_or_known_default().ok_or(NetError::Refused(Refusal::Port))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(NetError::Refused(Refusal::Address));
        }
        if self.guard.lists(&host, port) {
            return Ok(&self.listed);
        }
        if base.scheme() != "https" {
            return Err(NetError::Refused(Refusal::PlainText));
        }
        if !Use::Provider.allows(port) {
            return Err(NetError::Refused(Refusal::Port));
        }
        match host {
            // The HTTP client does not ask a resolver about these.
            Host::Address(address) if !is_public(address) => Err(NetError::Refused(Refusal::PrivateAddress)),
            Host::Name(name) if BUILT_IN.contains(&name.as_str()) => Ok(&self.built_in),
            Host::Address(_) | Host::Name(_) => Ok(&self.chosen),
        }
    }
}

impl HttpClient {
    /// Sends a request and returns when the answer's headers are there. The time limit of the whole call goes
    /// on while the body is read.
    ///
    /// # Errors
    /// [`Unanswered`]; it tells whether the request may have arrived.
    pub async fn execute(&self, request: Request) -> Result<Response, Unanswered> {
        if request.url().origin() != self.origin {
            let error = NetError::Refused(Refusal::OtherServer);
            return Err(Unanswered { error, was_sent: false });
        }
        self.client.execute(request).await.map_err(|error| Unanswered::from_client(&error))
    }

    /// A client that only builds requests, for libraries that insist on one: no name resolves for it and no
    /// certificate satisfies it.
    pub fn request_builder(&self) -> Client {
        self.inert.clone()
    }
}

impl Unanswered {
    /// What an error of the HTTP client means, without its text (which names the URL).
    pub fn from_client(error: &reqwest::Error) -> Self {
        let was_sent = !(error.is_connect() || error.is_builder());
        let fault = find_net_error(error);
        let error = match fault {
            Some(known) => known,
            None if error.is_timeout() => NetError::Timeout,
            None if error.is_connect() => NetError::Connect,
            None => NetError::Closed,
        };
        Self { error, was_sent }
    }
}

fn find_net_error(error: &(dyn Error + 'static)) -> Option<NetError> {
    if let Some(known) = error.downcast_ref::<NetError>() {
        return Some(*known);
    }
    if let Some(fault) = find_tls_fault(error) {
        return Some(NetError::Tls(fault));
    }
    error.source().and_then(find_net_error)
}

#[expect(clippy::disallowed_methods, reason = "the one place that builds HTTP clients")]
fn build(
    limits: &config::Provider,
    resolver: GuardedResolver,
    tls: ClientConfig,
) -> Result<Client, NetError> {
    let mut tls = tls;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(concat!("postkey/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect_timeout)
        .timeout(limits.call_timeout)
        .pool_idle_timeout(IDLE)
        .http2_max_header_list_size(MOST_HEADER_BYTES);
    builder.build().map_err(|_| NetError::Tls(TlsFault::Handshake))
}

/// Answers the HTTP client's question for addresses; it connects to exactly those.
#[derive(Clone)]
struct GuardedResolver {
    guard: Guard,
    scope: Scope,
}

#[derive(Clone, Copy)]
enum Scope {
    /// Public addresses only.
    Public,
    /// Any address: the host and port were found in the operator's list.
    Listed,
    /// No name at all.
    Nothing,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

impl GuardedResolver {
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, NetError> {
        let host = Host::parse(name)?;
        match self.scope {
            Scope::Public => self.guard.look_up_public(&host).await,
            Scope::Listed => self.guard.look_up(&host).await,
            Scope::Nothing => Err(NetError::Refused(Refusal::OtherServer)),
        }
    }
}
