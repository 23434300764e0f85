//! The rows of mails that are taken in: threads, messages and runs, as many at once as have come.

use sqlx::{PgConnection, QueryBuilder, SqliteConnection};

use super::arrivals::{Batch, Mail};
use super::asked_rows::push_asked;
use super::pool::{Database, Tx};
use super::{MessageId, RunId, StoreError, ThreadId, wake};
use crate::clock::Timestamp;
use crate::mail::RfcMessageId;

impl Batch {
    /// Writes every mail with its thread, where it opens one, and its run.
    pub(super) async fn store(self, tx: &mut Tx) -> Result<(), StoreError> {
        if self.mails.is_empty() {
            return Ok(());
        }
        match tx.database() {
            Database::File(db) => self.store_on_file(db).await,
            Database::Server(db) => self.store_on_server(db).await,
        }
    }

    async fn store_on_file(self, db: &mut SqliteConnection) -> Result<(), StoreError> {
        let (user, mailbox, now) = (self.lease.user, self.lease.mailbox, self.clock.now());
        let mut query = QueryBuilder::default();
        if self.mails.iter().any(|mail| mail.opens_thread) {
            let opened = self.mails.iter().filter(|mail| mail.opens_thread);
            push_asked(&mut query, THREAD_COLUMNS, opened, |mut row, Mail { thread, arrival, .. }| {
                row.push_bind(thread)
                    .push_bind(user)
                    .push_bind(mailbox)
                    .push_bind(&arrival.correspondent)
                    .push_bind(now);
            });
            query.push(SQLITE_STORE_THREADS);
        }
        let runs: Vec<(RunId, bool)> =
            self.mails.iter().map(|mail| (RunId::of(mail.id), mail.arrival.is_answered)).collect();
        push_asked(&mut query, MESSAGE_COLUMNS, self.mails, |mut row, Mail { id, thread, arrival, .. }| {
            row.push_bind(id)
                .push_bind(user)
                .push_bind(mailbox)
                .push_bind(thread)
                .push_bind(arrival.identity)
                .push_bind(arrival.rfc_message_id.as_ref().map(RfcMessageId::as_str))
                .push_bind(i64::from(arrival.uid_validity))
                .push_bind(i64::from(arrival.uid))
                .push_bind(arrival.internal_date)
                .push_bind(i64::from(arrival.bytes))
                .push_bind(arrival.raw)
                .push_bind(arrival.truncated)
                .push_bind(now)
                .push_bind(arrival.authentication.as_str());
        });
        query.push(SQLITE_STORE_MESSAGES);
        push_asked(&mut query, ASKED_RUN_COLUMNS, runs, |mut row, (run, is_answered)| {
            row.push_bind(run).push_bind(user).push_bind(is_answered).push_bind(now).push_bind(now);
        });
        query.push(SQLITE_STORE_RUNS).build().execute(db).await?;
        Ok(())
    }

    /// One statement, which tells other processes as well, since each costs a way to the server and back.
    async fn store_on_server(self, db: &mut PgConnection) -> Result<(), StoreError> {
        let mut rows = Columns::default();
        let now = self.clock.now();
        for mail in self.mails {
            rows.push(mail);
        }
        sqlx::query(POSTGRES_STORE)
            .bind(self.lease.user)
            .bind(self.lease.mailbox)
            .bind(wake::CHANNEL)
            .bind(now)
            .bind(rows.ids)
            .bind(rows.threads)
            .bind(rows.opens_thread)
            .bind(rows.correspondents)
            .bind(rows.identities)
            .bind(rows.rfc_message_ids)
            .bind(rows.uid_validities)
            .bind(rows.uids)
            .bind(rows.internal_dates)
            .bind(rows.bytes)
            .bind(rows.raws)
            .bind(rows.truncated)
            .bind(rows.authentications)
            .bind(rows.answered)
            .execute(db)
            .await?;
        Ok(())
    }
}

macro_rules! threads {
    () => {
        "id, user_id, mailbox_id, correspondent, created_at"
    };
}

macro_rules! messages {
    () => {
        "id, user_id, mailbox_id, thread_id, identity, rfc_message_id, uid_validity, uid, internal_date, bytes, raw,
            truncated, received_at, authentication"
    };
}

