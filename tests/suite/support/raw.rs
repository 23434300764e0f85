//! The database as somebody sees it who has the file or the server: for damage, and for what no method tells.

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::database::TestDatabase;

/// Runs a statement and answers how many rows it changed.
pub async fn execute(database: &TestDatabase, statement: &str) -> u64 {
    let statement = AssertSqlSafe(statement.to_owned());
    if database.is_postgres() {
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected()
    } else {
        let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected()
    }
}

/// An id as it is written in a statement.
pub fn id_literal(database: &TestDatabase, id: uuid::Uuid) -> String {
    if database.is_postgres() { format!("'{id}'") } else { format!("X'{}'", id.simple()) }
}

/// The first column of a query's rows, as text.
pub async fn texts(database: &TestDatabase, query: &str) -> Vec<String> {
    let query = AssertSqlSafe(query.to_owned());
    if database.is_postgres() {
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
    } else {
        let mut connection = SqliteConnection::connect(database.url()).await.unwrap();
        sqlx::query_scalar(query).fetch_all(&mut connection).await.unwrap()
    }
}
