//! What became of each mail, found out from outside: by the post office's events and the rows of the database.

use std::collections::HashSet;
use std::time::Duration;

use super::DemoError;
use super::cast::Owner;
use super::letters::Script;
use crate::clock::Timestamp;
use crate::demo::post_office::Event;
use crate::mail::gate::SkipReason;
use crate::mail::{self, Limits, Mail};
use crate::run::explain;
use crate::store::{CallId, Payer, ProviderCall, Run, RunId, RunState, Store};

/// Newest runs of an owner among which new mails are looked for.
const NEWEST: u32 = 100;

/// A step that a mail has made.
pub(super) struct News {
    /// Mails are numbered from 1 as they come.
    pub(super) number: usize,
    pub(super) step: Step,
}

/// What happened.
pub(super) enum Step {
    Arrived {
        from: String,
        to: String,
        subject: String,
        client: Option<&'static str>,
    },
    Queued {
        run: RunId,
    },
    Resolved {
        agent: String,
        owner: &'static str,
    },
    Paid {
        payer: String,
        key: String,
        input: i64,
        output: i64,
    },
    CallFailed {
        class: String,
    },
    Replied {
        to: String,
        after: Duration,
        words: String,
    },
    /// Rightly unanswered.
    Skipped {
        sentence: String,
    },
    /// Not answered, or not yet, though it should be.
    Troubled {
        state: RunState,
        sentence: String,
    },
}

/// A mail and what has been told of it.
struct Seen {
    owner: Owner,
    uid: u32,
    arrived_at: Timestamp,
    run: Option<RunId>,
    is_resolved: bool,
    calls: HashSet<CallId>,
    /// The last state and reason told.
    told: Option<(RunState, Option<String>)>,
    /// Whether nothing more happens to it without a person.
    is_settled: bool,
}

/// Everything seen so far.
pub(super) struct Watch {
    store: Store,
    owners: Vec<Owner>,
    mails: Vec<Seen>,
    handed_over: usize,
    are_mailboxes_open: bool,
}

impl Watch {
    pub(super) fn new(store: Store, owners: Vec<Owner>) -> Self {
        Self { store, owners, mails: Vec::new(), handed_over: 0, are_mailboxes_open: false }
    }

    /// Whether the service has shown life in every mailbox.
    pub(super) async fn are_mailboxes_open(&mut self) -> Result<bool, DemoError> {
        if !self.are_mailboxes_open {
            for owner in &self.owners {
                let mailbox = self.store.find_mailbox(owner.user, owner.mailbox).await?;
                if mailbox.is_none_or(|mailbox| mailbox.last_alive_at.is_none()) {
                    return Ok(false);
                }
            }
            self.are_mailboxes_open = true;
        }
        Ok(true)
    }

    /// How many replies the post office took from the service.
    pub(super) fn handed_over(&self) -> usize {
        self.handed_over
    }

    /// Whether nothing more will happen to any mail without a person.
    pub(super) fn is_settled(&self) -> bool {
        self.mails.iter().all(|mail| mail.is_settled)
    }

    /// Takes note of what the post office tells.
    pub(super) fn notice(&mut self, event: &Event, script: &Script) -> Option<News> {
        match event {
            Event::MailAccepted { envelope, .. } => {
                self.handed_over += usize::from(envelope.submitted_by.is_some());
                None
            }
            Event::MailArrived { address, uid, bytes, at } => {
                let owner = self.owners.iter().find(|owner| *owner.address == **address)?.clone();
                let mail = mail::read(bytes, &Limits::default());
                let (from, to) = (writer(&mail), owner.address.to_owned());
                let client = script.client_of(&mail);
                self.mails.push(Seen {
                    owner,
                    uid: *uid,
                    arrived_at: *at,
                    run: None,
                    is_resolved: false,
                    calls: HashSet::new(),
                    told: None,
                    is_settled: false,
                });
                let step = Step::Arrived { from, to, subject: mail.subject, client };
                Some(News { number: self.mails.len(), step })
            }
        }
    }

    /// Looks at the rows of every mail that has not ended.
    pub(super) async fn look(&mut self) -> Result<Vec<News>, DemoError> {
        let mut news = self.find_runs().await?;
        for (index, mail) in self.mails.iter_mut().enumerate() {
            let is_over = mail.told.as_ref().is_some_and(|(state, _)| state.is_end());
            if let Some(run) = mail.run.filter(|_| !is_over) {
                let steps = mail.look(&self.store, run).await?;
                news.extend(steps.into_iter().map(|step| News { number: index + 1, step }));
            }
        }
        Ok(news)
    }

