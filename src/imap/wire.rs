//! Commands out, answers in: tags, deadlines and what a tagged answer means.

use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_imap::Client;
use async_imap::imap_proto::{MailboxDatum, Outcome, RequestId, Response, Status};
use futures::FutureExt;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};

use super::bounded::Bounded;
use super::code::Code;
use super::error::{CredentialFault, ImapError, Refused, Step};
use super::framer::{Breach, Limits};
use super::timeouts::Timeouts;
use crate::net::Stream;

/// The slowest transfer that is not called hanging, in bytes per second.
const SLOWEST: usize = 8 * 1024;

/// The name of a command under way.
pub(super) struct Tag(String);

impl Tag {
    /// The beginning of the command's line.
    pub(super) fn begin(&self, command: &str) -> String {
        format!("{} {command}", self.0)
    }
}

/// A connection with its counters; who holds it knows in which state the session is.
pub(super) struct Wire {
    client: Client<Bounded>,
    timeouts: Timeouts,
    tags: u32,
    answers: u64,
    /// Whether the folder was said to have grown since it was last searched.
    news: bool,
    /// How many mails the open folder was said to hold.
    exists: u32,
    /// When the step under way began, and how long it may take before bytes arrive.
    began: Instant,
    patience: Duration,
}

impl Wire {
    pub(super) fn new(stream: Stream, timeouts: Timeouts) -> Self {
        let client = Client::new(Bounded::new(stream));
        Self {
            client,
            timeouts,
            tags: 0,
            answers: 0,
            news: false,
            exists: 0,
            began: Instant::now(),
            patience: timeouts.command,
        }
    }

    pub(super) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub(super) fn into_stream(self) -> Stream {
        self.client.into_inner().into_stream()
    }

    /// Whether nothing was received beyond the answers that were read.
    pub(super) fn is_drained(&self) -> bool {
        let framer = &self.client.get_ref().framer;
        framer.frames() == self.answers && framer.is_between_frames()
    }

    /// Sets the limits for the next answers.
    pub(super) fn allow(&mut self, limits: Limits) {
        self.client.get_mut().framer.allow(limits);
    }

    /// Whether the next search will see mail that none has seen yet.
    pub(super) fn set_news(&mut self, news: bool) {
        self.news = news;
    }

    /// Whether there may be mail that no search has seen.
    pub(super) fn has_news(&self) -> bool {
        self.news
    }

    /// How many mails the open folder holds, as far as the server has said.
    pub(super) fn exists(&self) -> u32 {
        self.exists
    }

    /// Begins a step: its deadline runs from now.
    pub(super) fn begin(&mut self, patience: Duration) {
        self.began = Instant::now();
        self.patience = patience;
    }

    /// One whole command: shows every answer to `each`, the tagged one too, and succeeds with its `OK`.
    pub(super) async fn command(
        &mut self,
        step: Step,
        command: &str,
        each: impl FnMut(&Response<'_>),
    ) -> Result<(), ImapError> {
        self.allow(Limits::SMALL);
        self.bounded_command(step, command, each).await
    }

    /// As [`Wire::command`], within the limits that the caller has set.
    pub(super) async fn bounded_command(
        &mut self,
        step: Step,
        command: &str,
        each: impl FnMut(&Response<'_>),
    ) -> Result<(), ImapError> {
        self.begin(self.timeouts.command);
        let tag = self.tag();
        self.write(step, tag.begin(&format!("{command}\r\n")).as_bytes()).await?;
        self.finish(step, &tag, each).await
    }

    /// The name of the next command.
    pub(super) fn tag(&mut self) -> Tag {
        self.tags = self.tags.wrapping_add(1);
        Tag(format!("P{}", self.tags))
    }

    /// Writes and flushes, within the deadline of the step plus the time that many bytes need.
    pub(super) async fn write(&mut self, step: Step, bytes: &[u8]) -> Result<(), ImapError> {
        let due = self.began + self.patience + time_for(bytes.len());
        let stream = self.client.get_mut().stream();
        let written = timeout_at(due, async {
            stream.write_all(bytes).await?;
            stream.flush().await
        });
        written.await.map_err(|_| ImapError::Timeout(step))?.map_err(|_| ImapError::Closed)
    }

    /// Reads until the tagged answer of the command.
    pub(super) async fn finish(
        &mut self,
        step: Step,
        tag: &Tag,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), ImapError> {
        let mut see = |answer: &Response<'_>| {
            each(answer);
            judge(step, tag, answer)
        };
        loop {
            if let Some(end) = self.next(step, &mut see).await? {
                return end;
            }
        }
    }

    /// Reads until the server asks for the rest of the command (`+`).
    pub(super) async fn await_continue(&mut self, step: Step, tag: &Tag) -> Result<(), ImapError> {
        let mut see = |answer: &Response<'_>| match answer {
            Response::Continue(_) => Some(Ok(())),
            _ => judge(step, tag, answer).map(|end| end.and(Err(ImapError::Protocol))),
        };
        loop {
            if let Some(end) = self.next(step, &mut see).await? {
                return end;
            }
        }
    }

