//! A user's agents, by name.

use super::super::agent::{AgentEntry, RulesEntry, VoiceEntry};
use super::super::document::UserEntry;
use super::super::reading::Place;
use super::super::table::Setting;
use super::mailbox::is_same_address;
use super::{Context, Step, Verb, changed};
use crate::mail::Address;
use crate::store::{
    Agent, AgentId, AiConfigurationId, AmbiguousPolicy, EMAIL_INBOUND, Limits, MailboxId, Mode, Rules, Voice,
    WordList,
};

pub(super) fn plan_all(entry: &UserEntry, context: &mut Context<'_>) {
    let mut planned: Vec<(Agent, &Place)> = Vec::new();
    for agent in &entry.agents {
        planned.extend(plan(entry, agent, context).map(|settled| (settled, &agent.place)));
    }
    refuse_unclear(&planned, context);
}

fn plan(user: &UserEntry, entry: &AgentEntry, context: &mut Context<'_>) -> Option<Agent> {
    let stored = context.stored.agents.iter().find(|stored| stored.name == entry.name).cloned();
    let mailbox_id = find_mailbox(user, entry, context);
    let chosen = find_ai_configuration(user, entry, stored.as_ref(), context);
    let settled = settle(entry, stored.as_ref(), (mailbox_id?, chosen?), context);
    let same = |is_same: &dyn Fn(&Agent) -> bool| stored.as_ref().is_some_and(is_same);
    let changes = changed([
        ("mailbox", same(&|stored| stored.mailbox_id == settled.mailbox_id)),
        ("address", same(&|stored| stored.address == settled.address)),
        ("ai_config", same(&|stored| stored.ai_configuration_id == settled.ai_configuration_id)),
        ("instructions", same(&|stored| stored.instructions == settled.instructions)),
        ("mode", same(&|stored| stored.mode == settled.mode)),
        ("ambiguous", same(&|stored| stored.ambiguous == settled.ambiguous)),
        ("allow_platform_key", same(&|stored| stored.allow_platform_key == settled.allow_platform_key)),
        ("enabled", same(&|stored| stored.enabled == settled.enabled)),
        ("link_domains", same(&|stored| stored.rules.link_domains == settled.rules.link_domains)),
        ("allowed_senders", same(&|stored| stored.rules.allowed_senders == settled.rules.allowed_senders)),
        ("blocked_senders", same(&|stored| stored.rules.blocked_senders == settled.rules.blocked_senders)),
        (
            "require_authenticated",
            same(&|stored| stored.rules.require_authenticated == settled.rules.require_authenticated),
        ),
        ("limits", same(&|stored| stored.rules.limits == settled.rules.limits)),
        ("signature", same(&|stored| stored.voice.signature == settled.voice.signature)),
        ("disclosure", same(&|stored| stored.voice.disclosure == settled.voice.disclosure)),
        ("language", same(&|stored| stored.voice.language == settled.voice.language)),
    ]);
    let step = Step {
        verb: Verb::Left,
        kind: "agent",
        name: entry.name.clone(),
        owner: user.email.clone(),
        changes,
    };
    if context.step(step, stored.is_none()) {
        context.plan.provision.agents.push(settled.clone());
    }
    Some(settled)
}

fn settle(
    entry: &AgentEntry,
    stored: Option<&Agent>,
    (mailbox_id, ai_configuration_id): (MailboxId, Option<AiConfigurationId>),
    context: &Context<'_>,
) -> Agent {
    let stored_address = stored.and_then(|stored| stored.address.as_deref()).and_then(Address::parse);
    let address = entry.address.over(stored_address).map(|address| address.as_str().to_owned());
    let allow_platform_key = entry.allow_platform_key.or(stored.map(|stored| stored.allow_platform_key));
    Agent {
        id: stored.map_or_else(|| AgentId::new(context.clock), |stored| stored.id),
        user_id: context.owner,
        mailbox_id: Some(mailbox_id),
        ai_configuration_id,
        name: entry.name.clone(),
        kind: EMAIL_INBOUND.to_owned(),
        address,
        instructions: entry.instructions.clone(),
        mode: entry.mode.or(stored.map(|stored| stored.mode)).unwrap_or(Mode::Automatic),
        ambiguous: entry.ambiguous.or(stored.map(|stored| stored.ambiguous)).unwrap_or(AmbiguousPolicy::Hold),
        allow_platform_key: allow_platform_key.unwrap_or(false),
        enabled: entry.enabled.or(stored.map(|stored| stored.enabled)).unwrap_or(true),
        rules: settle_rules(&entry.rules, stored.map(|stored| stored.rules.clone()).unwrap_or_default()),
        voice: settle_voice(&entry.voice, stored.map(|stored| stored.voice.clone()).unwrap_or_default()),
    }
}

