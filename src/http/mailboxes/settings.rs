//! What an owner says about a mailbox, checked as `postkey apply` checks it.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::SecurityWord;
use crate::http::Api;
use crate::http::error::{ApiError, ErrorCode};
use crate::http::input::{Given, given};
use crate::http::object::{given_object, maybe_object};
use crate::http::texts::{Credential, Email, Line, Text};
use crate::net::{Guard, Security, ServerFault, Use, is_authority, is_host};
use crate::store::{INBOX, Mailbox, MailboxSecrets, OAuth, Server};
use crate::vault::Sealed;

/// Most further addresses of one mailbox.
const MOST_ALIASES: usize = 100;

/// A mail server.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ServerInput {
    /// Its host.
    #[schema(example = "imap.example.com")]
    host: Line,
    /// Its port; the usual one (993 or 143, 465 or 587) if left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 65_535)]
    port: Option<u16>,
    /// How TLS begins: `tls` if left out.
    #[serde(default)]
    security: Option<SecurityWord>,
    /// The account's name; the mailbox's address if left out.
    #[serde(default)]
    username: Option<Line>,
    /// The account's password; left out with `oauth`. In a change it may be left out while all else here stays the
    /// same.
    #[serde(default)]
    password: Option<Credential>,
    /// Certificates of the only authorities that may vouch for the server, in PEM form; the public ones if left out.
    #[serde(default)]
    ca: Option<Text<65_536>>,
}

/// Access tokens instead of passwords.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OAuthInput {
    /// The application's id.
    #[serde(alias = "client_id")]
    client_id: Line,
    /// The application's secret, if it has one.
    #[serde(default, alias = "client_secret")]
    client_secret: Option<Credential>,
    /// The owner's permission.
    #[serde(alias = "refresh_token")]
    refresh_token: Credential,
    /// Where access tokens are fetched.
    #[serde(alias = "token_url")]
    #[schema(example = "https://oauth2.googleapis.com/token")]
    token_url: Line,
}

/// What is to change; what is left out stays, and null stands for the default.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MailboxInput {
    /// Cannot be changed; accepted where it says what is there already.
    #[serde(default)]
    pub(super) address: Option<Email>,
    /// Further addresses that arrive in it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Email>>, max_items = 100)]
    pub(super) aliases: Given<Vec<Email>>,
    /// The watched folder; `INBOX` by default.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Line>)]
    pub(super) folder: Given<Line>,
    /// Where mail comes in; taken whole.
    #[serde(default, deserialize_with = "maybe_object")]
    pub(super) imap: Option<ServerInput>,
    /// Where replies go out; taken whole.
    #[serde(default, deserialize_with = "maybe_object")]
    pub(super) smtp: Option<ServerInput>,
    /// Access tokens instead of passwords; taken whole.
    #[serde(default, deserialize_with = "given_object")]
    #[schema(value_type = Option<OAuthInput>)]
    pub(super) oauth: Given<OAuthInput>,
    /// The host whose `Authentication-Results` are believed.
    #[serde(default, alias = "authserv_id", deserialize_with = "given")]
    #[schema(value_type = Option<Line>)]
    pub(super) authserv_id: Given<Line>,
    /// Whether mail is answered that names none of its addresses; no by default.
    #[serde(default, alias = "answer_unaddressed", deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub(super) answer_unaddressed: Given<bool>,
    /// Whether mail is answered that it got a copy of; no by default.
    #[serde(default, alias = "answer_copies", deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub(super) answer_copies: Given<bool>,
    /// Whether it is to be watched.
    #[serde(default)]
    pub(super) enabled: Option<bool>,
}

/// The mailbox with the settings that are given. Its secrets stay with the servers that they were given for (SR-59):
/// where one of those changes, they have to be given again.
pub(super) fn settle(api: &Api, stored: Mailbox, input: MailboxInput) -> Result<Mailbox, ApiError> {
    let mut mailbox = stored.clone();
    if let Some(aliases) = input.aliases {
        mailbox.aliases = read_aliases(aliases.unwrap_or_default())?;
    }
    if let Some(folder) = input.folder {
        mailbox.folder = folder.map_or_else(|| INBOX.to_owned(), |folder| folder.0);
    }
    let reception = &mut mailbox.reception;
    reception.authserv_id = input.authserv_id.map_or(reception.authserv_id.take(), |id| id.map(|id| id.0));
    reception.answer_unaddressed =
        input.answer_unaddressed.map_or(reception.answer_unaddressed, Option::unwrap_or_default);
    reception.answer_copies = input.answer_copies.map_or(reception.answer_copies, Option::unwrap_or_default);
    mailbox.enabled = input.enabled.unwrap_or(mailbox.enabled);
    if input.imap.is_none() && input.smtp.is_none() && input.oauth.is_none() {
        return Ok(mailbox);
    }
    let mut given = MailboxSecrets::default();
    mailbox.oauth = match input.oauth {
        None => mailbox.oauth,
        Some(oauth) => oauth.map(|oauth| read_oauth(&api.guard, oauth, &mut given)).transpose()?,
    };
    for (key, purpose, input) in [("imap", Use::Imap, input.imap), ("smtp", Use::Smtp, input.smtp)] {
        let Some(input) = input else { continue };
        let place = Place { key, purpose, guard: &api.guard };
        let (server, password) = place.read(input, &mailbox.address, mailbox.oauth.is_some())?;
        match purpose {
            Use::Imap => (mailbox.imap, given.imap_password) = (server, password),
            _ => (mailbox.smtp, given.smtp_password) = (server, password),
        }
    }
    let secrets = join(&stored, &mailbox, given, &stored.open_secrets(&api.vault)?)?;
    Ok(mailbox.with_secrets(&secrets, &api.vault)?)
}

