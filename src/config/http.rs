//! How people and programs reach it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::quantity::{DAY, HOUR, KIB, MIB, MINUTE, SECOND};
use super::setting::{Choice, Setting, Slot};

/// Section `[http]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Whether the API is served; true.
    pub enabled: bool,
    /// Address and port to listen on; `127.0.0.1:8080`. Port 0 takes a free one.
    pub listen: String,
    /// How the outside reaches it, without a slash at its end; unset.
    pub public_url: Option<String>,
    /// Origins of front ends that may call it (CORS); none.
    pub allowed_origins: Vec<String>,
    /// Addresses or networks of proxies whose `X-Forwarded-For` is believed (SR-43); none.
    pub trusted_proxies: Vec<String>,
    /// Who may sign up (SR-39); `closed`.
    pub sign_up: SignUp,
    /// How long a token for calls is good (SR-32); 15 min.
    pub access_token_life: Duration,
    /// How long a session lasts without being refreshed (SR-32); 30 days.
    pub session_life: Duration,
    /// How long an invitation is good; 7 days.
    pub invite_life: Duration,
    /// How long a link to reset a password is good (SR-38); 30 min.
    pub reset_life: Duration,
    /// Attempts to sign in per account and address in 15 minutes (SR-36); 5.
    pub sign_ins_per_account: u32,
    /// Attempts to sign in per address in 15 minutes (SR-36); 50.
    pub sign_ins_per_address: u32,
    /// New accounts per address in an hour (SR-36); 10.
    pub sign_ups_per_address: u32,
    /// Mails to reset a password per account in an hour (SR-36); 3.
    pub resets_per_account: u32,
    /// Checks of keys at their providers, and of mailboxes at their servers, per user in an hour; 60.
    pub key_checks_per_user: u32,
    /// Platform API keys that a user makes in an hour (SR-36); 20.
    pub new_keys_per_user: u32,
    /// Security tokens of a user that are good at once (SR-48); 100.
    pub security_tokens_per_user: u32,
    /// How long a security token can be made for at most (SR-48); 1 day.
    pub security_token_life: Duration,
    /// Calls per minute and user, or per address without a user, 0 for no limit; 1200.
    pub calls_per_minute: u32,
    /// Chats and previews at once per user; 100.
    pub chats_per_user: u32,
    /// Connections at once; 1024.
    pub connections: u32,
    /// Largest body of a call, in bytes; 1 MiB.
    pub max_body_bytes: usize,
    /// Limit for a call's head to arrive; 10 s.
    pub head_timeout: Duration,
    /// Limit for a call to be answered; 60 s.
    pub call_timeout: Duration,
    /// How long a client may take so little that no more can be sent to it; 60 s.
    pub write_timeout: Duration,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            sign_up: SignUp::Closed,
            access_token_life: Duration::from_secs(15 * 60),
            session_life: Duration::from_secs(30 * 24 * 3600),
            invite_life: Duration::from_secs(7 * 24 * 3600),
            reset_life: Duration::from_secs(30 * 60),
            sign_ins_per_account: 5,
            sign_ins_per_address: 50,
            sign_ups_per_address: 10,
            resets_per_account: 3,
            key_checks_per_user: 60,
            new_keys_per_user: 20,
            security_tokens_per_user: 100,
            security_token_life: Duration::from_secs(24 * 3600),
            calls_per_minute: 1200,
            chats_per_user: 100,
            connections: 1024,
            max_body_bytes: MIB,
            head_timeout: Duration::from_secs(10),
            call_timeout: Duration::from_secs(60),
            write_timeout: Duration::from_secs(60),
        }
    }
}

