//! Connecting OpenRouter: its user consents there, and a key for Postkey comes back without anybody having seen it (OAuth
//! with PKCE S256; SR-9 to SR-15).
//!
//! ```text
//! connect --URL--> the browser at OpenRouter --code, state--> callback --code, verifier--> OpenRouter --key--> finish
//!    \--------- headless: no way back -----------> a person --code--> exchange -------------------------------/
//! ```
//!
//! # Who comes back
//!
//! Sessions are tokens in a header, which a browser that is sent back by OpenRouter does not add. So the answer of
//! `connect` also sets a cookie: 32 random bytes, of which the row of the consent keeps the hash, beside the session that
//! asked and the hash of the state. The callback uses the row up in one statement that wants all of it: this state, this
//! cookie, not used, not too old, and the session still alive. Thus
//!
//! - whoever sends somebody else a consent URL of their own gets no key of that person: the other browser lacks the
//!   cookie, and the consent stays unused;
//! - a state that was seen somewhere is worth nothing without the cookie, and the cookie nothing without the state;
//! - signing out, deleting the account or asking again ends what was asked for before.
//!
//! The cookie is `HttpOnly`, lasts as long as the consent, and gives no access to anything else. It is `SameSite=Lax`,
//! since the way back is a top-level GET from another site, which `Strict` would keep it out of. Where the public URL is
//! https it is `Secure` with the prefix `__Host-`, so that no neighbouring host can plant one. A front end of another
//! site cannot have it set; it uses the headless way.
//!
//! What a refused or forgotten consent leaves is a row that the sweep removes once it is ten minutes old.

pub(super) mod callback;
pub(super) mod connect;
pub(super) mod exchange;

mod browser_cookie;
mod finish;
mod return_path;

use std::time::Duration;

use super::error::{ApiError, ErrorCode};

/// How long a consent may take (SR-9).
const LIFE: Duration = Duration::from_secs(600);

/// The path that OpenRouter sends browsers back to.
const CALLBACK: &str = "/oauth/openrouter/callback";

/// Every way in which nobody waits for a code, and every code that OpenRouter does not take, alike.
fn nothing_open() -> ApiError {
    let message = "this consent was not given, was used already, is too old, or was begun elsewhere; connect \
                   OpenRouter again";
    ApiError::new(ErrorCode::ConsentInvalid, message)
}