/// The secrets that were given, and of the stored ones those that go nowhere else than before.
fn join(
    stored: &Mailbox,
    settled: &Mailbox,
    given: MailboxSecrets,
    known: &MailboxSecrets,
) -> Result<MailboxSecrets, ApiError> {
    let same_imap = is_same_server(&stored.imap, &settled.imap);
    let same_smtp = is_same_server(&stored.smtp, &settled.smtp);
    if settled.oauth.is_some() {
        // An access token goes to both servers.
        if given.refresh_token.is_none() && !(same_imap && same_smtp) {
            return Err(needed("oauth.refreshToken"));
        }
        let is_given = given.refresh_token.is_some();
        let kept = |secret: &Option<SecretString>| secret.clone().filter(|_| !is_given);
        return Ok(MailboxSecrets {
            client_secret: given.client_secret.or_else(|| kept(&known.client_secret)),
            refresh_token: given.refresh_token.or_else(|| kept(&known.refresh_token)),
            ..MailboxSecrets::default()
        });
    }
    let password = |given: Option<SecretString>, known: &Option<SecretString>, is_same: bool, field| {
        given.or_else(|| known.clone().filter(|_| is_same)).ok_or_else(|| needed(field))
    };
    Ok(MailboxSecrets {
        imap_password: Some(password(given.imap_password, &known.imap_password, same_imap, "imap.password")?),
        smtp_password: Some(password(given.smtp_password, &known.smtp_password, same_smtp, "smtp.password")?),
        ..MailboxSecrets::default()
    })
}

fn is_same_server(stored: &Server, settled: &Server) -> bool {
    let told = |server: &Server| {
        let Server { host, port, security, username, ca, .. } = server.clone();
        (host, port, security, username, ca)
    };
    told(stored) == told(settled)
}

fn needed(field: &str) -> ApiError {
    let message =
        format!("`{field}` is needed: a secret stays with the server and the account it was given for");
    ApiError::new(ErrorCode::KeyNeeded, message).with(json!({ "field": field }))
}

/// One of the two servers, while it is read.
struct Place<'a> {
    key: &'static str,
    purpose: Use,
    guard: &'a Guard,
}

impl Place<'_> {
    fn fault(&self, field: &str, problem: &str) -> ApiError {
        ApiError::field(&format!("{}.{field}", self.key), problem)
    }

    fn read(
        &self,
        input: ServerInput,
        address: &str,
        has_oauth: bool,
    ) -> Result<(Server, Option<SecretString>), ApiError> {
        let host = input.host.0;
        if !is_host(&host) {
            return Err(self.fault("host", "must be a host name, such as \"mail.example.com\""));
        }
        if has_oauth && input.password.is_some() {
            return Err(self.fault("password", "must be left out, since the mailbox logs in with `oauth`"));
        }
        let security = input.security.map_or(Security::Tls, Security::from);
        let port = input.port.unwrap_or_else(|| self.purpose.usual_port(security));
        if port == 0 {
            return Err(self.fault("port", "must be a number from 1 to 65535"));
        }
        let faults = self.guard.check_mail_server(self.purpose, (&host, port), security);
        if let Some(fault) = faults.into_iter().next() {
            return Err(match fault {
                ServerFault::Host(problem) => self.fault("host", &problem),
                ServerFault::Port(problem) => self.fault("port", &problem),
                ServerFault::Security(problem) => self.fault("security", &problem),
            });
        }
        let ca = input.ca.map(|pem| pem.0);
        if ca.as_deref().is_some_and(|pem| !is_authority(pem)) {
            return Err(self.fault("ca", "must hold certificates in PEM form"));
        }
        let username = input.username.map_or_else(|| address.to_owned(), |name| name.0);
        let security = security.as_str().to_owned();
        let server = Server { host, port, security, username, password: None, ca };
        Ok((server, input.password.map(|password| password.0)))
    }
}

fn read_aliases(aliases: Vec<Email>) -> Result<Vec<String>, ApiError> {
    if aliases.len() > MOST_ALIASES {
        return Err(ApiError::field("aliases", &format!("must not have more than {MOST_ALIASES} entries")));
    }
    Ok(aliases.into_iter().map(|alias| alias.0).collect())
}

fn read_oauth(guard: &Guard, input: OAuthInput, secrets: &mut MailboxSecrets) -> Result<OAuth, ApiError> {
    let url = guard.parse_web_url(&input.token_url.0);
    let token_url = url.map_err(|problem| ApiError::field("oauth.tokenUrl", &problem))?.into();
    secrets.client_secret = input.client_secret.map(|secret| secret.0);
    secrets.refresh_token = Some(input.refresh_token.0);
    // Sealed with the rest, once all of it is known.
    let refresh_token = Sealed::from_stored(String::new());
    Ok(OAuth { client_id: input.client_id.0, client_secret: None, refresh_token, token_url })
}
