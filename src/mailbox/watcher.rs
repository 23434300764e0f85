//! One mailbox: connect, watch, complain, come back.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fetching::Care;
use super::pace::{Pace, back_off};
use super::{Watching, filing, round};
use crate::clock::Timestamp;
use crate::imap::{ImapError, Refused, Session, Step, Timeouts};
use crate::net::OAuthError;
use crate::store::{
    AccessError, Mailbox, MailboxLease, NewNotice, SECRET_UNREADABLE, StoreError, WatchedMailbox,
};

/// Why a connection's watch ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum WatchError {
    #[error(transparent)]
    Imap(#[from] ImapError),
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error("the mailbox is gone")]
    Gone,
}

/// A connection that has lasted this long was a good one.
const HEALTHY: Duration = Duration::from_secs(300);

/// A connection that was short, but brought a whole look, is not followed by a wait for ever.
const MOST_WHILE_IT_WORKS: u32 = 4;

/// An IDLE that ends sooner than this and brings nothing new was in vain.
const HASTY: Duration = Duration::from_millis(50);
/// After so many in a row each is followed by a pause: some servers end every IDLE at once.
const MOST_IN_VAIN: u32 = 5;
const PAUSE: Duration = Duration::from_secs(1);

/// One mailbox's watch.
pub(super) struct Watch {
    pub(super) watching: Watching,
    pub(super) lease: MailboxLease,
    /// When the settings were changed that this watch began with; others begin another watch.
    settings_of: Timestamp,
    pub(super) file: Arc<Notify>,
    pub(super) stop: CancellationToken,
    /// What is remembered of mails that were hard to fetch, over connections.
    pub(super) care: Care,
    /// Looks into the Sent folder in a row that cost the connection.
    pub(super) failed_looks: u32,
    /// Questions for the Sent folder's name in a row that did.
    pub(super) failed_lists: u32,
    /// Whether the server offers IDLE and refuses it.
    is_idle_refused: bool,
    /// Whether this connection has brought a whole look at the folder.
    has_looked: bool,
    /// Since when there was none.
    away_since: Option<Instant>,
}

/// Watches one mailbox until it is told to stop, loses its lease, or needs its owner.
pub(super) async fn watch_until(
    watching: Watching,
    mailbox: WatchedMailbox,
    pace: Pace,
    file: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut watch = Watch {
        watching,
        lease: mailbox.lease(),
        settings_of: mailbox.updated_at,
        file,
        stop: stop.clone(),
        care: Care::default(),
        failed_looks: 0,
        failed_lists: 0,
        is_idle_refused: false,
        has_looked: false,
        away_since: None,
    };
    stop.run_until_cancelled(watch.forever(&pace)).await;
}

impl Watch {
    async fn forever(&mut self, pace: &Pace) {
        let (mut failures, mut refusals) = (0, 0);
        loop {
            pace.turn().await;
            let connected = Instant::now();
            let Err(error) = self.once().await;
            if matches!(error, WatchError::Gone | WatchError::Store(StoreError::LeaseLost)) {
                return;
            }
            if connected.elapsed() > HEALTHY {
                failures = 0;
            } else if self.has_looked {
                failures = failures.min(MOST_WHILE_IT_WORKS);
            }
            failures += 1;
            refusals = if error.is_credential() { refusals + 1 } else { 0 };
            tracing::warn!(mailbox = %self.lease.mailbox, %error, failures, "the watch was interrupted");
            let settled = self.complain(&error, refusals).await;
            if settled {
                return;
            }
            self.tell_if_away(connected, &error).await;
            let config = &self.watching.config;
            let wait = back_off(failures, config.reconnect_first, config.reconnect_longest, rand::random());
            tokio::time::sleep(wait).await;
        }
    }

    /// Stops the mailbox where only its owner can help; answers whether it did.
    async fn complain(&mut self, error: &WatchError, refusals: u32) -> bool {
        let reason = match error.needs_owner() {
            Some(reason) => reason,
            None if refusals >= self.watching.config.login_failures => "login_refused",
            None => return false,
        };
        let notice = NewNotice {
            user: self.lease.user,
            cause: format!("mailbox:{}", self.lease.mailbox),
            kind: reason,
            sentence: explain(reason, &error.to_string()),
        };
        let stopped = self.watching.store.stop_mailbox(self.lease.mailbox, self.settings_of, notice).await;
        stopped.inspect_err(|error| tracing::error!(%error, "cannot stop a mailbox")).is_ok()
    }

    /// Tells the owner, once, of a mail server that has been away for long.
    async fn tell_if_away(&mut self, connected: Instant, error: &WatchError) {
        if std::mem::take(&mut self.has_looked) {
            self.away_since = None;
        }
        let since = *self.away_since.get_or_insert(connected);
        if since.elapsed() < self.watching.config.away_notice {
            return;
        }
        let sentence = format!(
            "The mailbox has not been watched for a long time ({error}): nothing is lost, and it is tried again and \
             again; look at the mail server."
        );
        let notice =
            NewNotice { user: self.lease.user, cause: self.away_cause(), kind: "mailbox_away", sentence };
        if let Err(error) = self.watching.store.give_notice(notice).await {
            tracing::warn!(%error, "cannot give a notice");
        }
    }

