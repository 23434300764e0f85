//! A user's AI configurations, by provider.

use super::super::ai_configuration::AiConfigurationEntry;
use super::super::document::UserEntry;
use super::{Context, Step, Verb, changed};
use crate::cli::CliError;
use crate::store::{API_KEY_COLUMN, AiConfiguration, AiConfigurationId, KeyState, NewAiConfiguration};
use crate::vault::{Place, last_four, mask};

pub(super) fn plan_all(entry: &UserEntry, context: &mut Context<'_>) -> Result<(), CliError> {
    let default = choose_default(entry, context);
    for configuration in &entry.ai_configurations {
        let provider = configuration.provider.as_str();
        plan(entry, configuration, default.as_deref() == Some(provider), context)?;
    }
    Ok(())
}

/// The provider of the user's default once the file is applied; there must be one if there is any.
fn choose_default(entry: &UserEntry, context: &mut Context<'_>) -> Option<String> {
    let given = &entry.ai_configurations;
    if let Some(marked) = given.iter().find(|configuration| configuration.default == Some(true)) {
        return Some(marked.provider.as_str().to_owned());
    }
    let stored = context.stored.ai_configurations.iter().find(|configuration| configuration.is_default);
    let unmarked = |provider: &str| {
        given.iter().any(|entry| entry.provider.as_str() == provider && entry.default == Some(false))
    };
    if let Some(stored) = stored.filter(|configuration| !unmarked(&configuration.provider)) {
        return Some(stored.provider.clone());
    }
    match given.as_slice() {
        [] => None,
        [only] if stored.is_none() && only.default.is_none() => Some(only.provider.as_str().to_owned()),
        [first, ..] => {
            if entry.has_all_ai_configurations {
                let problem = "the user would have no default AI configuration; write default = true at one";
                context.findings.fault(&first.place.key("default"), problem);
            }
            None
        }
    }
}

fn plan(
    user: &UserEntry,
    entry: &AiConfigurationEntry,
    is_default: bool,
    context: &mut Context<'_>,
) -> Result<(), CliError> {
    let provider = entry.provider.as_str();
    let stored = context.stored.ai_configurations.iter().find(|stored| stored.provider == provider).cloned();
    let fingerprint = context.vault.fingerprint(context.owner.uuid(), &entry.api_key);
    let base_url = entry.base_url.over(stored.as_ref().and_then(|stored| stored.base_url.clone()));
    let temperature = entry.temperature.over(stored.as_ref().and_then(|stored| stored.temperature));
    let max_output_tokens =
        entry.max_tokens.over(stored.as_ref().and_then(|stored| stored.max_output_tokens));
    let is_same_key = stored.as_ref().is_some_and(|stored| stored.key_fingerprint == fingerprint);
    let same = |is_same: &dyn Fn(&AiConfiguration) -> bool| stored.as_ref().is_some_and(is_same);
    let changes = changed([
        ("api_key", is_same_key),
        ("base_url", same(&|stored| stored.base_url == base_url)),
        ("model", same(&|stored| stored.model == entry.model)),
        ("temperature", same(&|stored| stored.temperature == temperature)),
        ("max_tokens", same(&|stored| stored.max_output_tokens == max_output_tokens)),
        ("default", same(&|stored| stored.is_default == is_default)),
        // The same key again means: it works now, try it.
        ("tried again", same(&|stored| stored.state == KeyState::Active)),
    ]);
    let step = Step {
        verb: Verb::Left,
        kind: "ai_config",
        name: provider.to_owned(),
        owner: user.email.clone(),
        changes,
    };
    if !context.step(step, stored.is_none()) {
        return Ok(());
    }
    let id = stored.as_ref().map_or_else(|| AiConfigurationId::new(context.clock), |stored| stored.id);
    let owner = context.owner;
    let place = Place { column: API_KEY_COLUMN, owner: owner.uuid(), record: id.uuid(), provider };
    let verified_at = stored.as_ref().filter(|_| is_same_key).and_then(|stored| stored.verified_at);
    let api_key = match stored.filter(|_| is_same_key) {
        Some(stored) => stored.api_key,
        None => context.vault.seal(&place, &entry.api_key)?,
    };
    context.plan.provision.ai_configurations.push(NewAiConfiguration {
        id,
        user_id: owner,
        provider: provider.to_owned(),
        base_url,
        model: entry.model.clone(),
        temperature,
        max_output_tokens,
        api_key,
        api_key_mask: mask(&entry.api_key),
        api_key_last_four: last_four(&entry.api_key),
        key_fingerprint: fingerprint,
        is_default,
        verified_at,
    });
    Ok(())
}
