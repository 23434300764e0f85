//! What a security token stands for.

use secrecy::SecretString;

use crate::http::access::Purpose;
use crate::provider::Provider;
use crate::store::{AgentId, AiConfigurationId, SecurityTokenId};

/// What the bearer of a security token may do, once it has been redeemed.
pub struct Pass {
    /// Which token it was.
    pub token: SecurityTokenId,
    /// What it was made for.
    pub purpose: Purpose,
    /// With which key.
    pub means: Means,
    /// The only models that may be asked; any if there is none.
    pub models: Vec<String>,
    /// The only agent that it is for.
    pub agent: Option<AgentId>,
    /// Whether it can be used only so often.
    pub is_counted: bool,
}

/// Whose key is used.
pub enum Means {
    /// The one of this AI configuration, and no other.
    Configuration(AiConfigurationId),
    /// Those that the token carries, and no stored one.
    Keys(Vec<CarriedKey>),
}

/// A provider key inside a token. It is stored nowhere.
pub struct CarriedKey {
    /// Whose it is. It goes to that provider's own address.
    pub provider: Provider,
    /// Where it goes if the provider has no address of its own: where the owner's AI configuration said when the token was
    /// made, as long as it says so (SR-59).
    pub base_url: Option<String>,
    /// The key.
    pub key: SecretString,
}

impl Pass {
    /// The only AI configuration that may be used; `None` where the token carries keys.
    pub fn configuration(&self) -> Option<AiConfigurationId> {
        match self.means {
            Means::Configuration(id) => Some(id),
            Means::Keys(_) => None,
        }
    }

    /// The keys that the token carries.
    pub fn keys(&self) -> &[CarriedKey] {
        match &self.means {
            Means::Configuration(_) => &[],
            Means::Keys(keys) => keys,
        }
    }

    /// Whether this model may be asked.
    pub fn allows_model(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|allowed| allowed == model)
    }
}
