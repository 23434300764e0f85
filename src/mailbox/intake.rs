//! The door for every transport: raw bytes become an arrival with an identity. Nothing is decided here.

use std::panic;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Watching;
use crate::clock::Timestamp;
use crate::mail::{self, AddressTag, Limits, Mail, Parties, authentication};
use crate::store::{Arrival, Mailbox, MailboxId, ThreadId, UserId};
use crate::vault::Vault;

/// A mail as a transport brings it.
pub(super) struct Delivery {
    pub(super) uid_validity: u32,
    pub(super) uid: u32,
    pub(super) internal_date: Option<Timestamp>,
    pub(super) is_answered: bool,
    pub(super) bytes: u32,
    pub(super) raw: Vec<u8>,
    pub(super) truncated: bool,
}

impl Delivery {
    /// A mail that the server does not hand over: it has a place, and no byte of it is known.
    pub(super) fn lost(uid_validity: u32, uid: u32) -> Self {
        Self {
            uid_validity,
            uid,
            internal_date: None,
            is_answered: false,
            bytes: 0,
            raw: Vec::new(),
            truncated: true,
        }
    }

    /// Whether the server has handed over nothing of a mail that has something.
    pub(super) fn is_lost(&self) -> bool {
        self.truncated && self.raw.is_empty()
    }
}

/// What is known of the mailbox that the deliveries came to.
pub(super) struct Reader {
    user: UserId,
    mailbox: MailboxId,
    /// The host whose verdict on senders is believed (EM-135).
    authserv_id: Option<String>,
    vault: Arc<Vault>,
    now: Timestamp,
}

impl Reader {
    pub(super) fn of(mailbox: &Mailbox, watching: &Watching) -> Self {
        Self {
            user: mailbox.user_id,
            mailbox: mailbox.id,
            authserv_id: mailbox.believed_authserv_id().map(str::to_owned),
            vault: watching.vault.clone(),
            now: watching.store.clock().now(),
        }
    }

    /// Reads deliveries on a thread of their own, since a large mail takes a while.
    pub(super) async fn read_all(self, deliveries: Vec<Delivery>) -> Vec<Arrival> {
        let read = tokio::task::spawn_blocking(move || {
            deliveries.into_iter().map(|delivery| self.read(delivery)).collect()
        });
        match read.await {
            Ok(arrivals) => arrivals,
            Err(error) => panic::resume_unwind(error.into_panic()),
        }
    }

    /// Total: a mail that the reader cannot bear is still a mail, known by its bytes.
    fn read(&self, delivery: Delivery) -> Arrival {
        let Known { identity, mail, says_more } = match delivery.raw.is_empty() {
            true => by_place(&delivery),
            false => panic::catch_unwind(|| identify(&delivery)).unwrap_or_else(|_| by_bytes(&delivery)),
        };
        let correspondent = mail.from.first().map(|from| from.address.normalized()).unwrap_or_default();
        Arrival {
            identity,
            rfc_message_id: mail.message_id.clone(),
            signed_thread: self.signed_thread(&mail, &correspondent),
            answers: answered(&mail),
            correspondent,
            uid_validity: delivery.uid_validity,
            uid: delivery.uid,
            internal_date: delivery.internal_date,
            is_answered: delivery.is_answered && !says_more,
            bytes: delivery.bytes,
            raw: delivery.raw,
            truncated: delivery.truncated,
            authentication: authentication::judge(&mail, self.authserv_id.as_deref()),
        }
    }

    /// By the address that the mail was sent to, if we have signed it for this correspondent (EM-66).
    fn signed_thread(&self, mail: &Mail, correspondent: &str) -> Option<ThreadId> {
        let parties = Parties { user: self.user.uuid(), mailbox: self.mailbox.uuid(), correspondent };
        let is_tag = |bytes: &[u8], tag: &AddressTag| self.vault.is_address_tag(bytes, tag);
        mail::signed_thread(mail, parties, self.now, &is_tag).map(ThreadId::from_uuid)
    }
}

struct Known {
    identity: String,
    mail: Mail,
    /// Whether there is something in it for us although it is answered: a wish, or a bounce.
    says_more: bool,
}

fn identify(delivery: &Delivery) -> Known {
    let Delivery { raw, is_answered, .. } = delivery;
    let mail = mail::read(raw, &Limits::default());
    let says_more = *is_answered && (mail.bounce.is_some() || mail::wishes::wish(&mail).is_some());
    Known { identity: mail::identity(raw, &mail).key, mail, says_more }
}

/// Without any bytes only its place tells it from another one.
fn by_place(delivery: &Delivery) -> Known {
    let identity = format!("empty-{}-{}", delivery.uid_validity, delivery.uid);
    Known { identity, mail: Mail::default(), says_more: false }
}

fn by_bytes(delivery: &Delivery) -> Known {
    let hash = Sha256::digest(&delivery.raw);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Known { identity: format!("bytes-{hex}"), mail: Mail::default(), says_more: false }
}

/// The mails that this one answers, the most telling first (EM-69).
fn answered(mail: &Mail) -> Vec<mail::RfcMessageId> {
    mail.in_reply_to.iter().chain(mail.references.iter().rev()).cloned().collect()
}