macro_rules! runs {
    () => {
        "id, user_id, state, reason, due_at, finished_at, created_at"
    };
}

/// A mail that somebody has answered is not answered once more.
macro_rules! run_of {
    ($user:literal, $due:literal, $now:literal) => {
        concat!(
            "SELECT id, ",
            $user,
            ", CASE WHEN is_answered THEN 'skipped' ELSE 'queued' END,
            CASE WHEN is_answered THEN 'answered_already' END, CASE WHEN NOT is_answered THEN ",
            $due,
            " END, CASE WHEN is_answered THEN ",
            $now,
            " END, ",
            $now,
            " FROM "
        )
    };
}

const THREAD_COLUMNS: &str = threads!();
const MESSAGE_COLUMNS: &str = messages!();
const ASKED_RUN_COLUMNS: &str = "id, user_id, is_answered, due_at, created_at";

const SQLITE_STORE_THREADS: &str = concat!("INSERT INTO threads (", threads!(), ") SELECT * FROM asked;");
const SQLITE_STORE_MESSAGES: &str = concat!("INSERT INTO messages (", messages!(), ") SELECT * FROM asked;");
const SQLITE_STORE_RUNS: &str =
    concat!("INSERT INTO runs (", runs!(), ") ", run_of!("user_id", "due_at", "created_at"), "asked");

// `told` is among the tables of the last step so that it runs.
const POSTGRES_STORE: &str = concat!(
    "WITH mails AS MATERIALIZED (
        SELECT * FROM UNNEST($5::UUID[], $6::UUID[], $7::BOOLEAN[], $8::TEXT[], $9::TEXT[], $10::TEXT[],
            $11::BIGINT[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[], $15::BYTEA[], $16::BOOLEAN[], $17::TEXT[], $18::BOOLEAN[])
        AS mails (id, thread_id, opens_thread, correspondent, identity, rfc_message_id, uid_validity, uid,
            internal_date, bytes, raw, truncated, authentication, is_answered)
    ), opened AS (INSERT INTO threads (",
    threads!(),
    ") SELECT thread_id, $1, $2, correspondent, $4 FROM mails WHERE opens_thread
    ), stored AS (INSERT INTO messages (",
    messages!(),
    ") SELECT id, $1, $2, thread_id, identity, rfc_message_id, uid_validity, uid, internal_date, bytes, raw,
        truncated, $4, authentication FROM mails
    ), told AS MATERIALIZED (SELECT ",
    wake::tell!("$3"),
    ") INSERT INTO runs (",
    runs!(),
    ") ",
    run_of!("$1", "now_millis()", "$4"),
    "mails, told"
);

/// The mails of a batch, column by column.
#[derive(Default)]
struct Columns {
    ids: Vec<MessageId>,
    threads: Vec<ThreadId>,
    opens_thread: Vec<bool>,
    correspondents: Vec<String>,
    identities: Vec<String>,
    rfc_message_ids: Vec<Option<String>>,
    uid_validities: Vec<i64>,
    uids: Vec<i64>,
    internal_dates: Vec<Option<Timestamp>>,
    bytes: Vec<i64>,
    raws: Vec<Vec<u8>>,
    truncated: Vec<bool>,
    authentications: Vec<&'static str>,
    answered: Vec<bool>,
}

impl Columns {
    fn push(&mut self, Mail { id, thread, opens_thread, arrival }: Mail) {
        self.ids.push(id);
        self.threads.push(thread);
        self.opens_thread.push(opens_thread);
        self.correspondents.push(arrival.correspondent);
        self.identities.push(arrival.identity);
        self.rfc_message_ids.push(arrival.rfc_message_id.map(|id| id.as_str().to_owned()));
        self.uid_validities.push(arrival.uid_validity.into());
        self.uids.push(arrival.uid.into());
        self.internal_dates.push(arrival.internal_date);
        self.bytes.push(arrival.bytes.into());
        self.raws.push(arrival.raw);
        self.truncated.push(arrival.truncated);
        self.authentications.push(arrival.authentication.as_str());
        self.answered.push(arrival.is_answered);
    }
}
