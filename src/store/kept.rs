//! A server's connection that one kind of group keeps from one to the next: a pool would look at it after each of them,
//! which is a way to the server more, and every connection of a pool has to learn every statement.

use std::time::Instant;

use sqlx::PgPool;

use super::StoreError;
use super::borrowed::{Borrowed, Patience};
use super::group::{Answers, Ask, answer, is_away};
use super::pool::{Tx, is_there};

/// Where groups of a server's get their connections.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) pool: PgPool,
    pub(super) patience: Patience,
    /// Whether there are enough for each kind of group to keep one.
    pub(super) keeps: bool,
}

/// See the module.
pub(super) struct Kept {
    server: Server,
    /// None before the first group, and after a fault.
    connection: Option<(Borrowed, Instant)>,
}

impl Kept {
    pub(super) fn new(server: Server) -> Self {
        Self { server, connection: None }
    }

    pub(super) async fn answer<A: Ask>(&mut self, asks: &[A]) -> Result<Answers<A>, StoreError> {
        let patience = self.server.patience;
        let mut tx = Tx::Server(patience.wait(self.connect()).await?);
        let answers = patience.wait(answer_in_steps(&mut tx, asks)).await;
        // Nobody is to find an open transaction, or to wait for what will not come.
        let is_sound = answers.as_ref().map_or_else(|error| !A::WRITES_IN_STEPS && !is_away(error), |_| true);
        if let Tx::Server(connection) = tx
            && is_sound
        {
            match self.server.keeps {
                true => self.connection = Some((connection, Instant::now())),
                false => connection.give_back(),
            }
        }
        answers
    }

    async fn connect(&mut self) -> Result<Borrowed, StoreError> {
        if let Some((mut connection, used)) = self.connection.take()
            && matches!(is_there(&mut connection, used.elapsed()).await, Ok(true))
        {
            return Ok(connection);
        }
        Ok(Borrowed::of(&self.server.pool).await?)
    }
}

/// All in one commit, which a single statement is by itself.
async fn answer_in_steps<A: Ask>(tx: &mut Tx, asks: &[A]) -> Result<Answers<A>, StoreError> {
    if !A::WRITES_IN_STEPS {
        return answer(tx, asks).await;
    }
    tx.say("BEGIN").await?;
    let answers = answer(tx, asks).await?;
    tx.say("COMMIT").await?;
    Ok(answers)
}
