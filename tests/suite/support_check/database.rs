//! Each test gets a database of its own, and both kinds work.

use sqlx::{Connection, Executor, PgConnection, SqliteConnection};

use crate::support::database::{TestDatabase, on_both};

on_both! {
    async fn a_fresh_database_is_empty_and_can_be_written(database: TestDatabase) {
        write(&database).await;
    }

    async fn two_databases_do_not_see_each_other(database: TestDatabase) {
        let other = if database.is_postgres() {
            TestDatabase::postgres().await
        } else {
            TestDatabase::sqlite().await
        };
        write(&database).await;
        write(&other).await;
    }
}

#[tokio::test]
async fn a_dropped_database_is_gone() {
    let database = TestDatabase::postgres().await;
    let url = database.url().to_owned();
    let held_open = PgConnection::connect(&url).await.unwrap();
    drop(database);
    drop(held_open);
    assert!(PgConnection::connect(&url).await.is_err());
}

/// Creates the same table in every database: twice in one would be an error.
async fn write(database: &TestDatabase) {
    const TABLE: &str = "CREATE TABLE once (id BIGINT PRIMARY KEY)";
    if database.is_postgres() {
        PgConnection::connect(database.url()).await.unwrap().execute(TABLE).await.unwrap();
    } else {
        let url = format!("{}?mode=rwc", database.url());
        SqliteConnection::connect(&url).await.unwrap().execute(TABLE).await.unwrap();
    }
}