    /// What `see` makes of the next answer. The deadline moves with the bytes that arrive, so a large mail over a
    /// slow line is read to its end and a server that only keeps the line alive is not waited for.
    pub(super) async fn next<T>(
        &mut self,
        step: Step,
        mut see: impl FnMut(&Response<'_>) -> T,
    ) -> Result<T, ImapError> {
        loop {
            let due = self.due();
            if let Ok(seen) = timeout_at(due, self.read(&mut see)).await {
                return seen;
            }
            if self.due() <= due {
                return Err(ImapError::Timeout(step));
            }
        }
    }

    /// As [`Wire::next`], however long it takes; safe to give up at any time.
    pub(super) async fn read<T>(&mut self, see: impl FnOnce(&Response<'_>) -> T) -> Result<T, ImapError> {
        // The parser has panicked on what servers send; the framer stops what is known, this the rest.
        let read = AssertUnwindSafe(self.client.read_response()).catch_unwind().await;
        let answer = read.map_err(|_| ImapError::Protocol)?.map_err(|error| explain(&error))?;
        self.answers += 1;
        let answer = answer.ok_or(ImapError::Closed)?;
        match answer.parsed() {
            // A server says it once, with the answer to whatever command comes next (RFC 9051 section 7.4.1).
            Response::MailboxData(MailboxDatum::Exists(exists)) => (self.news, self.exists) = (true, *exists),
            Response::Expunge(_) => self.exists = self.exists.saturating_sub(1),
            _ => {}
        }
        Ok(see(answer.parsed()))
    }

    fn due(&self) -> Instant {
        self.began + self.patience + time_for(self.client.get_ref().framer.received())
    }
}

/// What a tagged answer or a farewell means for the command under way; `None`: it goes on.
pub(super) fn judge(step: Step, tag: &Tag, answer: &Response<'_>) -> Option<Result<(), ImapError>> {
    match answer {
        Response::Done { tag: RequestId(answered), .. } if *answered != tag.0 => {
            Some(Err(ImapError::Protocol))
        }
        Response::Done { status: Status::Ok, .. } => Some(Ok(())),
        Response::Done { status, outcome, .. } => Some(Err(refusal(step, *status == Status::Bad, outcome))),
        Response::Data { status: Status::Bye, .. } if step != Step::Logout => Some(Err(ImapError::Bye)),
        _ => None,
    }
}

fn refusal(step: Step, is_bad: bool, outcome: &Outcome<'_>) -> ImapError {
    let refused = Refused { step, is_bad, code: Code::of(outcome) };
    if step == Step::Login {
        login_refusal(refused, outcome.information.as_deref().unwrap_or_default())
    } else {
        ImapError::Refused(refused)
    }
}

/// Tells a wrong password from a server that is busy (EM-90).
fn login_refusal(refused: Refused, text: &str) -> ImapError {
    let fault = match refused.code.as_ref().map(Code::as_str) {
        Some("AUTHENTICATIONFAILED") => CredentialFault::Authentication,
        Some("AUTHORIZATIONFAILED") => CredentialFault::Authorization,
        Some("EXPIRED") => CredentialFault::Expired,
        Some("CONTACTADMIN") => CredentialFault::ContactAdministrator,
        Some("UNAVAILABLE" | "INUSE" | "LIMIT" | "SERVERBUG") => return ImapError::Unavailable,
        _ if is_busy(text) => return ImapError::Unavailable,
        Some("PRIVACYREQUIRED") => return ImapError::Refused(refused),
        _ if refused.is_bad => return ImapError::Refused(refused),
        _ => CredentialFault::Unstated,
    };
    ImapError::BadCredentials(fault)
}

/// Texts of large hosts for "not now" that come without a code (EM-90).
fn is_busy(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["too many", "authenticated but not connected", "temporar", "try again"]
        .iter()
        .any(|phrase| text.contains(phrase))
}

fn explain(error: &io::Error) -> ImapError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Breach>()) {
        Some(Breach::Size) => ImapError::TooLarge,
        Some(Breach::Shape) => ImapError::Protocol,
        // The parser's own errors; their text holds the server's bytes and ends here (CT-10).
        None if error.kind() == io::ErrorKind::Other => ImapError::Protocol,
        None => ImapError::Closed,
    }
}

fn time_for(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes / SLOWEST).unwrap_or(u64::MAX))
}
