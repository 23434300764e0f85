//! What it came to: every mail in exactly one outcome, and what each owner used.

use std::io::{self, Write};

use super::DemoError;
use super::letters::Script;
use super::screen::{Look, Screen};
use super::stage::{Asked, Stage};
use super::watch::Watch;
use crate::mail::gate::SkipReason;
use crate::store::{RunState, StateCount};
use crate::vault::mask;

/// The sums at the end.
pub(super) struct Totals {
    /// Mails in the post office's INBOXes.
    delivered: usize,
    /// Replies that the post office took.
    handed_over: usize,
    /// Sample mails that nobody came to write.
    unwritten: usize,
    counts: Vec<StateCount>,
    owners: Vec<Used>,
    is_live: bool,
}

/// What an owner used.
struct Used {
    name: &'static str,
    key: String,
    calls: i64,
    input: i64,
    output: i64,
    /// Tokens by the provider's own books; `None` where they cannot be seen.
    billed: Option<u64>,
}

impl Totals {
    pub(super) async fn read(stage: &Stage, script: &Script, watch: &Watch) -> Result<Self, DemoError> {
        let mut totals = Self {
            delivered: 0,
            handed_over: watch.handed_over(),
            unwritten: script.unwritten(),
            counts: Vec::new(),
            owners: Vec::new(),
            is_live: matches!(stage.asked, Asked::Live(_)),
        };
        for owner in &stage.owners {
            totals.delivered += stage.post_office.count(owner.address, "INBOX").unwrap_or_default();
            totals.counts.extend(stage.store.count_runs(owner.user).await?);
            let usage = stage.store.sum_usage(owner.user).await?;
            let billed = match &stage.asked {
                Asked::StandIn(model) => Some(model.use_of(&owner.key)),
                Asked::Live(_) => None,
            };
            totals.owners.push(Used {
                name: owner.name,
                key: mask(&owner.key),
                calls: usage.iter().map(|total| total.calls).sum(),
                input: usage.iter().map(|total| total.input_tokens).sum(),
                output: usage.iter().map(|total| total.output_tokens).sum(),
                billed: billed.map(|billed| billed.input_tokens.saturating_add(billed.output_tokens)),
            });
        }
        Ok(totals)
    }

    /// Every sample mail is answered or rightly not, and all books agree.
    pub(super) fn verdict(&self) -> Result<(), DemoError> {
        let received = self.received();
        let open = received - self.count(RunState::Replied) - self.count(RunState::Skipped);
        let mut missing = Vec::new();
        if self.unwritten > 0 {
            missing.push(format!(
                "{} sample mails were not sent, since the replies they answer never came",
                self.unwritten
            ));
        }
        if i64::try_from(self.delivered).ok() != Some(received) {
            missing.push(format!("{} mails were delivered, but {received} taken in", self.delivered));
        }
        if open > 0 {
            missing.push(format!("{open} mails are neither replied to nor skipped"));
        }
        if i64::try_from(self.handed_over).ok() != Some(self.count(RunState::Replied)) {
            missing.push(format!("{} replies reached the post office", self.handed_over));
        }
        missing.extend(self.owners.iter().filter_map(Used::dispute));
        if missing.is_empty() { Ok(()) } else { Err(DemoError::Unfinished(missing.join("; "))) }
    }

    pub(super) fn print<W: Write>(&self, screen: &mut Screen<W>) -> io::Result<()> {
        let equation = screen.paint(Look::Bold, &self.equation());
        screen.line(&format!("\n{}\n\n  {equation}", "─".repeat(100)))?;
        for (reason, count) in self.skipped() {
            screen.line(&format!("    {count} × {reason}"))?;
        }
        let heading = format!(
            "{:<13}{:<15}{:>6}{:>12}{:>12}   {}",
            "OWNER",
            "KEY",
            "CALLS",
            "TOKENS IN",
            "TOKENS OUT",
            self.billing()
        );
        screen.line(&format!("\n  {}", screen.paint(Look::Dim, &heading)))?;
        for used in &self.owners {
            screen.line(&format!("  {}", used.row()))?;
        }
        screen.line(&format!("\n  {}\n", screen.paint(Look::Dim, self.confession())))
    }

    /// `6 mails received = 4 replied + 2 skipped`.
    fn equation(&self) -> String {
        let good = [RunState::Replied, RunState::Skipped];
        let others =
            RunState::ALL.into_iter().filter(|state| !good.contains(state) && self.count(*state) > 0);
        let told = good.into_iter().chain(others);
        let parts: Vec<String> =
            told.map(|state| format!("{} {}", self.count(state), state.as_str())).collect();
        format!("{} mails received = {}", self.received(), parts.join(" + "))
    }

    fn received(&self) -> i64 {
        self.counts.iter().map(|count| count.runs).sum()
    }

    fn count(&self, state: RunState) -> i64 {
        self.counts.iter().filter(|count| count.state == state).map(|count| count.runs).sum()
    }

    /// Reasons in words and as codes, with how often.
    fn skipped(&self) -> Vec<(String, i64)> {
        let mut found: Vec<(String, i64)> = Vec::new();
        for count in self.counts.iter().filter(|count| count.state == RunState::Skipped) {
            let reason = explain(count.reason.as_deref().unwrap_or_default());
            match found.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, runs)) => *runs += count.runs,
                None => found.push((reason, count.runs)),
            }
        }
        found
    }

    fn billing(&self) -> &'static str {
        if self.is_live { "" } else { "PROVIDER'S BOOKS" }
    }

    fn confession(&self) -> &'static str {
        if self.is_live {
            "The post office was a stand-in inside this process: no mail left this machine. The provider was the one\n  \
             you named, and the service was real: watching, queue, vault, provider calls, composing, sending."
        } else {
            "The post office and the provider were stand-ins inside this process: no mail left this machine, and no\n  \
             model thought. The service was real: watching, queue, vault, provider calls, composing, sending."
        }
    }
}

fn explain(code: &str) -> String {
    match SkipReason::from_code(code) {
        Some(reason) => format!("{}  ({code}, {})", reason.explain(), reason.rule()),
        None => code.to_owned(),
    }
}

impl Used {
    fn row(&self) -> String {
        let Self { name, key, calls, input, output, .. } = self;
        let books = match (self.billed, self.dispute()) {
            (None, _) => "",
            (Some(_), None) => "the same",
            (Some(_), Some(_)) => "DIFFERENT",
        };
        format!("{name:<13}{key:<15}{calls:>6}{input:>12}{output:>12}   {books}")
    }

    /// Where the provider counted something else.
    fn dispute(&self) -> Option<String> {
        let billed = i64::try_from(self.billed?).unwrap_or(i64::MAX);
        let used = self.input + self.output;
        (billed != used).then(|| format!("{}: {used} tokens stored, {billed} billed", self.name))
    }
}
