//! A user's mailboxes, by address.

use super::super::document::UserEntry;
use super::super::mailbox::MailboxEntry;
use super::super::server::ServerEntry;
use super::watched::Watched;
use super::{Context, Step, Verb, changed};
use crate::cli::CliError;
use crate::mail::Address;
use crate::store::{INBOX, Mailbox, MailboxId, MailboxSecrets, MailboxState, OAuth, Reception, Server};
use crate::vault::Sealed;

pub(super) fn plan_all(entry: &UserEntry, context: &mut Context<'_>) -> Result<(), CliError> {
    entry.mailboxes.iter().try_for_each(|mailbox| plan(entry, mailbox, context))
}

fn plan(user: &UserEntry, entry: &MailboxEntry, context: &mut Context<'_>) -> Result<(), CliError> {
    let stored =
        context.stored.mailboxes.iter().find(|stored| is_same_address(&stored.address, &entry.address));
    let stored = stored.cloned();
    let secrets = secrets_of(entry);
    let fingerprint = secrets.fingerprint(context.vault, context.owner);
    let is_same_login = stored.as_ref().is_some_and(|stored| stored.secrets_fingerprint == fingerprint);
    let settled = settle(entry, stored.as_ref(), context);
    context.plan.watched.push(Watched {
        place: entry.place.clone(),
        id: settled.id,
        name: format!("{} of {}", settled.address, user.email),
        folder: settled.enabled.then(|| settled.watched_folder()),
    });
    let step = Step {
        verb: Verb::Left,
        kind: "mailbox",
        name: entry.address.as_str().to_owned(),
        owner: user.email.clone(),
        changes: stored.as_ref().map(|stored| changes(stored, &settled, is_same_login)).unwrap_or_default(),
    };
    if !context.step(step, stored.is_none()) {
        return Ok(());
    }
    let sealed = match stored.filter(|_| is_same_login) {
        Some(stored) => settled.with_secrets_of(&stored),
        None => settled.with_secrets(&secrets, context.vault)?,
    };
    context.plan.provision.mailboxes.push(sealed);
    Ok(())
}

pub(super) fn is_same_address(stored: &str, address: &Address) -> bool {
    Address::parse(stored).is_some_and(|stored| stored.is_same(address))
}

/// The mailbox as it will be, without its secrets.
fn settle(entry: &MailboxEntry, stored: Option<&Mailbox>, context: &Context<'_>) -> Mailbox {
    let clock = context.clock;
    let aliases =
        entry.aliases.as_ref().map(|aliases| aliases.iter().map(|a| a.as_str().to_owned()).collect());
    let folder = entry.folder.clone().or_else(|| stored.map(|stored| stored.folder.clone()));
    let oauth = entry.oauth.as_ref().map(|oauth| OAuth {
        client_id: oauth.client_id.clone(),
        client_secret: None,
        refresh_token: Sealed::from_stored(String::new()),
        token_url: oauth.token_url.clone(),
    });
    Mailbox {
        id: stored.map_or_else(|| MailboxId::new(clock), |stored| stored.id),
        user_id: context.owner,
        address: entry.address.as_str().to_owned(),
        aliases: aliases.or_else(|| stored.map(|stored| stored.aliases.clone())).unwrap_or_default(),
        folder: folder.unwrap_or_else(|| INBOX.to_owned()),
        imap: server(&entry.imap),
        smtp: server(&entry.smtp),
        oauth,
        reception: settle_reception(entry, stored.map(|stored| stored.reception.clone()).unwrap_or_default()),
        secrets_fingerprint: String::new(),
        enabled: entry.enabled.or(stored.map(|stored| stored.enabled)).unwrap_or(true),
        state: MailboxState::Active,
        state_reason: None,
        activated_at: stored.map_or_else(|| clock.now(), |stored| stored.activated_at),
        last_alive_at: stored.and_then(|stored| stored.last_alive_at),
        uid_validity: stored.and_then(|stored| stored.uid_validity),
        next_uid: stored.and_then(|stored| stored.next_uid),
        updated_at: clock.now(),
    }
}

fn settle_reception(entry: &MailboxEntry, stored: Reception) -> Reception {
    Reception {
        authserv_id: entry.authserv_id.over(stored.authserv_id),
        answer_unaddressed: entry.answer_unaddressed.unwrap_or(stored.answer_unaddressed),
        answer_copies: entry.answer_copies.unwrap_or(stored.answer_copies),
        plus_addressing: entry.plus_addressing.over(stored.plus_addressing),
    }
}

fn server(entry: &ServerEntry) -> Server {
    Server {
        host: entry.host.clone(),
        port: entry.port,
        security: entry.security.as_str().to_owned(),
        username: entry.username.clone(),
        password: None,
        ca: entry.ca.clone(),
    }
}

fn changes(stored: &Mailbox, settled: &Mailbox, is_same_login: bool) -> Vec<&'static str> {
    let oauth = |mailbox: &Mailbox| {
        mailbox.oauth.as_ref().map(|oauth| (oauth.client_id.clone(), oauth.token_url.clone()))
    };
    changed([
        ("address", stored.address == settled.address),
        ("aliases", stored.aliases == settled.aliases),
        ("folder", stored.folder == settled.folder),
        ("imap", is_same_server(&stored.imap, &settled.imap)),
        ("smtp", is_same_server(&stored.smtp, &settled.smtp)),
        ("oauth", oauth(stored) == oauth(settled)),
        ("secrets", is_same_login),
        ("authserv_id", stored.reception.authserv_id == settled.reception.authserv_id),
        ("answer_unaddressed", stored.reception.answer_unaddressed == settled.reception.answer_unaddressed),
        ("answer_copies", stored.reception.answer_copies == settled.reception.answer_copies),
        ("plus_addressing", stored.reception.plus_addressing == settled.reception.plus_addressing),
        ("enabled", stored.enabled == settled.enabled),
        // The same login again means: it works now, try it.
        ("tried again", stored.state == MailboxState::Active),
    ])
}

fn is_same_server(stored: &Server, settled: &Server) -> bool {
    let told = |server: &Server| {
        (
            server.host.clone(),
            server.port,
            server.security.clone(),
            server.username.clone(),
            server.ca.clone(),
        )
    };
    told(stored) == told(settled)
}

fn secrets_of(entry: &MailboxEntry) -> MailboxSecrets {
    let oauth = entry.oauth.as_ref();
    MailboxSecrets {
        imap_password: entry.imap.password.clone(),
        smtp_password: entry.smtp.password.clone(),
        client_secret: oauth.and_then(|oauth| oauth.client_secret.clone()),
        refresh_token: oauth.map(|oauth| oauth.refresh_token.clone()),
    }
}
