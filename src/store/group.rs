//! What many runs ask at the same time is asked together: a way to the database and back costs more than a row, and a
//! commit costs more than both.
//!
//! Whoever comes while a group is on its way belongs to the next one, so nobody waits for a timer. On a server the groups
//! take turns, by tickets. A group that the database refuses is asked one by one, so that one bad row hurts no other.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::StoreError;
use super::answers_kept::Keeping;
use super::brakes::Counting;
use super::calls_begun::Beginning;
use super::dossiers::Finding;
use super::lender::Lender;
use super::outbox::Sending;
use super::pool::Tx;
use super::tickets::{ServerTickets, Ticket, Tickets};
use super::writer::Commit;

const MOST_WAITING: usize = 1024;

/// A question or a write that others of its kind may share.
pub(super) trait Ask: Send + Sync + Sized + 'static {
    /// What one of them is told.
    type Answer: Send + 'static;

    /// The largest group. With more than 128 rows SQLite would read tables through, and not look their rows up.
    const MOST_TOGETHER: usize = 64;

    /// Whether it counts even when whoever asked has gone away.
    const OUTLIVES_ASKER: bool = false;

    /// How many groups a server is asked at once. Where somebody's connection to elsewhere stands still until the
    /// answer, a second one need not wait for the first.
    const AT_ONCE: usize = 1;

    /// Whether it writes by several statements, which a server is to commit together.
    const WRITES_IN_STEPS: bool = false;

    /// One answer for each, in the order of the asks; what it writes is one commit, or nothing.
    fn answer(tx: &mut Tx, asks: &[Self]) -> impl Future<Output = Result<Answers<Self>, StoreError>> + Send;
}

/// A handle to whoever asks in groups.
pub(super) struct Group<A: Ask> {
    waiting: mpsc::Sender<Waiting<A>>,
}

impl<A: Ask> Clone for Group<A> {
    fn clone(&self) -> Self {
        Self { waiting: self.waiting.clone() }
    }
}

/// Those who wait for the next group of their kind; none once the last handle is gone.
pub(super) type Queue<A> = mpsc::Receiver<Waiting<A>>;

/// Somebody who has asked.
pub(super) struct Waiting<A: Ask> {
    pub(super) ask: A,
    pub(super) tell: Tell<A::Answer>,
}

/// Where the answer goes.
pub(super) type Tell<T> = oneshot::Sender<Result<T, StoreError>>;

/// One for each who asked.
pub(super) type Answers<A> = Vec<<A as Ask>::Answer>;

impl<A: Ask> Group<A> {
    fn new() -> (Self, Queue<A>) {
        let (waiting, asked) = mpsc::channel(MOST_WAITING);
        (Self { waiting }, asked)
    }

    /// The tasks end with the last handle.
    fn of_server(server: &Lender, tickets: &Tickets) -> Self {
        let (group, asked) = Self::new();
        let asked = Arc::new(Mutex::new(asked));
        for _ in 0..A::AT_ONCE {
            let server = Place::Server(server.clone(), tickets.clone());
            tokio::spawn(answer_forever(server, Arc::clone(&asked)));
        }
        group
    }

    /// The task ends with the last handle.
    fn of_file(file: SqliteConnectOptions) -> Self {
        let (group, asked) = Self::new();
        let reader = Place::Reader(Reader { file: Box::new(file), connection: None });
        tokio::spawn(answer_forever(reader, Arc::new(Mutex::new(asked))));
        group
    }

