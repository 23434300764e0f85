//! `mailboxes`: watched inboxes, how to reach them, and how they fare.

use super::notices::{self, NewNotice};
use super::pool::{Tx, on_pool, on_tx};
use super::{MailboxId, Store, StoreError, UserId, WatchedFolder};
use crate::clock::Timestamp;
use crate::mail::authentication::usual_authserv_id;
use crate::vault::Sealed;

/// Whether a mailbox is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum MailboxState {
    /// Watched.
    Active,
    /// Not watched until its owner changes something; the reason says what.
    Stopped,
}

/// How to reach one of a mailbox's two servers.
#[derive(Clone)]
pub struct Server {
    /// Host name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// `tls`, `starttls` or `none`.
    pub security: String,
    /// Login name.
    pub username: String,
    /// Sealed password; `None` where OAuth is used.
    pub password: Option<Sealed>,
    /// Certificates to trust besides the public ones, PEM.
    pub ca: Option<String>,
}

/// Sealed OAuth credentials.
#[derive(Clone)]
pub struct OAuth {
    /// Client id.
    pub client_id: String,
    /// Sealed client secret.
    pub client_secret: Option<Sealed>,
    /// Sealed refresh token.
    pub refresh_token: Sealed,
    /// Where access tokens are fetched.
    pub token_url: String,
}

/// How a mailbox judges the mails that come in.
#[derive(Clone, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Reception {
    /// The host whose verdict on senders is believed (EM-135); without, the one that the provider is known by.
    pub authserv_id: Option<String>,
    /// Whether mail is answered that names none of its addresses, such as blind copies (EM-19).
    pub answer_unaddressed: bool,
    /// Whether mail is answered that it got a copy of (EM-20).
    pub answer_copies: bool,
    /// Whether mail to plus forms of the mailbox's addresses comes here (EM-66); without, what is known of the domain.
    pub plus_addressing: Option<bool>,
}

/// A mailbox.
#[derive(Clone)]
pub struct Mailbox {
    /// The id.
    pub id: MailboxId,
    /// The owner.
    pub user_id: UserId,
    /// Its address.
    pub address: String,
    /// Further addresses that arrive here.
    pub aliases: Vec<String>,
    /// The watched folder.
    pub folder: String,
    /// Where mail comes in.
    pub imap: Server,
    /// Where mail goes out.
    pub smtp: Server,
    /// Credentials instead of passwords.
    pub oauth: Option<OAuth>,
    /// How the mails that come in are judged.
    pub reception: Reception,
    /// Tells whether the secrets are the same as others.
    pub secrets_fingerprint: String,
    /// Whether the owner wants it watched.
    pub enabled: bool,
    /// Whether it is watched.
    pub state: MailboxState,
    /// Why not.
    pub state_reason: Option<String>,
    /// Older mail is not answered (EM-25).
    pub activated_at: Timestamp,
    /// When its server last answered.
    pub last_alive_at: Option<Timestamp>,
    /// The cursor's UIDVALIDITY.
    pub uid_validity: Option<u32>,
    /// The cursor: the lowest UID that is not settled.
    pub next_uid: Option<u32>,
    /// Changes with every change of the row's settings.
    pub updated_at: Timestamp,
}

impl Mailbox {
    /// What is read.
    pub fn watched_folder(&self) -> WatchedFolder {
        WatchedFolder {
            host: self.imap.host.to_ascii_lowercase(),
            port: self.imap.port,
            username: self.imap.username.clone(),
            folder: self.folder.clone(),
        }
    }

    /// The host whose verdict on senders is believed (EM-135, EM-136).
    pub fn believed_authserv_id(&self) -> Option<&str> {
        self.reception.authserv_id.as_deref().or_else(|| usual_authserv_id(&self.imap.host))
    }

    /// Whether mail to plus forms of an address of this domain comes here. A mailbox's host does not tell: mail may
    /// be forwarded to it by another one.
    pub fn has_plus_forms(&self, domain: &str) -> bool {
        let is_known = || DOMAINS_WITH_PLUS_FORMS.contains(&domain.to_ascii_lowercase().as_str());
        self.reception.plus_addressing.unwrap_or_else(is_known)
    }
}

