//! `[[user.mailbox]]`: an address, where its mail comes in and where replies go out.

use secrecy::SecretString;

use super::reading::Place;
use super::server::{ServerEntry, ServerKind, read_server};
use super::table::{Setting, Table};
use super::value;
use crate::mail::{Address, LONGEST_SIGNED, has_room_for_detail};

/// What the file says about one.
pub(super) struct MailboxEntry {
    pub place: Place,
    pub address: Address,
    pub aliases: Option<Vec<Address>>,
    pub folder: Option<String>,
    pub imap: ServerEntry,
    pub smtp: ServerEntry,
    pub oauth: Option<OAuthEntry>,
    pub authserv_id: Setting<String>,
    pub answer_unaddressed: Option<bool>,
    pub answer_copies: Option<bool>,
    pub plus_addressing: Setting<bool>,
    pub enabled: Option<bool>,
}

/// `oauth = { .. }`: credentials instead of passwords.
pub(super) struct OAuthEntry {
    pub client_id: String,
    pub client_secret: Option<SecretString>,
    pub refresh_token: SecretString,
    pub token_url: String,
}

pub(super) fn read_mailbox(mut table: Table<'_>) -> Option<MailboxEntry> {
    let place = table.place().clone();
    let address = table.need("address", value::address);
    let aliases = table.find("aliases", value::addresses);
    let folder = table.find("folder", value::line);
    let has_oauth = table.has("oauth");
    let username = address.as_ref().map(Address::as_str);
    let imap = read_server(&mut table, ServerKind::Imap, username, has_oauth);
    let smtp = read_server(&mut table, ServerKind::Smtp, username, has_oauth);
    let oauth = table.table("oauth").map(read_oauth);
    let authserv_id = table.setting("authserv_id", value::line);
    let answer_unaddressed = table.find("answer_unaddressed", value::flag);
    let answer_copies = table.find("answer_copies", value::flag);
    let plus_addressing = table.setting("plus_addressing", value::flag);
    if let (Some(address), Setting::Given(true)) = (&address, &plus_addressing) {
        warn_of_long_addresses(&table, [address].into_iter().chain(aliases.iter().flatten()));
    }
    let enabled = table.find("enabled", value::flag);
    table.finish();
    let oauth = match oauth {
        Some(read) => Some(read?),
        None if has_oauth => return None,
        None => None,
    };
    Some(MailboxEntry {
        place,
        address: address?,
        aliases,
        folder,
        imap: imap?,
        smtp: smtp?,
        oauth,
        authserv_id,
        answer_unaddressed,
        answer_copies,
        plus_addressing,
        enabled,
    })
}

/// An agent may answer from an alias, which may be short enough.
fn warn_of_long_addresses<'a>(table: &Table<'_>, mut addresses: impl Iterator<Item = &'a Address>) {
    if !addresses.any(has_room_for_detail) {
        table.warn_at(
            "plus_addressing",
            format!("has no effect: signed addresses need one with at most {LONGEST_SIGNED} characters before the @"),
        );
    }
}

fn read_oauth(mut table: Table<'_>) -> Option<OAuthEntry> {
    let client_id = table.need("client_id", value::line);
    let client_secret = table.secret("client_secret");
    let refresh_token = table.need_secret("refresh_token");
    let guard = table.reading().guard;
    let token_url = table.need("token_url", |written| guard.parse_web_url(&value::line(written)?));
    table.finish();
    Some(OAuthEntry {
        client_id: client_id?,
        client_secret,
        refresh_token: refresh_token?,
        token_url: token_url?.into(),
    })
}
