//! What an owner says about an agent, checked and put into its row.

use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::words::{AgentKind, AmbiguousWord, ModeWord};
use crate::http::error::ApiError;
use crate::http::input::{Given, given};
use crate::http::texts::{Email, Line, Text};
use crate::mail::{Language, Wording};
use crate::store::{Agent, AiConfigurationId, Limits, MOST_ANSWERS, MailboxId, Mode, WordList};

/// What the model is told where its owner says nothing.
pub(super) const USUAL_INSTRUCTIONS: &str = "Answer helpfully, briefly and in a friendly way. Where you do not know \
    something, say so and do not guess.";

pub(super) type Instructions = Text<65_536>;
pub(super) type Signature = Text<2_000>;

/// What is to change; what is left out stays, and null stands for the default.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AgentInput {
    /// Another name.
    #[serde(default)]
    pub(super) name: Option<Line>,
    /// Cannot be changed; accepted where it says what is there already.
    #[serde(default)]
    pub(super) r#type: Option<AgentKind>,
    /// What the model is told.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Instructions>)]
    pub(super) instructions: Given<Instructions>,
    /// The mailbox that it answers for.
    #[serde(default, alias = "mailbox_id", deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    pub(super) mailbox_id: Given<Uuid>,
    /// Its own address; needed where several agents share a mailbox.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Email>)]
    pub(super) address: Given<Email>,
    /// The AI configuration to use instead of the default one.
    #[serde(default, alias = "ai_config_id", deserialize_with = "given")]
    #[schema(value_type = Option<Uuid>)]
    pub(super) ai_config_id: Given<Uuid>,
    /// Whether replies are sent, or held for approval.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<ModeWord>)]
    pub(super) mode: Given<ModeWord>,
    /// What happens when nobody knows whether a mail went out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<AmbiguousWord>)]
    pub(super) ambiguous: Given<AmbiguousWord>,
    /// Whether the operator's key may step in where there is no key of one's own.
    #[serde(default, alias = "allow_platform_key", deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub(super) allow_platform_key: Given<bool>,
    /// Whether it answers at all.
    #[serde(default)]
    pub(super) enabled: Option<bool>,
    /// Addresses and domains that alone are answered.
    #[serde(default, alias = "allowed_senders", deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Line>>, max_items = 1000)]
    pub(super) allowed_senders: Given<Vec<Line>>,
    /// Addresses and domains that are never answered.
    #[serde(default, alias = "blocked_senders", deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Line>>, max_items = 1000)]
    pub(super) blocked_senders: Given<Vec<Line>>,
    /// Whether only senders are answered for whom the mailbox's own mail host vouches.
    #[serde(default, alias = "require_authenticated", deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    pub(super) require_authenticated: Given<bool>,
    /// Domains that replies may link to, with what is below them.
    #[serde(default, alias = "link_domains", deserialize_with = "given")]
    #[schema(value_type = Option<Vec<Line>>, max_items = 1000)]
    pub(super) link_domains: Given<Vec<Line>>,
    /// Limits below those of the server.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<LimitsInput>)]
    pub(super) limits: Given<LimitsInput>,
    /// Lines below each reply.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Signature>)]
    pub(super) signature: Given<Signature>,
    /// The wording of the line that says who answers; it names `{owner}`, an AI, and the word HUMAN.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Text<300>>)]
    pub(super) disclosure: Given<Text<300>>,
    /// The language to answer in, instead of the mail's own.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Line>, example = "en")]
    pub(super) language: Given<Line>,
}

/// How often an agent may answer at most; null, or left out, is the server's own limit.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LimitsInput {
    /// To one correspondent in 10 minutes.
    #[serde(default, rename = "perCorrespondent10Minutes", alias = "per_correspondent_10_minutes")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    per_correspondent_10_minutes: Option<i64>,
    /// To one correspondent in a day.
    #[serde(default, alias = "per_correspondent_day")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    per_correspondent_day: Option<i64>,
    /// In one thread in a day.
    #[serde(default, alias = "per_thread_day")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    per_thread_day: Option<i64>,
    /// In a day.
    #[serde(default, alias = "per_agent_day")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    per_agent_day: Option<i64>,
}

