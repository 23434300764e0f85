//! The cookie by which the browser is known that asked for a consent; [`super`] says why.

use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName};

use super::LIFE;

/// How the cookie is called and where it goes.
#[derive(Clone, Copy)]
pub(super) struct BrowserCookie {
    is_secure: bool,
}

impl BrowserCookie {
    /// For browsers that reach us by this URL.
    pub(super) fn at(public_url: &str) -> Self {
        Self { is_secure: public_url.starts_with("https://") }
    }

    /// Sets it.
    pub(super) fn set(self, value: &str) -> (HeaderName, String) {
        self.header(value, LIFE.as_secs())
    }

    /// Takes it away.
    pub(super) fn clear(self) -> (HeaderName, String) {
        self.header("", 0)
    }

    /// What the browser sent, if it is one thing.
    pub(super) fn read(self, headers: &HeaderMap) -> Option<String> {
        let sent = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = sent.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name()).map(|(_, value)| value);
        let (only, None) = (values.next()?, values.next()) else { return None };
        Some(only.to_owned())
    }

    fn header(self, value: &str, seconds: u64) -> (HeaderName, String) {
        let (name, secure) = (self.name(), if self.is_secure { "; Secure" } else { "" });
        let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        (SET_COOKIE, cookie)
    }

    fn name(self) -> &'static str {
        if self.is_secure { "__Host-postkey-openrouter" } else { "postkey-openrouter" }
    }
}