/// Providers' own domains, of which every address has plus forms.
const DOMAINS_WITH_PLUS_FORMS: [&str; 5] =
    ["gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "fastmail.com"];

/// A mailbox to be made or changed: the settings count, the rest is kept as it is.
pub type NewMailbox = Mailbox;

/// The folder that mail arrives in unless somebody says otherwise (RFC 3501 section 5.1).
pub const INBOX: &str = "INBOX";

/// Column labels to which ciphertexts of a mailbox are bound.
pub mod columns {
    /// The IMAP password.
    pub const IMAP_PASSWORD: &str = "mailboxes.imap_password";
    /// The SMTP password.
    pub const SMTP_PASSWORD: &str = "mailboxes.smtp_password";
    /// The OAuth client secret.
    pub const OAUTH_CLIENT_SECRET: &str = "mailboxes.oauth_client_secret";
    /// The OAuth refresh token.
    pub const OAUTH_REFRESH_TOKEN: &str = "mailboxes.oauth_refresh_token";
}

/// One mailbox of a user.
pub(super) const FIND: &str = "SELECT * FROM mailboxes WHERE user_id = $1 AND id = $2";

impl Store {
    /// A user's mailboxes by address.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_mailboxes(&self, user: UserId) -> Result<Vec<Mailbox>, StoreError> {
        let rows: Vec<Row> = on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT * FROM mailboxes WHERE user_id = $1 ORDER BY address LIMIT 1000")
            .bind(user).fetch_all(db).await)?;
        rows.into_iter().map(Mailbox::try_from).collect()
    }

    /// A user's mailboxes, oldest first, `most` at a time, after the given one.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn list_mailboxes_after(
        &self,
        user: UserId,
        after: Option<MailboxId>,
        most: u32,
    ) -> Result<Vec<Mailbox>, StoreError> {
        let after = after.unwrap_or(MailboxId::from_uuid(uuid::Uuid::nil()));
        let rows: Vec<Row> = on_pool!(&self.pool, db => sqlx::query_as(
            "SELECT * FROM mailboxes WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT $3")
            .bind(user).bind(after).bind(i64::from(most)).fetch_all(db).await)?;
        rows.into_iter().map(Mailbox::try_from).collect()
    }

    /// One mailbox of a user.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn find_mailbox(
        &self,
        user: UserId,
        mailbox: MailboxId,
    ) -> Result<Option<Mailbox>, StoreError> {
        let row: Option<Row> = on_pool!(&self.pool, db => sqlx::query_as(FIND)
            .bind(user).bind(mailbox).fetch_optional(db).await)?;
        row.map(Mailbox::try_from).transpose()
    }

    /// Stops watching a mailbox until its owner changes it, and tells the owner, unless its settings are others by
    /// now than those of `settings_of`.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn stop_mailbox(
        &self,
        mailbox: MailboxId,
        settings_of: Timestamp,
        notice: NewNotice,
    ) -> Result<(), StoreError> {
        let clock = self.clock.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let stopped = on_tx!(tx, db => sqlx::query(
                    "UPDATE mailboxes SET state = 'stopped', state_reason = $3
                     WHERE user_id = $1 AND id = $2 AND updated_at = $4 AND state <> 'stopped'")
                    .bind(notice.user).bind(mailbox).bind(notice.kind).bind(settings_of)
                    .execute(&mut *db).await.map(|done| done.rows_affected()))?;
                if stopped == 1 {
                    notices::give(tx, notice, &clock).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: MailboxId,
    user_id: UserId,
    address: String,
    aliases: String,
    folder: String,
    imap_host: String,
    imap_port: i64,
    imap_security: String,
    imap_username: String,
    imap_password: Option<String>,
    imap_ca: Option<String>,
    smtp_host: String,
    smtp_port: i64,
    smtp_security: String,
    smtp_username: String,
    smtp_password: Option<String>,
    smtp_ca: Option<String>,
    oauth_client_id: Option<String>,
    oauth_client_secret: Option<String>,
    oauth_refresh_token: Option<String>,
    oauth_token_url: Option<String>,
    #[sqlx(flatten)]
    reception: Reception,
    secrets_fingerprint: String,
    enabled: bool,
    state: MailboxState,
    state_reason: Option<String>,
    activated_at: Timestamp,
    last_alive_at: Option<Timestamp>,
    uid_validity: Option<i64>,
    next_uid: Option<i64>,
    updated_at: Timestamp,
}

impl TryFrom<Row> for Mailbox {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let impossible =
            |column| move || StoreError::Impossible { table: "mailboxes", column, id: row.id.to_string() };
        let oauth = match (row.oauth_client_id, row.oauth_refresh_token, row.oauth_token_url) {
            (Some(client_id), Some(refresh_token), Some(token_url)) => Some(OAuth {
                client_id,
                client_secret: row.oauth_client_secret.map(Sealed::from_stored),
                refresh_token: Sealed::from_stored(refresh_token),
                token_url,
            }),
            _ => None,
        };
        Ok(Self {
            id: row.id,
            user_id: row.user_id,
            address: row.address,
            aliases: serde_json::from_str(&row.aliases).map_err(|_| impossible("aliases")())?,
            folder: row.folder,
            imap: Server {
                host: row.imap_host,
                port: u16::try_from(row.imap_port).map_err(|_| impossible("imap_port")())?,
                security: row.imap_security,
                username: row.imap_username,
                password: row.imap_password.map(Sealed::from_stored),
                ca: row.imap_ca,
            },
            smtp: Server {
                host: row.smtp_host,
                port: u16::try_from(row.smtp_port).map_err(|_| impossible("smtp_port")())?,
                security: row.smtp_security,
                username: row.smtp_username,
                password: row.smtp_password.map(Sealed::from_stored),
                ca: row.smtp_ca,
            },
            oauth,
            reception: row.reception,
            secrets_fingerprint: row.secrets_fingerprint,
            enabled: row.enabled,
            state: row.state,
            state_reason: row.state_reason,
            activated_at: row.activated_at,
            last_alive_at: row.last_alive_at,
            uid_validity: row.uid_validity.and_then(|value| u32::try_from(value).ok()),
            next_uid: row.next_uid.and_then(|value| u32::try_from(value).ok()),
            updated_at: row.updated_at,
        })
    }
}

/// Another folder, server or account than the one that was watched is another inbox: what lies in it is old (EM-25). Whoever
/// still watches the old one moves no cursor any more.
async fn begin_anew(tx: &mut Tx, mailbox: &NewMailbox, now: Timestamp) -> Result<(), StoreError> {
    on_tx!(tx, db => sqlx::query(
        "UPDATE mailboxes SET activated_at = $6, uid_validity = NULL, next_uid = NULL, lease_epoch = lease_epoch + 1
         WHERE user_id = $1 AND id = $2 AND uid_validity IS NOT NULL
            AND (folder <> $3 OR imap_host <> $4 OR imap_username <> $5)")
        .bind(mailbox.user_id).bind(mailbox.id).bind(&mailbox.folder)
        .bind(&mailbox.imap.host).bind(&mailbox.imap.username).bind(now)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}

/// Makes or changes a mailbox; a changed one is watched afresh, from where its cursor stands.
pub(super) async fn upsert(tx: &mut Tx, mailbox: NewMailbox, now: Timestamp) -> Result<(), StoreError> {
    begin_anew(tx, &mailbox, now).await?;
    let aliases = serde_json::to_string(&mailbox.aliases).unwrap_or_default();
    let stored = |secret: &Option<Sealed>| secret.as_ref().map(|sealed| sealed.as_stored().to_owned());
    let (imap, smtp, oauth) = (&mailbox.imap, &mailbox.smtp, mailbox.oauth.as_ref());
    let reception = &mailbox.reception;
    on_tx!(tx, db => sqlx::query(
        "INSERT INTO mailboxes (id, user_id, address, aliases, folder,
            imap_host, imap_port, imap_security, imap_username, imap_password, imap_ca,
            smtp_host, smtp_port, smtp_security, smtp_username, smtp_password, smtp_ca,
            oauth_client_id, oauth_client_secret, oauth_refresh_token, oauth_token_url,
            authserv_id, answer_unaddressed, answer_copies, secrets_fingerprint, enabled, state, activated_at,
            created_at, updated_at, plus_addressing)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
            $21, $22, $23, $24, $25, $26, 'active', $27, $28, $28, $29)
         ON CONFLICT (id) DO UPDATE SET address = excluded.address, aliases = excluded.aliases,
            folder = excluded.folder, imap_host = excluded.imap_host, imap_port = excluded.imap_port,
            imap_security = excluded.imap_security, imap_username = excluded.imap_username,
            imap_password = excluded.imap_password, imap_ca = excluded.imap_ca,
            smtp_host = excluded.smtp_host, smtp_port = excluded.smtp_port,
            smtp_security = excluded.smtp_security, smtp_username = excluded.smtp_username,
            smtp_password = excluded.smtp_password, smtp_ca = excluded.smtp_ca,
            oauth_client_id = excluded.oauth_client_id, oauth_client_secret = excluded.oauth_client_secret,
            oauth_refresh_token = excluded.oauth_refresh_token, oauth_token_url = excluded.oauth_token_url,
            authserv_id = excluded.authserv_id, answer_unaddressed = excluded.answer_unaddressed,
            answer_copies = excluded.answer_copies, plus_addressing = excluded.plus_addressing,
            secrets_fingerprint = excluded.secrets_fingerprint, enabled = excluded.enabled,
            activated_at = CASE WHEN excluded.enabled AND NOT mailboxes.enabled
                THEN $28 ELSE mailboxes.activated_at END,
            state = 'active', state_reason = NULL, updated_at = $28
         WHERE mailboxes.user_id = excluded.user_id")
        .bind(mailbox.id).bind(mailbox.user_id).bind(&mailbox.address).bind(&aliases).bind(&mailbox.folder)
        .bind(&imap.host).bind(i64::from(imap.port)).bind(&imap.security).bind(&imap.username)
        .bind(stored(&imap.password)).bind(&imap.ca)
        .bind(&smtp.host).bind(i64::from(smtp.port)).bind(&smtp.security).bind(&smtp.username)
        .bind(stored(&smtp.password)).bind(&smtp.ca)
        .bind(oauth.map(|oauth| oauth.client_id.clone()))
        .bind(oauth.and_then(|oauth| stored(&oauth.client_secret)))
        .bind(oauth.map(|oauth| oauth.refresh_token.as_stored().to_owned()))
        .bind(oauth.map(|oauth| oauth.token_url.clone()))
        .bind(&reception.authserv_id).bind(reception.answer_unaddressed).bind(reception.answer_copies)
        .bind(&mailbox.secrets_fingerprint).bind(mailbox.enabled).bind(mailbox.activated_at).bind(now)
        .bind(reception.plus_addressing)
        .execute(&mut *db).await.map(drop))?;
    Ok(())
}
