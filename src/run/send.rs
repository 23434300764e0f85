//! Hands the frozen reply over. `sending` is committed before the first byte of the mail leaves; from there to the
//! committed end nobody knows whether it went out, and then a person decides (promise 6).

use super::Runner;
use super::courier::Courier;
use super::error::RunError;
use super::freeze::sender;
use super::insist::insist;
use super::resolve::{Question, Task};
use crate::mail::{self, Address};
use crate::queue::{Cause, Outcome};
use crate::smtp::{Connection, GoAhead, SmtpError};
use crate::store::{Claim, Dossier, Mode, OutboxMail, OutboxState};

impl Runner {
    /// What an earlier attempt has come to, whatever the mailbox, its agents and the rules are by now.
    pub(super) async fn recall(&self, claim: &Claim, dossier: &Dossier) -> Result<Option<Outcome>, RunError> {
        match dossier.reply.as_ref().map(|reply| reply.state) {
            Some(OutboxState::Sent) => Ok(Some(Outcome::Replied)),
            Some(OutboxState::Sending) => {
                insist(|| self.scribe.store.settle_reply(claim.lease(), OutboxState::Ambiguous)).await?;
                Err(RunError::Ambiguous)
            }
            Some(OutboxState::Ambiguous) if !claim.resend => Err(RunError::Ambiguous),
            Some(OutboxState::Ambiguous | OutboxState::Ready | OutboxState::Failed) | None => Ok(None),
        }
    }

    pub(super) async fn send(&self, task: &Task, reply: OutboxMail) -> Result<Outcome, RunError> {
        if task.question.agent.mode == Mode::Draft && !task.question.resend {
            return Ok(Outcome::Held(Cause::of("draft")));
        }
        if self.is_too_late(&task.question) {
            return Err(RunError::TooLate);
        }
        self.hand_over(task, &reply).await
    }

    /// An old mail is not answered out of the blue, unless its owner says so.
    pub(super) fn is_too_late(&self, question: &Question) -> bool {
        let deadline = question.message.came_at().plus(self.scribe.config.smtp.reply_deadline);
        !question.resend && deadline < self.scribe.store.clock().now()
    }

    async fn hand_over(&self, task: &Task, reply: &OutboxMail) -> Result<Outcome, RunError> {
        let bytes = reply.raw.as_deref().ok_or(RunError::Forgotten)?;
        let to = recipient(reply, bytes).ok_or(RunError::Unreadable)?;
        let to = to.ascii().unwrap_or(to);
        let Courier { offer, pass } = self
            .couriers
            .offer(&task.question.mailbox, &self.scribe.vault, &sender(&task.question)?, &to)
            .await?;
        // Until the first byte of the mail nothing has gone out, so the server is asked for it meanwhile.
        let (committed, begun) =
            tokio::join!(insist(|| self.scribe.store.begin_sending(task.lease)), offer.begin(bytes));
        committed?;
        match deliver(begun).await {
            Ok(connection) => {
                self.couriers.put_back(&task.question.mailbox, connection);
                drop(pass);
                // With the end of the run the reply becomes `sent`, in one commit.
                let (agent, user) = (task.question.agent.id, task.lease.user);
                tracing::info!(run = %task.lease.run, %agent, %user, "reply handed over");
                Ok(Outcome::Replied)
            }
            Err(error) => Err(self.settle(task, error).await?),
        }
    }

    /// What became of a reply whose hand-over failed, as far as one can know.
    async fn settle(&self, task: &Task, error: SmtpError) -> Result<RunError, RunError> {
        let (state, error) = if error.is_ambiguous() {
            (OutboxState::Ambiguous, RunError::Ambiguous)
        } else if error.is_transient() || error.is_credential() {
            (OutboxState::Ready, RunError::Smtp(error))
        } else {
            (OutboxState::Failed, RunError::Smtp(error))
        };
        insist(|| self.scribe.store.settle_reply(task.lease, state)).await?;
        Ok(error)
    }
}

/// As it was written, which only the frozen bytes tell: the row has it in comparable form, and before the `@` the case
/// is the receiving host's business (RFC 5321 section 2.4).
fn recipient(reply: &OutboxMail, bytes: &[u8]) -> Option<Address> {
    let written = mail::reply::recipient(bytes).filter(|to| to.normalized() == reply.recipient);
    written.or_else(|| Address::parse(&reply.recipient))
}

async fn deliver(begun: Result<GoAhead<'_>, SmtpError>) -> Result<Connection, SmtpError> {
    let (connection, _accepted) = begun?.deliver().await?;
    Ok(connection)
}