impl AgentInput {
    /// A change that can be made to any agent.
    pub(super) fn check(self) -> Result<impl FnOnce(&mut Agent) + Send + 'static, ApiError> {
        let senders = |words: Vec<Line>, field| {
            read_words(words, field, "addresses and domains", |lines| {
                WordList::of_senders(lines.iter().map(|line| line.0.as_str()))
            })
        };
        let allowed = read(self.allowed_senders, |words| senders(words, "allowedSenders"))?;
        let blocked = read(self.blocked_senders, |words| senders(words, "blockedSenders"))?;
        let domains = read(self.link_domains, |words| {
            read_words(words, "linkDomains", "domains", |lines| {
                WordList::of_domains(lines.iter().map(|line| line.0.as_str()))
            })
        })?;
        let limits = read(self.limits, read_limits)?;
        let disclosure = read(self.disclosure, |text| read_wording(&text.0))?;
        let language = read(self.language, |tag| read_language(&tag.0))?;
        // There is no other kind that it could become.
        let (Some(AgentKind::EmailInbound) | None) = self.r#type;
        Ok(move |agent: &mut Agent| {
            set(&mut agent.name, self.name.map(|name| name.0));
            set(
                &mut agent.instructions,
                self.instructions
                    .map(|given| given.map_or_else(|| USUAL_INSTRUCTIONS.to_owned(), |text| text.0)),
            );
            set(&mut agent.mailbox_id, self.mailbox_id.map(|given| given.map(MailboxId::from_uuid)));
            set(&mut agent.address, self.address.map(|given| given.map(|address| address.0)));
            set(
                &mut agent.ai_configuration_id,
                self.ai_config_id.map(|given| given.map(AiConfigurationId::from_uuid)),
            );
            set(&mut agent.mode, self.mode.map(|given| given.map_or(Mode::Automatic, Mode::from)));
            set(
                &mut agent.ambiguous,
                self.ambiguous.map(|given| given.unwrap_or(AmbiguousWord::Hold).into()),
            );
            set(&mut agent.allow_platform_key, self.allow_platform_key.map(Option::unwrap_or_default));
            set(&mut agent.enabled, self.enabled);
            set(&mut agent.rules.allowed_senders, allowed.map(Option::unwrap_or_default));
            set(&mut agent.rules.blocked_senders, blocked.map(Option::unwrap_or_default));
            set(
                &mut agent.rules.require_authenticated,
                self.require_authenticated.map(Option::unwrap_or_default),
            );
            set(&mut agent.rules.link_domains, domains.map(Option::unwrap_or_default));
            set(&mut agent.rules.limits, limits.map(Option::unwrap_or_default));
            set(&mut agent.voice.signature, self.signature.map(|given| given.map(|text| text.0)));
            set(&mut agent.voice.disclosure, disclosure);
            set(&mut agent.voice.language, language);
        })
    }
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}

/// Checks what was given, if anything.
fn read<T, V>(given: Given<T>, check: impl FnOnce(T) -> Result<V, ApiError>) -> Result<Given<V>, ApiError> {
    given.map(|value| value.map(check).transpose()).transpose()
}

fn read_words(
    words: Vec<Line>,
    field: &str,
    what: &str,
    read: impl FnOnce(&[Line]) -> Option<WordList>,
) -> Result<WordList, ApiError> {
    if words.len() > WordList::MOST {
        return Err(ApiError::field(field, &format!("must not have more than {} entries", WordList::MOST)));
    }
    read(&words).ok_or_else(|| ApiError::field(field, &format!("must be a list of {what}")))
}

fn read_limits(written: LimitsInput) -> Result<Limits, ApiError> {
    let check = |field: &str, most: Option<i64>| match most {
        Some(most) if !(1..=MOST_ANSWERS).contains(&most) => Err(ApiError::field(
            &format!("limits.{field}"),
            &format!("must be a whole number from 1 to {MOST_ANSWERS}"),
        )),
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
