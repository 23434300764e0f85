//! `[[user.agent]]`: who answers, by which instructions.

use super::reading::Place;
use super::table::{Setting, Table};
use super::value;
use crate::mail::Address;
use crate::provider::Provider;
use crate::store::{AmbiguousPolicy, EMAIL_INBOUND, MOST_ANSWERS, Mode, WordList};

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
    pub rules: RulesEntry,
    pub voice: VoiceEntry,
}

/// What the file says about how an agent's replies sound.
pub(super) struct VoiceEntry {
    pub signature: Setting<String>,
    pub disclosure: Setting<String>,
    pub language: Setting<String>,
}

/// What the file says about whom an agent answers, what it may link to and how often it may answer.
pub(super) struct RulesEntry {
    pub link_domains: Option<WordList>,
    pub allowed_senders: Option<WordList>,
    pub blocked_senders: Option<WordList>,
    pub require_authenticated: Option<bool>,
    pub limits: LimitsEntry,
}

/// `limits = { .. }`: below those of the configuration.
#[derive(Default)]
pub(super) struct LimitsEntry {
    pub per_correspondent_10_minutes: Setting<i64>,
    pub per_correspondent_day: Setting<i64>,
    pub per_thread_day: Setting<i64>,
    pub per_agent_day: Setting<i64>,
}

pub(super) fn read_agent(mut table: Table<'_>) -> Option<AgentEntry> {
    let place = table.place().clone();
    let name = table.need("name", value::line);
    table.find("type", |written| value::choice(written, &[(EMAIL_INBOUND, ())]));
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
    let rules = read_rules(&mut table);
    let voice = VoiceEntry {
        signature: table.setting("signature", value::signature),
        disclosure: table.setting("disclosure", value::wording),
        language: table.setting("language", value::language),
    };
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
        rules,
        voice,
    })
}

fn read_rules(table: &mut Table<'_>) -> RulesEntry {
    RulesEntry {
        link_domains: table.find("link_domains", value::domains),
        allowed_senders: table.find("allowed_senders", value::senders),
        blocked_senders: table.find("blocked_senders", value::senders),
        require_authenticated: table.find("require_authenticated", value::flag),
        limits: table.table("limits").map(read_limits).unwrap_or_default(),
    }
}

fn read_limits(mut table: Table<'_>) -> LimitsEntry {
    let mut limit = |key| table.setting(key, |written| value::number(written, 1..=MOST_ANSWERS));
    let limits = LimitsEntry {
        per_correspondent_10_minutes: limit("per_correspondent_10_minutes"),
        per_correspondent_day: limit("per_correspondent_day"),
        per_thread_day: limit("per_thread_day"),
        per_agent_day: limit("per_agent_day"),
    };
    table.finish();
    limits
}
