//! How many replies per second a backlog gets, beside the bare loop.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use postkey::demo::control::Report;

use super::loopback::database::{Database, Kind};
use super::loopback::servers::Servers;
use super::loopback::service::{Limits, Service};
use super::loopback::{Failure, load, process, world};
use super::{LIMITS, WIDE_LIMITS, bare, tell_limits, with_database};

const MAILS: usize = 2_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// What one run came to.
struct Figure {
    /// From the start of the process to the last reply.
    took: Duration,
    /// What the process itself has used of the processors.
    cpu: Duration,
    /// What it has in memory at the end, in KiB.
    resident: u64,
}

pub async fn measure(kinds: &[Kind]) -> Result<(), Failure> {
    println!("\nA backlog of {MAILS} mails, each from another correspondent");
    for limits in [LIMITS, WIDE_LIMITS] {
        tell_limits(limits);
        println!("| mailboxes | what | replies/s | of the bare loop | CPU per reply | resident | load |");
        println!("| ---: | --- | ---: | ---: | ---: | ---: | ---: |");
        for mailboxes in [1, 20] {
            let bare = run_bare(mailboxes, limits).await?;
            tell(mailboxes, "bare loop", &bare, &bare);
            for kind in kinds {
                let figure =
                    with_database(*kind, async |database| run_service(database, mailboxes, limits).await)
                        .await?;
                tell(mailboxes, kind.word(), &figure, &bare);
            }
        }
    }
    Ok(())
}

fn tell(mailboxes: usize, what: &str, figure: &Figure, bare: &Figure) {
    println!(
        "| {mailboxes} | {what} | {:.0} | {:.2} | {:.2} ms | {:.0} MiB | {} |",
        MAILS as f64 / figure.took.as_secs_f64(),
        bare.took.as_secs_f64() / figure.took.as_secs_f64(),
        figure.cpu.as_secs_f64() * 1000.0 / MAILS as f64,
        figure.resident as f64 / 1024.0,
        load()
    );
}

async fn run_bare(mailboxes: usize, limits: Limits) -> Result<Figure, Failure> {
    let (mut servers, addresses) = filled_servers(mailboxes).await?;
    let began = Instant::now();
    let child = bare::start(&servers.at, &addresses, limits)?;
    let process = child.id().ok_or("the bare loop has ended")?;
    await_replies(&mut servers, began, process).await
}

async fn run_service(database: &Database, mailboxes: usize, limits: Limits) -> Result<Figure, Failure> {
    let (mut servers, addresses) = filled_servers(mailboxes).await?;
    let store = database.open().await?;
    for address in &addresses {
        world::add_owner(&store, &servers.at, &[address]).await;
    }
    drop(store);
    let began = Instant::now();
    let service = Service::start(database.url(), &servers.at, limits).await?;
    let figure = await_replies(&mut servers, began, service.process).await?;
    service.stop().await?;
    Ok(figure)
}

async fn filled_servers(mailboxes: usize) -> Result<(Servers, Vec<String>), Failure> {
    let mut servers = Servers::start(Duration::ZERO, false).await?;
    let addresses: Vec<String> = (0..mailboxes).map(|number| format!("desk{number}@shop.test")).collect();
    for address in &addresses {
        servers.add_account(address).await?;
    }
    for (number, address) in (0..MAILS).zip(addresses.iter().cycle()) {
        servers.deliver(address, world::letter(number, address)).await?;
    }
    servers.watch().await?;
    Ok((servers, addresses))
}

/// Until every mail has its one reply.
async fn await_replies(servers: &mut Servers, began: Instant, process: u32) -> Result<Figure, Failure> {
    let mut answered = HashSet::new();
    let (mut cpu, mut resident) = (Duration::ZERO, 0);
    while answered.len() < MAILS {
        if let Report::Accepted { in_reply_to, .. } = servers.next_event(PATIENCE).await? {
            let parent = in_reply_to.ok_or("a reply to nothing")?;
            if !answered.insert(parent) {
                return Err("a mail was answered twice".into());
            }
            // Near its end the bare loop may be gone before its last replies are counted; the figures before stand then.
            if answered.len() % 100 == 99
                && let (Ok(used), Ok(kept)) = (process::cpu_time(process), process::status(process, "VmRSS"))
            {
                (cpu, resident) = (used, kept);
            }
        }
    }
    Ok(Figure { took: began.elapsed(), cpu, resident })
}
