//! What an owner says about an agent, checked: a change that can be made to any agent.

use super::settings::{AgentInput, LimitsInput};
use super::words::{AgentKind, AmbiguousWord};
use crate::http::error::ApiError;
use crate::http::input::Given;
use crate::http::texts::Line;
use crate::mail::{Language, Wording};
use crate::store::{
    Agent, AiConfigurationId, AmbiguousPolicy, Limits, MOST_ANSWERS, MailboxId, Mode, Rules, Voice, WordList,
};

/// What the model is told where its owner says nothing.
pub(super) const USUAL_INSTRUCTIONS: &str = "Answer helpfully, briefly and in a friendly way. Where you do not know \
    something, say so and do not guess.";

/// A change of an agent; what is unset stays as it is.
pub(super) struct AgentChange {
    name: Option<String>,
    instructions: Option<String>,
    mailbox_id: Given<MailboxId>,
    address: Given<String>,
    ai_configuration_id: Given<AiConfigurationId>,
    mode: Option<Mode>,
    ambiguous: Option<AmbiguousPolicy>,
    allow_platform_key: Option<bool>,
    enabled: Option<bool>,
    rules: RulesChange,
    voice: VoiceChange,
}

struct RulesChange {
    allowed_senders: Option<WordList>,
    blocked_senders: Option<WordList>,
    require_authenticated: Option<bool>,
    link_domains: Option<WordList>,
    limits: Option<Limits>,
}

struct VoiceChange {
    signature: Given<String>,
    disclosure: Given<String>,
    language: Given<String>,
}

impl AgentInput {
    /// The change that is meant.
    pub(super) fn check(self) -> Result<AgentChange, ApiError> {
        // There is no other kind that it could become.
        let (Some(AgentKind::EmailInbound) | None) = self.r#type;
        let usual = || USUAL_INSTRUCTIONS.to_owned();
        Ok(AgentChange {
            name: self.name.map(|name| name.0),
            instructions: self.instructions.map(|given| given.map_or_else(usual, |text| text.0)),
            mailbox_id: self.mailbox_id.map(|given| given.map(MailboxId::from_uuid)),
            address: self.address.map(|given| given.map(|address| address.0)),
            ai_configuration_id: self.ai_config_id.map(|given| given.map(AiConfigurationId::from_uuid)),
            mode: self.mode.map(|given| given.map_or(Mode::Automatic, Mode::from)),
            ambiguous: self.ambiguous.map(|given| given.unwrap_or(AmbiguousWord::Hold).into()),
            allow_platform_key: self.allow_platform_key.map(Option::unwrap_or_default),
            enabled: self.enabled,
            rules: RulesChange {
                allowed_senders: senders("allowedSenders", self.allowed_senders)?,
                blocked_senders: senders("blockedSenders", self.blocked_senders)?,
                require_authenticated: self.require_authenticated.map(Option::unwrap_or_default),
                link_domains: domains("linkDomains", self.link_domains)?,
                limits: or_usual(self.limits, read_limits)?,
            },
            voice: VoiceChange {
                signature: self.signature.map(|given| given.map(|text| text.0)),
                disclosure: or_none(self.disclosure, |text| read_wording(&text.0))?,
                language: or_none(self.language, |tag| read_language(&tag.0))?,
            },
        })
    }
}

impl AgentChange {
    /// Makes the change.
    pub(super) fn make(self, agent: &mut Agent) {
        set(&mut agent.name, self.name);
        set(&mut agent.instructions, self.instructions);
        set(&mut agent.mailbox_id, self.mailbox_id);
        set(&mut agent.address, self.address);
        set(&mut agent.ai_configuration_id, self.ai_configuration_id);
        set(&mut agent.mode, self.mode);
        set(&mut agent.ambiguous, self.ambiguous);
        set(&mut agent.allow_platform_key, self.allow_platform_key);
        set(&mut agent.enabled, self.enabled);
        self.rules.make(&mut agent.rules);
        self.voice.make(&mut agent.voice);
    }
}

impl RulesChange {
    fn make(self, rules: &mut Rules) {
        set(&mut rules.allowed_senders, self.allowed_senders);
        set(&mut rules.blocked_senders, self.blocked_senders);
        set(&mut rules.require_authenticated, self.require_authenticated);
        set(&mut rules.link_domains, self.link_domains);
        set(&mut rules.limits, self.limits);
    }
}

impl VoiceChange {
    fn make(self, voice: &mut Voice) {
        set(&mut voice.signature, self.signature);
        set(&mut voice.disclosure, self.disclosure);
        set(&mut voice.language, self.language);
    }
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}

/// Checks what was given; null is nothing.
fn or_none<T, V>(
    given: Given<T>,
    check: impl FnOnce(T) -> Result<V, ApiError>,
) -> Result<Given<V>, ApiError> {
    given.map(|value| value.map(check).transpose()).transpose()
}

/// Checks what was given; null is what is usual.
fn or_usual<T, V: Default>(
    given: Given<T>,
    check: impl FnOnce(T) -> Result<V, ApiError>,
) -> Result<Option<V>, ApiError> {
    Ok(or_none(given, check)?.map(Option::unwrap_or_default))
}

fn senders(field: &str, given: Given<Vec<Line>>) -> Result<Option<WordList>, ApiError> {
    or_usual(given, |lines| {
        let read = WordList::of_senders(bounded(field, &lines)?);
        read.ok_or_else(|| ApiError::field(field, "must be a list of mail addresses and domains"))
    })
}

fn domains(field: &str, given: Given<Vec<Line>>) -> Result<Option<WordList>, ApiError> {
    or_usual(given, |lines| {
        let read = WordList::of_domains(bounded(field, &lines)?);
        read.ok_or_else(|| ApiError::field(field, "must be a list of domains"))
    })
}

fn bounded<'a>(field: &str, lines: &'a [Line]) -> Result<impl Iterator<Item = &'a str> + use<'a>, ApiError> {
    if lines.len() > WordList::MOST {
        return Err(ApiError::field(field, &format!("must not have more than {} entries", WordList::MOST)));
    }
    Ok(lines.iter().map(|line| line.0.as_str()))
}

fn read_limits(written: LimitsInput) -> Result<Limits, ApiError> {
    let check = |field: &str, most: Option<i64>| match most {
        Some(most) if !(1..=MOST_ANSWERS).contains(&most) => {
            let problem = format!("must be a whole number from 1 to {MOST_ANSWERS}");
            Err(ApiError::field(&format!("limits.{field}"), &problem))
        }
        _ => Ok(most),
    };
    Ok(Limits {
        per_correspondent_10_minutes: check(
            "perCorrespondent10Minutes",
            written.per_correspondent_10_minutes,
        )?,
        per_correspondent_day: check("perCorrespondentDay", written.per_correspondent_day)?,
        per_thread_day: check("perThreadDay", written.per_thread_day)?,
        per_agent_day: check("perAgentDay", written.per_agent_day)?,
    })
}

fn read_wording(text: &str) -> Result<String, ApiError> {
    let wording = Wording::parse(text.trim());
    let wording = wording.map_err(|fault| ApiError::field("disclosure", &fault.to_string()))?;
    Ok(wording.as_str().to_owned())
}

fn read_language(tag: &str) -> Result<String, ApiError> {
    let found = Language::of_tag(&tag.to_lowercase()).map(|language| language.tag().to_owned());
    found.ok_or_else(|| {
        let tags: Vec<&str> = Language::all().map(Language::tag).collect();
        ApiError::field("language", &format!("must be one of {}", tags.join(", ")))
    })
}
