//! The HTTP API: how people, front ends and programs manage what is theirs.
//!
//! [`routes`] is the table of contents: every path with what it needs and who answers it. From it come the router, the
//! OpenAPI document and the tests of who may do what. A call goes
//!
//! ```text
//! serving -> every_call (id, time limit, log) -> door::let_in (who, may they, too often?) -> handler -> store
//! ```
//!
//! Work is asked for by writing a row; a mail is never sent from here. Every refusal has one shape ([`ApiError`]).

pub mod routes;

mod access;
mod access_token;
mod accounts;
mod agents;
mod ai_configurations;
mod api_keys;
mod audit;
mod caller;
mod chat;
mod client_address;
mod credentials;
mod document;
mod door;
mod error;
mod every_call;
mod exposure;
mod fault;
mod html;
mod idempotency;
mod input;
mod links;
mod mailboxes;
mod messages;
mod networks;
mod notices;
mod object;
mod openrouter;
mod pages;
mod passwords;
mod reference;
mod refusals;
mod reset_page;
mod runs;
mod secret_token;
mod security_tokens;
mod serving;
mod texts;
mod throttle;
mod unread;
mod usage;
mod uses;
mod write_limit;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, Method, header};
use tower_http::cors::{AllowHeaders, CorsLayer};

use self::client_address::Proxies;
use self::passwords::Passwords;
use self::refusals::Refusals;
use self::throttle::Throttle;
use self::uses::Uses;
use crate::config;
use crate::letters::Letters;
use crate::net::{Dialler, Guard, HttpClients, Tokens};
use crate::run::Scribe;
use crate::store::Store;
use crate::vault::Vault;

pub use self::access::{Access, Purpose, Scope};
pub use self::api_keys::rights::Rights;
pub use self::caller::{Authority, Caller};
pub use self::client_address::ClientAddress;
pub use self::document::document;
pub use self::error::{ApiError, ErrorBody, ErrorCode};
pub use self::security_tokens::pass::{CarriedKey, Means, Pass};
pub use self::serving::{Listener, serve_until};

/// The process's database, keys and connections, for what is asked of them.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The keys.
    pub vault: Arc<Vault>,
    /// Ways to providers.
    pub clients: HttpClients,
    /// Which destinations a user may choose.
    pub guard: Guard,
    /// The way to mail servers, which are only tried.
    pub dialler: Arc<Dialler>,
    /// OAuth access tokens for mail servers.
    pub tokens: Tokens,
    /// Writes replies for people who want to see them first; it cannot send them.
    pub scribe: Scribe,
    /// The settings.
    pub config: Arc<config::Config>,
}

/// What handlers work with.
pub struct Api {
    store: Store,
    vault: Arc<Vault>,
    clients: HttpClients,
    guard: Guard,
    dialler: Arc<Dialler>,
    tokens: Tokens,
    scribe: Scribe,
    config: Arc<config::Config>,
    passwords: Passwords,
    throttle: Throttle,
    uses: Uses,
    refusals: Refusals,
    proxies: Proxies,
    letters: Option<Letters>,
}

impl Api {
    /// Over these parts of the process.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, vault, clients, guard, dialler, tokens, scribe, config } = parts;
        let throttle = Throttle::new(config.http.calls_per_minute);
        let proxies = Proxies::new(&config.http.trusted_proxies);
        Self {
            store,
            vault,
            clients,
            guard,
            passwords: Passwords::new(),
            throttle,
            uses: Uses::default(),
            refusals: Refusals::default(),
            dialler,
            tokens,
            scribe,
            config,
            proxies,
            letters: None,
        }
    }

    /// With a way to write to users.
    pub fn with_letters(self, letters: Option<Letters>) -> Self {
        Self { letters, ..self }
    }
}

/// Every path, with what goes around each call.
pub fn router(api: Api) -> Router {
    let api = Arc::new(api);
    let largest = api.config.http.max_body_bytes;
    let cors = allow_origins(&api.config.http.allowed_origins);
    let router = routes::mount(&api).with_state(Arc::clone(&api)).layer(DefaultBodyLimit::max(largest));
    let router = router.fallback(every_call::not_found);
    let router = router.layer(axum::middleware::from_fn_with_state(api, every_call::surround));
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

/// Closed unless the operator lists origins. Tokens go in a header, so that no browser adds them by itself.
fn allow_origins(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let cors = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        // Client libraries send headers of their own, which do nothing here.
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            header::RETRY_AFTER,
            error::SHOULD_RETRY,
            every_call::REQUEST_ID,
            idempotency::REPLAYED,
        ]);
    Some(cors)
}
