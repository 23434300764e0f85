//! The whole pipeline on loopback: mail in, one call of the provider, reply out.
//!
//! ```text
//! tests/run.sh --durable -- cargo bench --bench pipeline
//! tests/run.sh --durable -- cargo bench --bench pipeline -- sqlite backlog
//! ```
//!
//! Words after `--` choose databases (`sqlite`, `postgres`) and parts (`backlog`, `latency`); none means all. The
//! servers are one process, the service another one, the bare loop that it is compared with a third. The rate
//! counts from the start of that process to the last reply that the SMTP server took: connecting, logging in and
//! taking the mail in are part of it. Commits are durable: `synchronous=FULL` on SQLite; a PostgreSQL server with
//! `fsync` or `synchronous_commit` off is refused.

mod backlog;
mod bare;
mod latency;
#[path = "../loopback/mod.rs"]
mod loopback;

use self::loopback::database::{Database, Kind, folder_and_its_file_system};
use self::loopback::service::Limits;
use self::loopback::{Failure, work_as_child};

/// For the service and, as far as it has them, the bare loop: as many runs at once and SMTP connections of a mailbox as
/// `workers.toml` has.
const LIMITS: Limits = Limits { concurrency: 100, connections_per_account: 4, connects_per_second: 1000 };

/// The same where the operator and the mail servers allow more at once.
const WIDE_LIMITS: Limits = Limits { concurrency: 500, connections_per_account: 16, ..LIMITS };

const PARTS: [&str; 2] = ["backlog", "latency"];

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match words.as_slice() {
            [child, job] if child == bare::CHILD => bare::work(job).await,
            _ if work_as_child(&words).await? => Ok(()),
            _ => measure(&words).await,
        }
    })
}

async fn measure(words: &[String]) -> Result<(), Failure> {
    let databases = [Kind::Sqlite, Kind::Postgres];
    let known = |word: &str| PARTS.contains(&word) || databases.iter().any(|kind| kind.word() == word);
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        return Err(format!("unknown word '{unknown}': sqlite, postgres, {}", PARTS.join(", ")).into());
    }
    let chosen = |word: &str| words.iter().any(|said| said == word);
    let (all_kinds, all_parts) =
        (!databases.iter().any(|kind| chosen(kind.word())), !PARTS.iter().any(|part| chosen(part)));
    let kinds: Vec<Kind> = databases.into_iter().filter(|kind| all_kinds || chosen(kind.word())).collect();
    println!(
        "\n{} cores; SQLite file on {}, synchronous=FULL",
        std::thread::available_parallelism()?,
        folder_and_its_file_system()?
    );
    println!("limits: messages_per_minute 0; provider latency 0");
    if all_parts || chosen("backlog") {
        backlog::measure(&kinds).await?;
    }
    if all_parts || chosen("latency") {
        latency::measure(&kinds).await?;
    }
    Ok(())
}

fn tell_limits(Limits { concurrency, connections_per_account, .. }: Limits) {
    println!(
        "\nlimits: concurrency {concurrency}, per_user {concurrency}, per_key {concurrency}, \
         connections_per_account {connections_per_account}\n"
    );
}

/// A fresh database for one measurement.
async fn with_database<T>(
    kind: Kind,
    measure: impl AsyncFnOnce(&Database) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let database = Database::create(kind).await?;
    let measured = measure(&database).await;
    database.remove().await?;
    measured
}
