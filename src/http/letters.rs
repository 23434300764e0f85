//! What the service itself writes to its users, through the operator's mail server.

use std::sync::Arc;
use std::time::Duration;

use super::Api;
use crate::mail::{Address, Letter, own_message_id};
use crate::smtp::OperatorPost;

/// The way to the users; cheap to clone.
#[derive(Clone)]
pub struct Letters {
    post: Arc<OperatorPost>,
    public_url: String,
}

impl Letters {
    /// Links in letters begin with `public_url`, never with what a request says of itself (SR-38).
    pub fn new(post: OperatorPost, public_url: String) -> Self {
        Self { post: Arc::new(post), public_url }
    }

    pub(super) fn public_url(&self) -> &str {
        &self.public_url
    }

    /// Sends one letter. The error is a stable word for the log.
    pub(super) async fn send(
        &self,
        api: &Api,
        to: &str,
        subject: &'static str,
        text: &str,
    ) -> Result<(), &'static str> {
        let to = Address::parse(to).ok_or("address")?;
        let from = self.post.from();
        let random: [u8; 16] = rand::random();
        let message_id = own_message_id(random, api.vault.message_tag(&random), from.domain());
        let date = api.store.clock().now();
        let letter = Letter { from, to: &to, subject, text, message_id: &message_id, date };
        let letter = letter.compose().map_err(|_| "address")?;
        self.post.send(&to, &letter).await.map_err(|error| {
            tracing::warn!(%error, "the operator's mail server did not take a letter");
            "mail_server"
        })
    }
}

/// The subject and the text. The token stands behind the `#`, which browsers send to nobody, so that neither a proxy's
/// log nor a scanner that follows links uses it up.
pub(super) fn reset_letter(public_url: &str, token: &str, life: Duration) -> (&'static str, String) {
    let minutes = life.as_secs().div_ceil(60);
    let text = format!(
        "Somebody asked for another password for the Postkey account of this address.\n\n\
         To set one, open this link within {minutes} minutes:\n\n{public_url}/reset-password#{token}\n\n\
         If it was not you, do nothing: the password stays as it is.\n"
    );
    ("Another password for Postkey", text)
}