impl Http {
    pub(super) fn settings(&mut self) -> Vec<Setting<'_>> {
        let mut settings = vec![
            Setting { name: "enabled", slot: Slot::Flag(&mut self.enabled) },
            Setting { name: "listen", slot: Slot::Text(&mut self.listen, socket) },
            Setting { name: "public_url", slot: Slot::MaybeUrl(&mut self.public_url, base_url) },
            Setting { name: "allowed_origins", slot: Slot::List(&mut self.allowed_origins, origin) },
            Setting { name: "trusted_proxies", slot: Slot::List(&mut self.trusted_proxies, network) },
            Setting { name: "sign_up", slot: Slot::Choice(&mut self.sign_up) },
        ];
        let lives = [
            ("access_token_life", &mut self.access_token_life, MINUTE..=DAY),
            ("session_life", &mut self.session_life, MINUTE..=DAY * 365),
            ("invite_life", &mut self.invite_life, MINUTE..=DAY * 365),
            ("reset_life", &mut self.reset_life, MINUTE..=DAY),
            ("security_token_life", &mut self.security_token_life, MINUTE..=DAY * 365),
        ];
        settings.extend(lives.map(|(name, life, range)| Setting { name, slot: Slot::Duration(life, range) }));
        let counts = [
            ("sign_ins_per_account", &mut self.sign_ins_per_account, 1..=1_000_000),
            ("sign_ins_per_address", &mut self.sign_ins_per_address, 1..=1_000_000),
            ("sign_ups_per_address", &mut self.sign_ups_per_address, 1..=1_000_000),
            ("resets_per_account", &mut self.resets_per_account, 1..=1_000_000),
            ("key_checks_per_user", &mut self.key_checks_per_user, 1..=1_000_000),
            ("new_keys_per_user", &mut self.new_keys_per_user, 1..=1_000_000),
            ("security_tokens_per_user", &mut self.security_tokens_per_user, 1..=1_000_000),
            ("calls_per_minute", &mut self.calls_per_minute, 0..=100_000_000),
            ("chats_per_user", &mut self.chats_per_user, 1..=1_000_000),
            ("connections", &mut self.connections, 1..=1_000_000),
        ];
        settings.extend(counts.map(|(name, count, range)| Setting { name, slot: Slot::Count(count, range) }));
        settings.extend([
            Setting { name: "max_body_bytes", slot: Slot::Size(&mut self.max_body_bytes, KIB..=64 * MIB) },
            Setting { name: "head_timeout", slot: Slot::Duration(&mut self.head_timeout, SECOND..=HOUR) },
            Setting { name: "call_timeout", slot: Slot::Duration(&mut self.call_timeout, SECOND..=HOUR) },
            Setting { name: "write_timeout", slot: Slot::Duration(&mut self.write_timeout, SECOND..=HOUR) },
        ]);
        settings
    }
}

/// Who may make an account; the very first one may always be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignUp {
    /// Nobody.
    #[default]
    Closed,
    /// Whoever has an invitation.
    Invite,
    /// Everybody.
    Open,
}

impl SignUp {
    /// Its word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Invite => "invite",
            Self::Open => "open",
        }
    }
}

impl Choice for SignUp {
    fn words(&self) -> &'static [&'static str] {
        &["closed", "invite", "open"]
    }

    fn word(&self) -> &'static str {
        self.as_str()
    }

    fn choose(&mut self, word: &str) -> bool {
        let all = [Self::Closed, Self::Invite, Self::Open];
        let found = all.into_iter().find(|choice| choice.as_str() == word);
        *self = found.unwrap_or(*self);
        found.is_some()
    }
}

fn socket(text: &str) -> Result<(), String> {
    let parsed = text.parse::<SocketAddr>();
    parsed.map(drop).map_err(|_| "must be an address and a port, such as \"127.0.0.1:8080\"".to_owned())
}

fn network(text: &str) -> Result<(), String> {
    let is_network = text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok();
    let problem = "must be a list of addresses or networks, such as [\"10.0.0.5\", \"192.168.0.0/16\"]";
    if is_network { Ok(()) } else { Err(problem.to_owned()) }
}

/// A URL that paths are added to.
pub(super) fn base_url(text: &str) -> Result<(), String> {
    let is_base = web_url(text).is_some_and(|url| url.query().is_none() && url.fragment().is_none());
    if is_base && !text.ends_with('/') {
        Ok(())
    } else {
        Err("must be a URL without a slash at its end, such as \"https://postkey.example.org\"".to_owned())
    }
}

/// What browsers send as `Origin`: it is compared letter by letter.
fn origin(text: &str) -> Result<(), String> {
    let is_origin = web_url(text).is_some_and(|url| url.origin().ascii_serialization() == text);
    let problem = "must be a list of origins without a path, such as [\"https://app.example.org\"]";
    if is_origin { Ok(()) } else { Err(problem.to_owned()) }
}

fn web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_plain = matches!(url.scheme(), "https" | "http") && url.username().is_empty();
    (is_plain && url.password().is_none() && url.has_host()).then_some(url)
}
