//! Whether a text can be a provider key at all, before it is sent anywhere (SR-5, SR-6).

use secrecy::{ExposeSecret, SecretString};

use super::kind::Provider;

/// Longer keys than this are refused, in bytes.
const LONGEST_KEY: usize = 512;

/// Why a key is refused; the texts are for the person who entered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFormError {
    /// Nothing there.
    #[error("the key is empty")]
    Empty,
    /// Longer than any key.
    #[error("the key is longer than 512 characters")]
    TooLong,
    /// Something no key has: spaces or line breaks inside, control characters, letters beyond ASCII.
    #[error("the key has spaces or characters that no key has; copy it again")]
    Characters,
    /// A service account's JSON instead of a key.
    #[error("this is a JSON document, not a key; create an API key for it")]
    Document,
    /// More power than the work needs (SR-6).
    #[error("this is an administration key; create an ordinary API key")]
    Administration,
    /// What calls this service, and is nobody else's business.
    #[error("this is a key or a token of Postkey's own; enter the provider's")]
    Ours,
    /// A key of somebody else; named by the text.
    #[error("this looks like a key of {0}")]
    OtherProvider(&'static str),
}

/// The key without the white space that copying leaves around it (SR-5).
pub fn trim_key(key: &SecretString) -> SecretString {
    SecretString::from(key.expose_secret().trim())
}

/// Checks a trimmed key for the provider it is meant for.
///
/// A server of the compatible style may be anybody's, so every prefix is fine there; administration keys are
/// refused everywhere. A prefix that is not known is fine: providers change theirs.
///
/// # Errors
/// [`KeyFormError`], with the likely owner of a key of another provider.
pub fn check_key_form(provider: Provider, key: &SecretString) -> Result<(), KeyFormError> {
    let key = key.expose_secret();
    check_characters(key)?;
    if is_administration_key(key) {
        return Err(KeyFormError::Administration);
    }
    if is_ours(key) {
        return Err(KeyFormError::Ours);
    }
    match (provider, likely_owner(key)) {
        (Provider::OpenAiCompatible, _) | (_, None) => Ok(()),
        (provider, Some(owner)) if owner.provider == Some(provider) => Ok(()),
        (_, Some(owner)) => Err(KeyFormError::OtherProvider(owner.name)),
    }
}

fn check_characters(key: &str) -> Result<(), KeyFormError> {
    if key.is_empty() {
        Err(KeyFormError::Empty)
    } else if key.starts_with('{') {
        Err(KeyFormError::Document)
    } else if key.len() > LONGEST_KEY {
        Err(KeyFormError::TooLong)
    } else if key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(())
    } else {
        Err(KeyFormError::Characters)
    }
}

fn is_administration_key(key: &str) -> bool {
    key.starts_with("sk-admin-") || key.starts_with("sk-ant-admin")
}

/// Platform API keys and security tokens (SR-40, SR-49).
fn is_ours(key: &str) -> bool {
    ["pk_sk_", "pkst1."].iter().any(|prefix| key.starts_with(prefix))
}

struct Owner {
    prefix: &'static str,
    name: &'static str,
    provider: Option<Provider>,
}

/// In the order of SR-5: the most general prefix comes last.
const OWNERS: [Owner; 6] = [
    Owner { prefix: "sk-ant-", name: "Anthropic", provider: None },
    Owner { prefix: "sk-or-", name: "OpenRouter", provider: Some(Provider::OpenRouter) },
    Owner { prefix: "gsk_", name: "Groq", provider: None },
    Owner { prefix: "AIza", name: "Google Gemini", provider: Some(Provider::Gemini) },
    Owner { prefix: "AQ.", name: "Google Gemini", provider: Some(Provider::Gemini) },
    Owner { prefix: "sk-", name: "OpenAI", provider: Some(Provider::OpenAi) },
];

fn likely_owner(key: &str) -> Option<&'static Owner> {
    OWNERS.iter().find(|owner| key.starts_with(owner.prefix))
}
