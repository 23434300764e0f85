//! Resident memory with a thousand watched mailboxes over TLS, beside the same process with none.

use std::time::Duration;

use super::loopback::database::{Database, Kind};
use super::loopback::servers::Servers;
use super::loopback::service::{Limits, Service};
use super::loopback::{Failure, load, process, world};

const MAILBOXES: usize = 1_000;
const LIMITS: Limits = Limits { concurrency: 100, connections_per_account: 4, connects_per_second: 200 };
/// Long enough for every periodic task to have run several times.
const SETTLED: Duration = Duration::from_secs(10);
const WATCHED_WITHIN: Duration = Duration::from_secs(120);

pub async fn measure() -> Result<(), Failure> {
    let mut servers = Servers::start(Duration::ZERO, true).await?;
    let addresses: Vec<String> = (0..MAILBOXES).map(|number| format!("desk{number}@shop.test")).collect();
    for address in &addresses {
        servers.add_account(address).await?;
    }
    let none = run(&servers, &[]).await?;
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let all = run(&servers, &addresses).await?;
    let each = (all.resident_kib.saturating_sub(none.resident_kib)) as f64 / MAILBOXES as f64;
    println!("\nIdle mailboxes over TLS, each in IMAP IDLE (aim: less than 150 KiB each)");
    println!("| mailboxes | resident | each | threads | CPU while idle | load |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    none.tell(0, String::new());
    all.tell(MAILBOXES, format!("{each:.1} KiB"));
    Ok(())
}

/// What a settled service takes.
struct Figure {
    resident_kib: u64,
    threads: u64,
    /// Part of one processor.
    cpu: f64,
}

impl Figure {
    fn tell(&self, mailboxes: usize, each: String) {
        let (resident, percent) = (self.resident_kib as f64 / 1024.0, self.cpu * 100.0);
        println!(
            "| {mailboxes} | {resident:.1} MiB | {each} | {} | {percent:.1} % | {} |",
            self.threads,
            load()
        );
    }
}

async fn run(servers: &Servers, addresses: &[&str]) -> Result<Figure, Failure> {
    let database = Database::create(Kind::Sqlite).await?;
    let store = database.open().await?;
    let owner = match addresses {
        [] => None,
        _ => world::add_owner(&store, &servers.at, addresses).await.first().map(|desk| desk.user),
    };
    let service = Service::start(database.url(), &servers.at, LIMITS).await?;
    let watched = async {
        while let Some(owner) = owner {
            let mailboxes = store.list_mailboxes(owner).await?;
            if mailboxes.iter().all(|mailbox| mailbox.last_alive_at.is_some()) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok::<(), Failure>(())
    };
    tokio::time::timeout(WATCHED_WITHIN, watched).await.map_err(|_| "not every mailbox is watched")??;
    tokio::time::sleep(SETTLED).await;
    let before = process::cpu_time(service.process)?;
    tokio::time::sleep(SETTLED).await;
    let cpu = process::cpu_time(service.process)?.saturating_sub(before);
    let figure = Figure {
        resident_kib: process::status(service.process, "VmRSS")?,
        threads: process::status(service.process, "Threads")?,
        cpu: cpu.as_secs_f64() / SETTLED.as_secs_f64(),
    };
    service.stop().await?;
    drop(store);
    database.remove().await?;
    Ok(figure)
}
