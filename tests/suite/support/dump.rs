//! Every row of every table, as somebody sees it who has the file or the server.

use std::collections::BTreeMap;

use super::database::TestDatabase;
use super::raw::texts;

/// The rows of each table as text; bytes are in hex.
pub async fn dump(database: &TestDatabase) -> BTreeMap<String, Vec<String>> {
    let mut rows = BTreeMap::new();
    for table in tables(database).await {
        let found = texts(database, &rows_as_text(database, &table).await).await;
        rows.insert(table, found);
    }
    rows
}

/// All tables of ours.
pub async fn tables(database: &TestDatabase) -> Vec<String> {
    let query = if database.is_postgres() {
        "SELECT table_name::TEXT FROM information_schema.tables
         WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%' ORDER BY table_name"
    } else {
        "SELECT name FROM sqlite_master
         WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '_sqlx%' ORDER BY name"
    };
    texts(database, query).await
}

/// The tables whose rows belong to a user.
pub async fn tables_of_users(database: &TestDatabase) -> Vec<String> {
    let query = if database.is_postgres() {
        "SELECT table_name::TEXT FROM information_schema.columns
         WHERE table_schema = 'public' AND column_name = 'user_id' ORDER BY table_name"
    } else {
        "SELECT tables.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns
         WHERE tables.type = 'table' AND columns.name = 'user_id' ORDER BY tables.name"
    };
    texts(database, query).await
}

async fn rows_as_text(database: &TestDatabase, table: &str) -> String {
    if database.is_postgres() {
        return format!("SELECT CAST({table} AS TEXT) FROM {table}");
    }
    let columns = texts(database, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
    let quoted: Vec<String> = columns.iter().map(|column| format!("quote(\"{column}\")")).collect();
    format!("SELECT {} FROM {table}", quoted.join(" || ', ' || "))
}

/// Whether a row says this, as text or as bytes.
pub fn says(row: &str, word: &str) -> bool {
    let (row, word) = (row.to_lowercase(), word.to_lowercase());
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Bytes keep their case; what is looked for here has none.
    row.contains(&word) || row.contains(&word.replace('-', "")) || row.contains(&hex)
}
