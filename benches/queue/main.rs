//! The queue alone: empty runs on both databases in one go, with fairness, caps, leases and fencing on.
//!
//! ```text
//! tests/run.sh --durable -- cargo bench --bench queue
//! tests/run.sh --durable -- cargo bench --bench queue -- postgres latency
//! ```
//!
//! Words after `--` choose databases (`sqlite`, `postgres`) and parts (`throughput`, `latency`, `claims`,
//! `processes`); none means all. Commits are durable in every figure: `synchronous=FULL` on SQLite; on PostgreSQL
//! a server with `fsync` or `synchronous_commit` off is refused.

mod backlog;
mod claims;
mod database;
mod latency;
mod processes;
mod table;
mod throughput;

use self::database::{Database, Kind};
use self::table::Table;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// As in `workers.toml`.
const PER_USER: u32 = 4;
/// Enough users for 200 runs at once under the cap.
const USERS: u32 = 50;

const PARTS: [&str; 4] = ["throughput", "latency", "claims", "processes"];

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(child) = processes::Child::from_words(&words)? {
        return runtime.block_on(child.work());
    }
    runtime.block_on(measure(&words))
}

async fn measure(words: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = words.iter().find(|word| !is_known(word)) {
        return Err(format!("unknown word '{unknown}': sqlite, postgres, {}", PARTS.join(", ")).into());
    }
    let chosen = |word: &str, among: &[&str]| {
        words.iter().any(|said| said == word) || !words.iter().any(|said| among.contains(&said.as_str()))
    };
    let mut table = Table::begin()?;
    for kind in [Kind::Sqlite, Kind::Postgres] {
        if !chosen(kind.word(), &["sqlite", "postgres"]) {
            continue;
        }
        for part in PARTS.into_iter().filter(|part| chosen(part, &PARTS)) {
            let database = Database::create(kind).await?;
            let measured = measure_part(part, &database, &mut table).await;
            database.remove().await?;
            measured?;
        }
    }
    table.end();
    Ok(())
}

fn is_known(word: &str) -> bool {
    PARTS.contains(&word) || ["sqlite", "postgres"].contains(&word)
}

async fn measure_part(part: &str, database: &Database, table: &mut Table) -> Result<(), Failure> {
    match part {
        "throughput" => throughput::measure(database, table).await,
        "latency" => latency::measure(database, table).await,
        "claims" => claims::measure(database, table).await,
        _ if database.kind == Kind::Postgres => processes::measure(database, table).await,
        _ => Ok(()), // a SQLite file belongs to one process
    }
}
