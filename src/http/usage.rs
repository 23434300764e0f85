//! What one's calls of providers came to, and whose key paid for them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Api;
use super::caller::Caller;
use super::error::{ApiError, ErrorCode};
use super::input::Parameters;
use super::runs::dollars;
use crate::clock::Timestamp;
use crate::store::{Payer, UsageCounts, UsageGroups, UsageSum};

/// The longest range, in days.
const MOST_DAYS: u64 = 366;
/// A range whose beginning is not said, in days.
const USUAL_DAYS: u64 = 30;
/// The most groups of one answer.
const MOST_GROUPS: u32 = 5000;

/// Which usage.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UsageParameters {
    /// The first day (UTC); 29 days before the last one if left out.
    #[param(format = Date, example = "2026-11-01")]
    from: Option<String>,
    /// The last day (UTC); today if left out. A range has at most 366 days.
    #[param(format = Date, example = "2026-11-30")]
    to: Option<String>,
    /// By what it is told apart: `day`, `agent`, `model`, `payer`, or several of them with commas between.
    #[param(pattern = "^(day|agent|model|payer)(,(day|agent|model|payer)){0,3}$", default = "day")]
    group_by: Option<String>,
}

/// What was used in a range of days.
#[derive(Serialize, ToSchema)]
pub(super) struct UsageReport {
    /// The first day (UTC).
    #[schema(format = Date)]
    from: String,
    /// The last day (UTC).
    #[schema(format = Date)]
    to: String,
    /// The groups in which there was any, by day.
    items: Vec<UsageItem>,
    /// All groups together.
    total: UsageAmounts,
}

/// What was used in a group; what groups are not told apart by is null.
#[derive(Serialize, ToSchema)]
pub(super) struct UsageItem {
    /// The day (UTC).
    #[schema(format = Date)]
    day: Option<String>,
    /// The agent's id; null for chats, which have none.
    agent_id: Option<String>,
    /// The agent's name; null when there is no such agent any more.
    agent_name: Option<String>,
    /// The provider.
    provider: Option<String>,
    /// The model that was asked for.
    model: Option<String>,
    /// Whose key paid: `owner` for one's own, `platform` for the operator's.
    #[schema(example = "owner")]
    payer: Option<&'static str>,
    /// How much.
    #[serde(flatten)]
    amounts: UsageAmounts,
}

/// How much was used.
#[derive(Serialize, ToSchema)]
pub(super) struct UsageAmounts {
    /// Calls of a provider.
    calls: i64,
    /// Of those, failed ones.
    failed: i64,
    /// Tokens that a model read, cached ones included.
    input_tokens: i64,
    /// Of those, tokens from the provider's cache.
    cached_tokens: i64,
    /// Tokens that a model wrote, reasoning included.
    output_tokens: i64,
    /// Of those, reasoning tokens.
    reasoning_tokens: i64,
    /// What providers said that they charge, in US dollars; null where none said anything.
    cost_usd: Option<f64>,
}

/// See what was used, and whose key paid.
///
/// Failed calls count, since a provider may charge for them. Days are those of UTC.
#[utoipa::path(
    get, path = "/api/usage", tag = "usage", params(UsageParameters),
    responses((status = OK, description = "What was used.", body = UsageReport)),
)]
pub(super) async fn usage(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Parameters(parameters): Parameters<UsageParameters>,
) -> Result<Json<UsageReport>, ApiError> {
    let groups = read_groups(parameters.group_by.as_deref())?;
    let (from, to) = read_range(&parameters, api.store.clock().now().to_utc().date_naive())?;
    let range = (begin(from), begin(next_day(to)));
    let sums = api.store.list_usage(caller.user, range, groups, MOST_GROUPS + 1).await?;
    if sums.len() > usize::try_from(MOST_GROUPS).unwrap_or(usize::MAX) {
        let message =
            format!("there are more than {MOST_GROUPS} groups; ask for fewer days or kinds of groups");
        return Err(ApiError::new(ErrorCode::InvalidInput, message));
    }
    let total = sums.iter().fold(UsageCounts::default(), |total, sum| total.plus(sum.counts));
    Ok(Json(UsageReport {
        from: from.to_string(),
        to: to.to_string(),
        items: sums.into_iter().map(item).collect(),
        total: total.into(),
    }))
}

fn read_groups(words: Option<&str>) -> Result<UsageGroups, ApiError> {
    let mut groups = UsageGroups::default();
    for word in words.unwrap_or("day").split(',') {
        match word {
            "day" => groups.day = true,
            "agent" => groups.agent = true,
            "model" => groups.model = true,
            "payer" => groups.payer = true,
            _ => {
                let problem =
                    "must be `day`, `agent`, `model`, `payer`, or several of them with commas between";
                return Err(ApiError::field("group_by", problem));
            }
        }
    }
    Ok(groups)
}

/// The first and the last day.
fn read_range(parameters: &UsageParameters, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), ApiError> {
    let to = read_day("to", parameters.to.as_deref())?.unwrap_or(today);
    let usual = to.checked_sub_days(Days::new(USUAL_DAYS - 1)).unwrap_or(to);
    let from = read_day("from", parameters.from.as_deref())?.unwrap_or(usual);
    let longest = from.checked_add_days(Days::new(MOST_DAYS)).unwrap_or(NaiveDate::MAX);
    if from > to || to >= longest {
        let problem = format!("must not be after `to`, and at most {MOST_DAYS} days before it");
        return Err(ApiError::field("from", &problem));
    }
    Ok((from, to))
}

fn read_day(name: &str, text: Option<&str>) -> Result<Option<NaiveDate>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| day.to_string() == text);
    day.map(Some).ok_or_else(|| ApiError::field(name, "must be a day such as 2026-11-30"))
}

fn next_day(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

fn begin(day: NaiveDate) -> Timestamp {
    Timestamp::from_millis(day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis())
}

fn item(sum: UsageSum) -> UsageItem {
    UsageItem {
        day: sum.day.map(|day| day_of(day).to_string()),
        agent_id: sum.agent_id.map(|id| id.to_string()),
        agent_name: sum.agent_name,
        provider: sum.provider,
        model: sum.model,
        payer: sum.payer.map(|payer| match payer {
            Payer::Owner => "owner",
            Payer::Platform => "platform",
        }),
        amounts: sum.counts.into(),
    }
}

/// From days since the epoch.
fn day_of(days: i64) -> NaiveDate {
    Timestamp::from_millis(days.saturating_mul(86_400_000)).to_utc().date_naive()
}

impl From<UsageCounts> for UsageAmounts {
    fn from(counts: UsageCounts) -> Self {
        Self {
            calls: counts.calls,
            failed: counts.failed,
            input_tokens: counts.input_tokens,
            cached_tokens: counts.cached_tokens,
            output_tokens: counts.output_tokens,
            reasoning_tokens: counts.reasoning_tokens,
            cost_usd: counts.cost_nanousd.map(dollars),
        }
    }
}
