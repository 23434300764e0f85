//! `[[user.agent]]`: who answers, by which instructions.

use super::reading::Place;
use super::table::{Setting, Table};
use super::value;
use crate::mail::Address;
use crate::provider::Provider;
use crate::store::{AmbiguousPolicy, Mode};

/// The one kind of agent there is.
pub(super) const KIND: &str = "email_inbound";

/// What the file says about one.
pub(super) struct AgentEntry {
    pub place: Place,
    pub name: String,
    pub mailbox: Address,
    pub address: Setting<Address>,
    pub ai_config: Setting<Provider>,
    pub instructions: String,
    pub mode: Option<Mode>,
    pub ambiguous: Option<AmbiguousPolicy>,
    pub allow_platform_key: Option<bool>,
    pub enabled: Option<bool>,
}

pub(super) fn read_agent(mut table: Table<'_>) -> Option<AgentEntry> {
    let place = table.place().clone();
    let name = table.need("name", value::line);
    table.find("type", |written| value::choice(written, &[(KIND, ())]));
    let mailbox = table.need("mailbox", value::address);
    let address = table.setting("address", value::address);
    let ai_config = table.setting("ai_config", value::word::<Provider>);
    let instructions = table.need("instructions", value::instructions);
    let mode = table.find("mode", |written| {
        value::choice(written, &[("automatic", Mode::Automatic), ("draft", Mode::Draft)])
    });
    let ambiguous = table.find("ambiguous", |written| {
        value::choice(written, &[("hold", AmbiguousPolicy::Hold), ("verify", AmbiguousPolicy::Verify)])
    });
    let allow_platform_key = table.find("allow_platform_key", value::flag);
    let enabled = table.find("enabled", value::flag);
    table.finish();
    Some(AgentEntry {
        place,
        name: name?,
        mailbox: mailbox?,
        address,
        ai_config,
        instructions: instructions?,
        mode,
        ambiguous,
        allow_platform_key,
        enabled,
    })
}
