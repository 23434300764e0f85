//! How many rows there are, and when the last one was written: what tells that nothing was.

use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::support::database::TestDatabase;

/// Count and newest `updated_at` of users, AI configurations, mailboxes and agents.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows([(i64, i64); 4]);

const TABLES: [&str; 4] = ["users", "ai_configurations", "mailboxes", "agents"];

impl Rows {
    pub async fn read(database: &TestDatabase) -> Self {
        let mut rows = [(0, 0); 4];
        for (table, row) in TABLES.into_iter().zip(&mut rows) {
            *row = read_table(database, table).await;
        }
        Self(rows)
    }

    /// Users, AI configurations, mailboxes, agents.
    pub fn counts(&self) -> [i64; 4] {
        self.0.map(|(count, _)| count)
    }
}

async fn read_table(database: &TestDatabase, table: &str) -> (i64, i64) {
    let sql = format!("SELECT COUNT(*), COALESCE(MAX(updated_at), 0) FROM {table}");
    let query = sqlx::AssertSqlSafe(sql);
    if database.is_postgres() {
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        sqlx::query_as(query).fetch_one(&mut connection).await.unwrap()
    } else {
        let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
        sqlx::query_as(query).fetch_one(&mut connection).await.unwrap()
    }
}
