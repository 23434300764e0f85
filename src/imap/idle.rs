//! Waiting for news (RFC 2177).

use std::time::Duration;

use async_imap::imap_proto::{Response, Status};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::error::{ImapError, Step};
use super::framer::Limits;
use super::session::Session;
use super::wire::{Tag, Wire, judge};

impl Session {
    /// Waits until the server tells news about the open folder, at most `longest`, or until `stop`.
    ///
    /// It comes back at once if the folder was said to have grown since the last [`Session::uids_from`]. It comes back for any reason and says none: the caller looks for new mail in every case (EM-85, CT-11).
    ///
    /// # Errors
    /// Any [`ImapError`]; a server that declines is [`ImapError::Refused`] with [`Step::Idle`].
    pub async fn idle(
        mut self,
        longest: Duration,
        stop: &CancellationToken,
    ) -> Result<(Self, ()), ImapError> {
        if self.wire.has_news() {
            // Told in the answer to another command, and the server will not say it again.
            return Ok((self, ()));
        }
        let until = Instant::now() + longest;
        let wire = &mut self.wire;
        wire.allow(Limits::SMALL);
        wire.begin(wire.timeouts().command);
        let tag = wire.tag();
        wire.write(Step::Idle, tag.begin("IDLE\r\n").as_bytes()).await?;
        let mut state = start(wire, &tag).await?;
        while state == State::Quiet {
            state = tokio::select! {
                () = stop.cancelled() => State::News,
                () = sleep_until(until) => State::News,
                seen = wire.read(|answer| look(&tag, answer)) => seen??,
            };
        }
        if state != State::Over {
            wire.begin(wire.timeouts().done);
            wire.allow(Limits::SMALL);
            wire.write(Step::Done, b"DONE\r\n").await?;
            wire.finish(Step::Done, &tag, |_| ()).await?;
        }
        Ok((self, ()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing happened yet.
    Quiet,
    /// There is a reason to look.
    News,
    /// The server ended the command by itself.
    Over,
}

/// Reads until the server waits as well; news can come before that.
async fn start(wire: &mut Wire, tag: &Tag) -> Result<State, ImapError> {
    let mut state = State::Quiet;
    let see = |answer: &Response<'_>| match answer {
        Response::Continue(_) => Ok(None),
        _ => look(tag, answer).map(Some),
    };
    loop {
        match wire.next(Step::Idle, see).await?? {
            None => return Ok(state),
            Some(State::Over) => return Ok(State::Over),
            Some(State::News) => state = State::News,
            Some(State::Quiet) => {}
        }
    }
}

fn look(tag: &Tag, answer: &Response<'_>) -> Result<State, ImapError> {
    match judge(Step::Idle, tag, answer) {
        Some(end) => end.map(|()| State::Over),
        // Signs of life such as `* OK Still here` are no news.
        None if matches!(answer, Response::Data { status: Status::Ok, .. }) => Ok(State::Quiet),
        None => Ok(State::News),
    }
}
