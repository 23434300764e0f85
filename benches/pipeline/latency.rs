//! From the mail's arrival to its reply, one mail a second: an idle service must wake at once.

use std::time::Duration;

use postkey::clock::Timestamp;
use postkey::demo::control::Report;

use super::loopback::database::{Database, Kind};
use super::loopback::servers::Servers;
use super::loopback::service::Service;
use super::loopback::{Failure, load, world};
use super::{LIMITS, tell_limits, with_database};

const MAILS: usize = 40;
const ADDRESS: &str = "desk@shop.test";
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn measure(kinds: &[Kind]) -> Result<(), Failure> {
    println!("\n{MAILS} mails, one a second: from the IMAP server's EXISTS to the SMTP server's 250");
    println!("(all of it counts as ours: the provider thinks for 0 ms, and its exchange is not taken off)");
    tell_limits(LIMITS);
    println!("| database | p50 | p99 | most | load |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    for kind in kinds {
        let mut took = with_database(*kind, run).await?;
        took.sort_by(f64::total_cmp);
        let figure = |part| percentile(&took, part);
        let (p50, p99, most) = (figure(0.5), figure(0.99), figure(1.0));
        println!("| {} | {p50:.0} ms | {p99:.0} ms | {most:.0} ms | {} |", kind.word(), load());
    }
    Ok(())
}

async fn run(database: &Database) -> Result<Vec<f64>, Failure> {
    let mut servers = Servers::start(Duration::ZERO, false).await?;
    servers.add_account(ADDRESS).await?;
    let store = database.open().await?;
    world::add_owner(&store, &servers.at, &[ADDRESS]).await;
    drop(store);
    servers.watch().await?;
    let service = Service::start(database.url(), &servers.at, LIMITS).await?;
    // The first one waits for the service's start, and opens the connections.
    send_one(&mut servers, MAILS).await?;
    let mut took = Vec::with_capacity(MAILS);
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await; // the first tick comes at once, and that mail was the first
    for number in 0..MAILS {
        second.tick().await;
        took.push(send_one(&mut servers, number).await?);
    }
    service.stop().await?;
    Ok(took)
}

/// Delivers a mail, and gives the milliseconds to its reply by the servers' clock.
async fn send_one(servers: &mut Servers, number: usize) -> Result<f64, Failure> {
    servers.deliver(ADDRESS, world::letter(number, ADDRESS)).await?;
    let mut arrived: Option<Timestamp> = None;
    loop {
        match servers.next_event(PATIENCE).await? {
            Report::Arrived { at, .. } => arrived = Some(at),
            Report::Accepted { at, .. } => {
                let came = arrived.ok_or("a reply before its mail")?;
                return Ok(at.since(came).as_secs_f64() * 1000.0);
            }
            _ => {}
        }
    }
}

/// Of sorted figures; zero where there are none.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a short list")]
    let position = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(position).copied().unwrap_or_default()
}
