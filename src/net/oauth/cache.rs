//! The tokens of this process, a bounded number of them.

use std::collections::HashMap;
use std::time::Duration;

use futures::future::{BoxFuture, Shared};
use secrecy::SecretString;
use uuid::Uuid;

use super::error::OAuthError;
use super::refresh::Fresh;
use crate::clock::Timestamp;

/// A token that expires sooner than this is not handed out again: logging in takes time, and clocks differ.
const MARGIN: Duration = Duration::from_secs(60);

/// A request for a token, whose outcome everybody who waits gets.
pub(super) type Flight = Shared<BoxFuture<'static, Result<SecretString, OAuthError>>>;

/// SHA-256 of a grant.
pub(super) type Fingerprint = [u8; 32];

/// One entry per account, for the grant it was last used with.
pub(super) struct Cache {
    entries: HashMap<Uuid, Entry>,
    room: usize,
    uses: u64,
}

/// What is known about an account's grant.
pub(super) struct Entry {
    fingerprint: Fingerprint,
    /// The server's replacement of the stored refresh token.
    pub refresh_token: Option<SecretString>,
    /// The access token, if there is one.
    pub state: State,
    last_use: u64,
}

/// Whether there is an access token.
pub(super) enum State {
    /// None.
    Empty,
    /// It is being fetched.
    Fetching(Flight),
    /// This one.
    Held(Access),
}

/// An access token and its end.
pub(super) struct Access {
    /// Opened only in a login.
    pub token: SecretString,
    expires_at: Timestamp,
}

impl Access {
    /// Whether a login with it can be expected to succeed.
    pub fn is_usable_at(&self, now: Timestamp) -> bool {
        now.plus(MARGIN) < self.expires_at
    }
}

impl Cache {
    /// Room for so many accounts, at least one.
    pub fn with_room(room: usize) -> Self {
        Self { entries: HashMap::new(), room: room.max(1), uses: 0 }
    }

    /// The entry of this account and grant; an empty one if there is none or it belongs to another grant.
    pub fn entry(&mut self, account: Uuid, fingerprint: Fingerprint) -> &mut Entry {
        if self.entries.len() >= self.room && !self.entries.contains_key(&account) {
            self.drop_oldest();
        }
        self.uses += 1;
        let entry = self.entries.entry(account).or_insert_with(|| Entry::empty(fingerprint));
        if entry.fingerprint != fingerprint {
            *entry = Entry::empty(fingerprint);
        }
        entry.last_use = self.uses;
        entry
    }

    /// Notes how a request ended, unless the account has another grant by now.
    pub fn settle(
        &mut self,
        account: Uuid,
        fingerprint: Fingerprint,
        asked_at: Timestamp,
        outcome: Result<Fresh, OAuthError>,
    ) -> Result<SecretString, OAuthError> {
        let entry = self.entries.get_mut(&account).filter(|entry| entry.fingerprint == fingerprint);
        match (outcome, entry) {
            (Ok(fresh), Some(entry)) => {
                let access =
                    Access { token: fresh.access_token.clone(), expires_at: asked_at.plus(fresh.lifetime) };
                entry.state = State::Held(access);
                entry.refresh_token = fresh.refresh_token.or(entry.refresh_token.take());
                Ok(fresh.access_token)
            }
            (Ok(fresh), None) => Ok(fresh.access_token),
            (Err(error), Some(entry)) => {
                // After `invalid_grant` a replacement is worth nothing; the stored token gets its turn again.
                if error == OAuthError::InvalidGrant {
                    entry.refresh_token = None;
                }
                entry.state = State::Empty;
                Err(error)
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Drops the account's access token. One that is being fetched is a fresh one, and a replaced refresh token
    /// is still the valid one: both stay.
    pub fn forget(&mut self, account: Uuid) {
        if let Some(entry) = self.entries.get_mut(&account)
            && matches!(entry.state, State::Held(_))
        {
            entry.state = State::Empty;
        }
    }

    /// Those that wait for an answer go last: with them a second request could start beside the first.
    fn drop_oldest(&mut self) {
        let age = |entry: &Entry| (matches!(entry.state, State::Fetching(_)), entry.last_use);
        let oldest = self.entries.iter().min_by_key(|(_, entry)| age(entry)).map(|(account, _)| *account);
        if let Some(account) = oldest {
            self.entries.remove(&account);
        }
    }
}

impl Entry {
    fn empty(fingerprint: Fingerprint) -> Self {
        Self { fingerprint, refresh_token: None, state: State::Empty, last_use: 0 }
    }
}
