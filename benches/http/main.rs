//! How fast the API answers while it is asked steadily, with 100,000 runs stored.
//!
//! ```text
//! tests/run.sh --durable -- cargo bench --bench http
//! tests/run.sh --durable -- cargo bench --bench http -- sqlite reads
//! ```
//!
//! Words after `--` choose databases (`sqlite`, `postgres`) and parts (`reads`, `sign_ins`); none means all. The
//! service is a process of its own; the caller is another one on the same machine. Calls are made at fixed times,
//! whether the ones before have been answered or not, and each counts from the time at which it was due.

mod calls;
#[path = "../loopback/mod.rs"]
#[expect(dead_code, reason = "no mail is delivered here")]
mod loopback;
mod reads;
mod rows;
mod sign_ins;

use self::loopback::database::{Database, Kind, folder_and_its_file_system};
use self::loopback::service::{Limits, Service};
use self::loopback::{Failure, work_as_child};

const LIMITS: Limits = Limits { concurrency: 100, connections_per_account: 4, connects_per_second: 20 };

const PARTS: [&str; 2] = ["reads", "sign_ins"];

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async { if work_as_child(&words).await? { Ok(()) } else { measure(&words).await } })
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
    println!(
        "\n{} cores; SQLite file on {}, synchronous=FULL; {} runs of one owner",
        std::thread::available_parallelism()?,
        folder_and_its_file_system()?,
        rows::RUNS
    );
    for kind in databases.into_iter().filter(|kind| all_kinds || chosen(kind.word())) {
        let database = Database::create(kind).await?;
        let measured = measure_on(&database, |part| all_parts || chosen(part)).await;
        database.remove().await?;
        measured?;
    }
    Ok(())
}

async fn measure_on(database: &Database, is_chosen: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let servers = rows::servers();
    rows::fill(database, &servers).await?;
    let service = Service::start(database.url(), &servers, LIMITS).await?;
    let caller = calls::Caller::sign_in(service.address).await?;
    let calls = calls::reads(&caller).await?;
    if is_chosen("reads") {
        reads::measure(database.kind, &caller, &calls).await?;
    }
    if is_chosen("sign_ins") {
        sign_ins::measure(database.kind, &caller, &calls).await?;
    }
    service.stop().await
}
