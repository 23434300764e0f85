//! What a chat through Postkey costs beside one with the provider itself, and how many go on at once.
//!
//! ```text
//! cargo bench --bench chat -- sqlite
//! tests/run.sh --durable -- cargo bench --bench chat
//! tests/run.sh --durable -- cargo bench --bench chat -- postgres crowd
//! ```
//!
//! Words after `--` choose databases (`sqlite`, `postgres`) and parts (`first_byte`, `crowd`); none means all. Service
//! and provider are processes of their own, on the machine of whoever asks.

mod caller;
mod crowd;
mod first_byte;
#[path = "../loopback/mod.rs"]
#[expect(dead_code, reason = "no mail is delivered here")]
mod loopback;
mod provider;

use std::net::SocketAddr;

use self::caller::Caller;
use self::loopback::database::{Database, Kind, folder_and_its_file_system};
use self::loopback::service::{Limits, Service};
use self::loopback::{Failure, work_as_child, world};
use self::provider::Provider;

const LIMITS: Limits = Limits { concurrency: 100, connections_per_account: 4, connects_per_second: 20 };

const PARTS: [&str; 2] = ["first_byte", "crowd"];

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        if words == [provider::CHILD] {
            provider::serve().await
        } else if work_as_child(&words).await? {
            Ok(())
        } else {
            measure(&words).await
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
    println!(
        "\n{} cores; SQLite file on {}, synchronous=FULL",
        std::thread::available_parallelism()?,
        folder_and_its_file_system()?
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
    let provider = Provider::start().await?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let servers = world::Servers {
        imap: nowhere,
        imap_ca: None,
        smtp: nowhere,
        provider: provider.base_url.clone(),
        password: String::new(),
    };
    let service = Service::start(database.url(), &servers, LIMITS).await?;
    let owners = Caller::sign_up(service.address, &provider.base_url).await?;
    if is_chosen("first_byte") {
        first_byte::measure(database.kind, &owners, &Caller::of_provider(&provider.base_url)?).await?;
    }
    if is_chosen("crowd") {
        crowd::measure(database.kind, &owners, service.process).await?;
    }
    service.stop().await
}
