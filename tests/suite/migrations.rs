//! Both databases have the same tables with the same columns, made by migrations of the same names.

use std::collections::BTreeSet;
use std::path::Path;

use postkey::clock::Clock;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::support::database::{TestDatabase, on_both};
use crate::support::raw::texts;
use crate::support::rows::open_store;

const SQLITE_COLUMNS: &str = "SELECT tables.name || '.' || columns.name ||
        CASE WHEN columns.\"notnull\" OR columns.pk > 0 THEN ' NOT NULL' ELSE '' END
    FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
    WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%' AND tables.name NOT LIKE '_sqlx%'";

const POSTGRES_COLUMNS: &str = "SELECT (table_name || '.' || column_name ||
        CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END)::TEXT
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'";

const SQLITE_INDEXES: &str =
    "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'";

const POSTGRES_INDEXES: &str = "SELECT indexname::TEXT FROM pg_indexes
    WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'
        AND tablename NOT LIKE '\\_sqlx%'";

async fn compare(sqlite_query: &str, postgres_query: &str) {
    let (sqlite, postgres) = (TestDatabase::sqlite().await, TestDatabase::postgres().await);
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (database, query) in [(&sqlite, sqlite_query), (&postgres, postgres_query)] {
        let _store = open_store(database, Clock::system()).await;
        found.push(texts(database, query).await.into_iter().collect());
    }
    assert!(found[0].len() > 10, "{:?}", found[0]);
    let only: Vec<&String> = found[0].symmetric_difference(&found[1]).collect();
    assert!(only.is_empty(), "on one side only: {only:?}");
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    compare(SQLITE_COLUMNS, POSTGRES_COLUMNS).await;
}

#[tokio::test]
async fn both_databases_have_the_same_indexes() {
    compare(SQLITE_INDEXES, POSTGRES_INDEXES).await;
}

#[test]
fn both_databases_have_migrations_of_the_same_names() {
    let names = |folder: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
        let files = std::fs::read_dir(folder).unwrap();
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

on_both! {
    async fn several_processes_may_make_the_tables_at_once(database: TestDatabase) {
        let open = || open_store(&database, Clock::system());
        tokio::join!(open(), open(), open(), open());
        let versions = texts(&database, "SELECT description FROM _sqlx_migrations").await;
        assert!(versions.len() > 1, "{versions:?}");
    }
}

/// Replies of a time when their bytes stood in their rows; one of them was forgotten in part.
const OLD_REPLIES: &str =
    "INSERT INTO outbox (run_id, user_id, mailbox_id, thread_id, rfc_message_id, recipient, raw, state, epoch, created_at)
     SELECT id, id, id, id, name, 'person@else.test', raw, 'sent', 1, 1 FROM old";

on_both! {
    async fn replies_of_before_keep_their_bytes(database: TestDatabase) {
        let folder = if database.is_postgres() { "migrations/postgres" } else { "migrations/sqlite" };
        let migrations = Migrator::new(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).await.unwrap();
        if database.is_postgres() {
            let mut server = PgConnection::connect(database.url()).await.unwrap();
            migrations.run_to(12, &mut server).await.unwrap();
            let old = "WITH old (id, name, raw) AS (
                VALUES (gen_random_uuid(), 'whole', '\\x68690d0a'::BYTEA), (gen_random_uuid(), 'forgotten', NULL))";
            let alone = "ALTER TABLE outbox DROP CONSTRAINT outbox_run_id_fkey";
            sqlx::raw_sql(alone).execute(&mut server).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{old} {OLD_REPLIES}"))).execute(&mut server).await.unwrap();
        } else {
            let options: SqliteConnectOptions = database.url().parse().unwrap();
            let mut file = options.create_if_missing(true).foreign_keys(false).connect().await.unwrap();
            migrations.run_to(12, &mut file).await.unwrap();
            let old = "WITH old (id, name, raw) AS (VALUES (X'01', 'whole', X'68690D0A'), (X'02', 'forgotten', NULL))";
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{old} {OLD_REPLIES}"))).execute(&mut file).await.unwrap();
        }
        let _store = open_store(&database, Clock::system()).await;
        let kept = "SELECT CAST(rfc_message_id || ' ' || LENGTH(raw) AS TEXT) FROM outbox_bytes JOIN outbox USING (run_id)";
        assert_eq!(texts(&database, kept).await, ["whole 4"]);
        assert_eq!(texts(&database, "SELECT rfc_message_id FROM outbox").await.len(), 2);
    }
}
