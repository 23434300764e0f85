//! 500 runs in flight in one process while the provider takes 20 s: tasks and not threads, and no database
//! connection that waits along.

use std::time::{Duration, Instant};

use postkey::demo::control::Report;
use sqlx::{Connection, PgConnection};

use super::loopback::database::{Database, Kind};
use super::loopback::servers::Servers;
use super::loopback::service::{Limits, Service};
use super::loopback::{Failure, load, process, world};

const RUNS: usize = 500;
const MAILBOXES: usize = 20;
const LATENCY: Duration = Duration::from_secs(20);
const LIMITS: Limits = Limits { concurrency: 500, connections_per_account: 4, connects_per_second: 200 };

pub async fn measure() -> Result<(), Failure> {
    println!("\n{RUNS} runs in flight, the provider takes {} s", LATENCY.as_secs());
    println!(
        "limits: concurrency {RUNS}, per_user {RUNS}, per_key {RUNS}, database.connections 16 (PostgreSQL)"
    );
    println!(
        "| database | first reply | last reply | threads | connections | in a transaction | resident | load |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for kind in [Kind::Sqlite, Kind::Postgres] {
        let database = Database::create(kind).await?;
        let measured = run(&database).await;
        database.remove().await?;
        measured?;
    }
    Ok(())
}

async fn run(database: &Database) -> Result<(), Failure> {
    let mut servers = Servers::start(LATENCY, false).await?;
    let store = database.open().await?;
    for number in 0..MAILBOXES {
        let address = format!("desk{number}@shop.test");
        servers.add_account(&address).await?;
        world::add_owner(&store, &servers.at, &[&address]).await;
    }
    drop(store);
    for number in 0..RUNS {
        let address = format!("desk{}@shop.test", number % MAILBOXES);
        servers.deliver(&address, world::letter(number, &address)).await?;
    }
    servers.watch().await?;
    let began = Instant::now();
    let service = Service::start(database.url(), &servers.at, LIMITS).await?;
    tokio::time::sleep(LATENCY / 2).await;
    let (connections, in_transaction) = count_connections(database, service.process).await?;
    let threads = process::status(service.process, "Threads")?;
    let resident = process::status(service.process, "VmRSS")?;
    let (first, last) = await_replies(&mut servers, began).await?;
    println!(
        "| {} | {first:.1} s | {last:.1} s | {threads} | {connections} | {in_transaction} | {:.1} MiB | {} |",
        database.kind.word(),
        resident as f64 / 1024.0,
        load()
    );
    service.stop().await
}

/// Seconds to the first and to the last reply.
async fn await_replies(servers: &mut Servers, began: Instant) -> Result<(f64, f64), Failure> {
    let (mut first, mut replies) = (0.0, 0);
    while replies < RUNS {
        if let Report::Accepted { .. } = servers.next_event(LATENCY * 3).await? {
            replies += 1;
            if replies == 1 {
                first = began.elapsed().as_secs_f64();
            }
        }
    }
    Ok((first, began.elapsed().as_secs_f64()))
}

/// Connections that the service has open, and how many of them are in the middle of something.
async fn count_connections(database: &Database, service: u32) -> Result<(i64, String), Failure> {
    if database.kind == Kind::Sqlite {
        let path = database.url().strip_prefix("sqlite://").unwrap_or_default();
        return Ok((i64::try_from(open_files(service, path)?)?, "-".to_owned()));
    }
    let mut connection = PgConnection::connect(database.url()).await?;
    let (open, busy): (i64, i64) = sqlx::query_as(
        "SELECT COUNT(*), COUNT(*) FILTER (WHERE state <> 'idle') FROM pg_stat_activity
         WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
    )
    .fetch_one(&mut connection)
    .await?;
    Ok((open, busy.to_string()))
}

/// How often a process has a file open.
fn open_files(process: u32, path: &str) -> Result<usize, Failure> {
    let mut count = 0;
    for entry in std::fs::read_dir(format!("/proc/{process}/fd"))? {
        let target = std::fs::read_link(entry?.path()).unwrap_or_default();
        count += usize::from(target.to_str() == Some(path));
    }
    Ok(count)
}