    /// A whole look at the folder: the mailbox works.
    async fn note_alive(&mut self) -> Result<(), StoreError> {
        self.watching.store.note_alive(self.lease).await?;
        if !std::mem::replace(&mut self.has_looked, true) {
            self.watching.store.end_notice(self.lease.user, self.away_cause()).await?;
        }
        Ok(())
    }

    fn away_cause(&self) -> String {
        format!("mailbox_away:{}", self.lease.mailbox)
    }

    /// One connection, from log-in to its end.
    async fn once(&mut self) -> Result<std::convert::Infallible, WatchError> {
        let store = self.watching.store.clone();
        let found = store.find_mailbox(self.lease.user, self.lease.mailbox).await?;
        let mailbox = found.ok_or(WatchError::Gone)?;
        let session = self.connect(&mailbox).await?;
        let (mut session, mut cursor) = round::open_folder(self, session, &mailbox).await?;
        let mut in_vain = 0;
        loop {
            let checked = Instant::now();
            while checked.elapsed() < self.watching.config.full_check {
                session = filing::file_replies(self, session, &mailbox).await?;
                let before = cursor;
                session = round::take_in_new(self, session, &mailbox, &mut cursor).await?;
                self.note_alive().await?;
                in_vain = if cursor == before { in_vain } else { 0 };
                let left = self.watching.config.full_check.saturating_sub(checked.elapsed());
                let resting = Instant::now();
                session = self.rest(session, left).await?;
                in_vain = if resting.elapsed() < HASTY { in_vain + 1 } else { 0 };
                if in_vain > MOST_IN_VAIN {
                    tokio::time::sleep(PAUSE).await;
                }
            }
            // Servers exist that accept IDLE and never push (EM-86): look with fresh eyes.
            (session, cursor) = round::open_folder(self, session, &mailbox).await?;
        }
    }

    async fn connect(&self, mailbox: &Mailbox) -> Result<Session, WatchError> {
        let (endpoint, credentials) = mailbox.imap_access(&self.watching.vault)?;
        let login = self.watching.tokens.login(mailbox.id.uuid(), credentials).await?;
        let timeouts = Timeouts::from(&self.watching.config);
        let opened = Session::open(&self.watching.dialler, &endpoint, login, timeouts).await;
        if opened.as_ref().is_err_and(ImapError::is_credential) {
            self.watching.tokens.forget(mailbox.id.uuid());
        }
        Ok(opened?)
    }

    /// Until there may be news, or something to file; at most `left`.
    async fn rest(&mut self, session: Session, left: Duration) -> Result<Session, WatchError> {
        let rested = self.rest_unless_refused(session, left).await;
        let is_refused = |error: &WatchError| {
            matches!(error, WatchError::Imap(ImapError::Refused(Refused { step: Step::Idle, .. })))
        };
        self.is_idle_refused |= rested.as_ref().is_err_and(is_refused);
        rested
    }

    async fn rest_unless_refused(&self, session: Session, left: Duration) -> Result<Session, WatchError> {
        let config = &self.watching.config;
        if self.is_idle_refused || !session.capabilities().idle {
            let wait = config.poll.min(left).mul_f64(0.9 + 0.2 * rand::random::<f64>());
            let _nothing_to_file = tokio::time::timeout(wait, self.file.notified()).await;
            return Ok(session.noop().await?.0);
        }
        let enough = self.stop.child_token();
        let idle = session.idle(config.idle_renew.min(left), &enough);
        tokio::pin!(idle);
        tokio::select! {
            rested = &mut idle => return Ok(rested?.0),
            () = self.file.notified() => enough.cancel(),
        }
        Ok(idle.await?.0)
    }
}

impl WatchError {
    fn is_credential(&self) -> bool {
        match self {
            Self::Imap(error) => error.is_credential(),
            Self::OAuth(error) => error.is_credential(),
            _ => false,
        }
    }

    /// Why no later attempt can help, if so.
    fn needs_owner(&self) -> Option<&'static str> {
        match self {
            Self::OAuth(error) if error.is_credential() => Some("oauth_refused"),
            // That is one mail's or one answer's fault.
            Self::Imap(ImapError::TooLarge) => None,
            Self::Imap(error) if error.is_credential() || error.is_transient() => None,
            Self::Imap(ImapError::Refused(refused)) => match refused.step {
                Step::Select => Some("folder_missing"),
                Step::Login | Step::StartTls => Some("server_unusable"),
                // The folder may have gone while it was open; the next SELECT tells.
                _ => None,
            },
            Self::Imap(_) => Some("server_unusable"),
            Self::Access(_) => Some(SECRET_UNREADABLE),
            _ => None,
        }
    }
}

/// One sentence that says what to do.
fn explain(reason: &str, error: &str) -> String {
    match reason {
        "login_refused" => format!("The IMAP server refuses the login ({error}): set the password anew."),
        "oauth_refused" => {
            format!("The sign-in provider refuses the OAuth grant ({error}): connect it anew.")
        }
        SECRET_UNREADABLE => format!("The stored password cannot be opened ({error}): set it anew."),
        "folder_missing" => {
            format!("The IMAP server does not open the watched folder ({error}): correct its name.")
        }
        _ => format!("The IMAP server cannot be used ({error}): check host, port and security."),
    }
}