fn settle_rules(entry: &RulesEntry, stored: Rules) -> Rules {
    let list = |list: &Option<WordList>, stored| list.clone().unwrap_or(stored);
    let limits = &entry.limits;
    Rules {
        link_domains: list(&entry.link_domains, stored.link_domains),
        allowed_senders: list(&entry.allowed_senders, stored.allowed_senders),
        blocked_senders: list(&entry.blocked_senders, stored.blocked_senders),
        require_authenticated: entry.require_authenticated.unwrap_or(stored.require_authenticated),
        limits: Limits {
            per_correspondent_10_minutes: limits
                .per_correspondent_10_minutes
                .over(stored.limits.per_correspondent_10_minutes),
            per_correspondent_day: limits.per_correspondent_day.over(stored.limits.per_correspondent_day),
            per_thread_day: limits.per_thread_day.over(stored.limits.per_thread_day),
            per_agent_day: limits.per_agent_day.over(stored.limits.per_agent_day),
        },
    }
}

fn settle_voice(entry: &VoiceEntry, stored: Voice) -> Voice {
    Voice {
        signature: entry.signature.over(stored.signature),
        disclosure: entry.disclosure.over(stored.disclosure),
        language: entry.language.over(stored.language),
    }
}

/// The user's mailbox of that address, in the file or already there.
fn find_mailbox(user: &UserEntry, entry: &AgentEntry, context: &mut Context<'_>) -> Option<MailboxId> {
    let planned = context.plan.provision.mailboxes.iter();
    let mut mine =
        planned.filter(|mailbox| mailbox.user_id == context.owner).chain(&context.stored.mailboxes);
    let found =
        mine.find(|mailbox| is_same_address(&mailbox.address, &entry.mailbox)).map(|mailbox| mailbox.id);
    if found.is_none() && user.has_all_mailboxes {
        let problem = format!("the user has no mailbox {}, here or already", entry.mailbox.as_str());
        context.findings.fault(&entry.place.key("mailbox"), problem);
    }
    found
}

/// The configuration that the agent names; `Some(None)` is the user's default.
fn find_ai_configuration(
    user: &UserEntry,
    entry: &AgentEntry,
    stored: Option<&Agent>,
    context: &mut Context<'_>,
) -> Option<Option<AiConfigurationId>> {
    let provider = match &entry.ai_config {
        Setting::LeftOut => return Some(stored.and_then(|stored| stored.ai_configuration_id)),
        Setting::TakenAway => return Some(None),
        Setting::Given(provider) => provider.as_str(),
    };
    let planned = context.plan.provision.ai_configurations.iter();
    let mut mine = planned
        .filter(|configuration| configuration.user_id == context.owner)
        .map(|configuration| (configuration.provider.as_str(), configuration.id))
        .chain(context.stored.ai_configurations.iter().map(|stored| (stored.provider.as_str(), stored.id)));
    let found = mine.find(|(name, _)| *name == provider).map(|(_, id)| id);
    if found.is_none() && user.has_all_ai_configurations {
        let problem = format!("the user has no ai_config {provider}, here or already");
        context.findings.fault(&entry.place.key("ai_config"), problem);
    }
    found.map(Some)
}

/// Of several agents of a mailbox, each needs an address of its own, or nobody knows which one is meant.
fn refuse_unclear(planned: &[(Agent, &Place)], context: &mut Context<'_>) {
    let is_left_out = |agent: &&Agent| !planned.iter().any(|(planned, _)| planned.id == agent.id);
    let others: Vec<Agent> = context.stored.agents.iter().filter(is_left_out).cloned().collect();
    for (index, (agent, place)) in planned.iter().enumerate() {
        let earlier = planned.iter().take(index).map(|(earlier, _)| earlier);
        let rival = earlier.chain(&others).find(|other| agent.is_rival_of(other));
        if let Some(rival) = rival {
            let problem = match &agent.address {
                None => format!(
                    "agent \"{}\" answers for this mailbox too; give each its own address",
                    rival.name
                ),
                Some(_) => format!("agent \"{}\" answers for this address already", rival.name),
            };
            context.findings.fault(&place.key("address"), problem);
        }
    }
}