    /// Finds out which run belongs to which mail: they have the UID in common.
    async fn find_runs(&mut self) -> Result<Vec<News>, DemoError> {
        let mut news = Vec::new();
        for owner in &self.owners {
            let is_new = |mail: &Seen| mail.owner.user == owner.user && mail.run.is_none();
            if !self.mails.iter().any(is_new) {
                continue;
            }
            for run in self.store.list_runs(owner.user, None, NEWEST).await? {
                let message = self.store.find_message(owner.user, run.id.message()).await?;
                let uid = message.and_then(|message| message.uid);
                let mut mails = self.mails.iter_mut().enumerate();
                let found = mails.find(|(_, mail)| is_new(mail) && uid == Some(i64::from(mail.uid)));
                if let Some((index, mail)) = found {
                    mail.run = Some(run.id);
                    news.push(News { number: index + 1, step: Step::Queued { run: run.id } });
                }
            }
        }
        Ok(news)
    }
}

impl Seen {
    /// The run's row is read first, so that everything that led to its state is there when the rest is read.
    async fn look(&mut self, store: &Store, id: RunId) -> Result<Vec<Step>, DemoError> {
        let Some(run) = store.find_run(self.owner.user, id).await? else { return Ok(Vec::new()) };
        let mut steps = Vec::new();
        if !self.is_resolved && run.agent_id.is_some() {
            self.is_resolved = true;
            let agents = store.list_agents(self.owner.user).await?;
            let agent = agents.into_iter().find(|agent| Some(agent.id) == run.agent_id);
            let agent = agent.map_or_else(|| "(removed)".to_owned(), |agent| agent.name);
            steps.push(Step::Resolved { agent, owner: self.owner.name });
        }
        for call in store.list_calls(self.owner.user, id).await? {
            if call.ended_at.is_some() && self.calls.insert(call.id) {
                steps.push(self.read_call(store, call).await?);
            }
        }
        steps.extend(self.read_state(store, run).await?);
        Ok(steps)
    }

    async fn read_call(&self, store: &Store, call: ProviderCall) -> Result<Step, DemoError> {
        if let Some(class) = call.error_class {
            return Ok(Step::CallFailed { class });
        }
        let configuration = store.find_ai_configuration(self.owner.user, call.ai_configuration_id).await?;
        let (payer, key) = match call.payer {
            Payer::Owner => (self.owner.name.to_owned(), configuration.map(|found| found.api_key_mask)),
            Payer::Platform => ("the platform".to_owned(), None),
        };
        let (input, output) = (call.input_tokens, call.output_tokens);
        Ok(Step::Paid { payer, key: key.unwrap_or_default(), input, output })
    }

    /// What a person would want to hear about the run's state, once.
    async fn read_state(&mut self, store: &Store, run: Run) -> Result<Option<Step>, DemoError> {
        let is_parked = run.state == RunState::Waiting && run.due_at.is_none();
        self.is_settled = run.state.is_end() || run.state == RunState::Held || is_parked;
        let now = Some((run.state, run.reason.clone()));
        if matches!(run.state, RunState::Queued | RunState::Running) || self.told == now {
            return Ok(None);
        }
        self.told = now;
        let reason = run.reason.as_deref();
        let sentence = explain::sentence(run.state, reason, run.detail.as_deref());
        Ok(Some(match run.state {
            RunState::Replied => self.read_reply(store, &run).await?,
            RunState::Skipped => {
                let reason = reason.and_then(SkipReason::from_code);
                Step::Skipped { sentence: reason.map_or(sentence, |reason| reason.explain().to_owned()) }
            }
            state => Step::Troubled { state, sentence },
        }))
    }

    async fn read_reply(&self, store: &Store, run: &Run) -> Result<Step, DemoError> {
        let after = run.finished_at.map(|end| end.since(self.arrived_at)).unwrap_or_default();
        let reply = store.find_outbox_mail(self.owner.user, run.id).await?;
        let to = reply.as_ref().map(|reply| reply.recipient.clone()).unwrap_or_default();
        let raw = reply.and_then(|reply| reply.raw).unwrap_or_default();
        let words = mail::read(&raw, &Limits::default()).text.visible;
        Ok(Step::Replied { to, after, words })
    }
}

/// The name that a person would see.
fn writer(mail: &Mail) -> String {
    let Some(from) = mail.from.first() else { return "nobody".to_owned() };
    from.name.clone().unwrap_or_else(|| from.address.as_str().to_owned())
}