    /// Asks with whoever else asks now; the answer comes after the commit.
    pub(super) async fn ask(&self, ask: A) -> Result<A::Answer, StoreError> {
        let (tell, told) = oneshot::channel();
        self.waiting.send(Waiting { ask, tell }).await.map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

async fn answer_forever<A: Ask>(mut at: Place<'static>, asked: Arc<Mutex<Queue<A>>>) {
    loop {
        let (group, ticket) = gather(&at, &mut *asked.lock().await).await;
        if group.is_empty() {
            return;
        }
        let (asks, tells) = still_wanted(group);
        let answers = at.answer_all(&asks, ticket).await;
        for (tell, answer) in tells.into_iter().zip(answers) {
            // Whoever asked may have gone away; what was written stands all the same.
            let _gone = tell.send(answer);
        }
    }
}

/// Whoever is waiting when they get their ticket; nobody once the last handle is gone.
async fn gather<A: Ask>(at: &Place<'_>, asked: &mut Queue<A>) -> (Vec<Waiting<A>>, Option<Ticket>) {
    let mut group = Vec::new();
    asked.recv_many(&mut group, A::MOST_TOGETHER).await;
    let ticket = at.ticket().await;
    // Whoever is about to ask gets to it before the group leaves.
    tokio::task::yield_now().await;
    while group.len() < A::MOST_TOGETHER
        && let Ok(another) = asked.try_recv()
    {
        group.push(another);
    }
    (group, ticket)
}

/// Without those that nobody waits for any more.
pub(super) fn still_wanted<A: Ask>(group: Vec<Waiting<A>>) -> (Vec<A>, Vec<Tell<A::Answer>>) {
    group
        .into_iter()
        .filter(|waiting| A::OUTLIVES_ASKER || !waiting.tell.is_closed())
        .map(|waiting| (waiting.ask, waiting.tell))
        .unzip()
}

/// Where groups are asked.
pub(super) enum Place<'t> {
    /// A server, over a connection of the pool, with a ticket for each group.
    Server(Lender, Tickets),
    /// A file, over a connection for reading.
    Reader(Reader),
    /// The commit that a file's writer is about to make.
    Writer(&'t mut Commit),
}

impl Place<'_> {
    async fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Server(_, tickets) => Some(tickets.take().await),
            Self::Reader(_) | Self::Writer(_) => None,
        }
    }

    /// One answer for each, in the order of the asks. The ticket is for the first attempt.
    pub(super) async fn answer_all<A: Ask>(
        &mut self,
        asks: &[A],
        ticket: Option<Ticket>,
    ) -> Vec<Result<A::Answer, StoreError>> {
        if asks.is_empty() {
            return Vec::new();
        }
        let together = self.answer_together(asks).await;
        drop(ticket);
        match together {
            Ok(answers) => answers.into_iter().map(Ok).collect(),
            Err(error) if asks.len() == 1 => vec![Err(error)],
            Err(error) if error.is_away() => asks.iter().map(|_| Err(not_committed(&error))).collect(),
            Err(_) => self.answer_one_by_one(asks).await,
        }
    }

    async fn answer_one_by_one<A: Ask>(&mut self, asks: &[A]) -> Vec<Result<A::Answer, StoreError>> {
        let mut answers = Vec::with_capacity(asks.len());
        let mut away = None;
        for ask in asks {
            let answer = match &away {
                Some(error) => Err(not_committed(error)),
                None => {
                    let _ticket = self.ticket().await;
                    self.answer_together(std::slice::from_ref(ask)).await
                }
            };
            let answer = answer.and_then(|answers| answers.into_iter().next().ok_or(StoreError::Panicked));
            if let Err(error) = &answer
                && error.is_away()
            {
                away = Some(not_committed(error));
            }
            answers.push(answer);
        }
        answers
    }

    async fn answer_together<A: Ask>(&mut self, asks: &[A]) -> Result<Answers<A>, StoreError> {
        match self {
            Self::Server(server, _) if A::WRITES_IN_STEPS => {
                server.do_together(async |tx| answer(tx, asks).await).await
            }
            Self::Server(server, _) => server.do_alone(async |tx| answer(tx, asks).await).await,
            Self::Reader(reader) => reader.answer(asks).await,
            Self::Writer(commit) => {
                let tx = commit.begin_piece().await.map_err(not_committed)?;
                let answers = answer(tx, asks).await;
                if answers.is_err() {
                    commit.undo_piece().await.map_err(not_committed)?;
                }
                answers
            }
        }
    }
}

/// A connection to a file, opened when it is first needed, and anew once it is broken.
pub(super) struct Reader {
    file: Box<SqliteConnectOptions>,
    connection: Option<Tx>,
}

impl Reader {
    async fn answer<A: Ask>(&mut self, asks: &[A]) -> Result<Answers<A>, StoreError> {
        let mut tx = match self.connection.take() {
            Some(tx) => tx,
            None => Tx::Sqlite(self.file.connect().await?),
        };
        let answers = answer(&mut tx, asks).await;
        self.connection = answers.is_ok().then_some(tx);
        answers
    }
}

/// All of them or none; a panic is an error.
pub(super) async fn answer<A: Ask>(tx: &mut Tx, asks: &[A]) -> Result<Answers<A>, StoreError> {
    if asks.is_empty() {
        return Ok(Vec::new());
    }
    let answers = AssertUnwindSafe(A::answer(tx, asks)).catch_unwind().await;
    answers.unwrap_or(Err(StoreError::Panicked))
}

fn not_committed(error: impl std::fmt::Display) -> StoreError {
    StoreError::NotCommitted(error.to_string())
}

/// The steps of a run that are taken together.
#[derive(Clone)]
pub(super) struct Groups {
    pub(super) dossiers: Group<Finding>,
    pub(super) counts: Group<Counting>,
    pub(super) calls: Group<Beginning>,
    pub(super) answers: Group<Keeping>,
    pub(super) sendings: Group<Sending>,
    /// Of a server.
    pub(super) tickets: Option<ServerTickets>,
}

/// Those who wait for a file's writer.
pub(super) struct ToWrite {
    pub(super) calls: Queue<Beginning>,
    pub(super) answers: Queue<Keeping>,
    pub(super) sendings: Queue<Sending>,
}

impl Groups {
    /// A group takes a connection of the pool for as long as it is on its way, and no more than `at_once` are.
    pub(super) fn of_server(server: &Lender, at_once: u32) -> Self {
        let tickets = ServerTickets::new(at_once);
        Self {
            dossiers: Group::of_server(server, &tickets.steps),
            counts: Group::of_server(server, &tickets.steps),
            calls: Group::of_server(server, &tickets.writes),
            answers: Group::of_server(server, &tickets.writes),
            sendings: Group::of_server(server, &tickets.steps),
            tickets: Some(tickets),
        }
    }

    /// Questions have a connection of their own each, for reading; writes wait for the writer.
    pub(super) fn of_file(file: &SqliteConnectOptions) -> (Self, ToWrite) {
        let ((calls, of_calls), (answers, of_answers)) = (Group::new(), Group::new());
        let (sendings, of_sendings) = Group::new();
        let (dossiers, counts) = (Group::of_file(file.clone()), Group::of_file(file.clone()));
        let written = ToWrite { calls: of_calls, answers: of_answers, sendings: of_sendings };
        (Self { dossiers, counts, calls, answers, sendings, tickets: None }, written)
    }
}
