//! Many chats at once in one process, for some seconds.

use std::time::Duration;

use tokio::task::JoinSet;

use super::caller::{Caller, percentile};
use super::loopback::database::Kind;
use super::loopback::{Failure, load, process};

const CHATS: usize = 500;
/// Of each answer, two a second.
const WORDS: u32 = 40;
/// New chats do not come all in one instant.
const BETWEEN: Duration = Duration::from_millis(5);

pub async fn measure(kind: Kind, owners: &[Caller], service: u32) -> Result<(), Failure> {
    let (before, cpu) = (process::status(service, "VmRSS")?, process::cpu_time(service)?);
    let mut chats = JoinSet::new();
    for owner in owners.iter().cycle().take(CHATS) {
        let owner = owner.clone();
        chats.spawn(async move { owner.chat(WORDS).await });
        tokio::time::sleep(BETWEEN).await;
    }
    // All of them have begun by now, and none has ended.
    let during = process::status(service, "VmRSS")?;
    let (mut complete, mut first, mut delays) = (0, Vec::new(), Vec::new());
    while let Some(chat) = chats.join_next().await {
        let chat = chat??;
        complete += usize::from(chat.is_complete && chat.delays.len() == usize::try_from(WORDS)?);
        first.push(chat.first_byte);
        delays.extend(chat.delays);
    }
    let used = process::cpu_time(service)? - cpu;
    println!("\n{}: {CHATS} chats at once, {WORDS} words each, two a second", kind.word());
    println!(
        "| complete | first byte p50 | p99 | a word later by p50 | p99 | memory | more by | CPU | load |"
    );
    println!("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    let [[first_p50, first_p99], [late_p50, late_p99]] =
        [&mut first, &mut delays].map(|figures| [0.5, 0.99].map(|part| percentile(figures, part)));
    println!(
        "| {complete} | {first_p50:.1} ms | {first_p99:.1} ms | {late_p50:.1} ms | {late_p99:.1} ms | {} MiB | {} MiB | \
         {:.1} s | {} |",
        during / 1024,
        during.saturating_sub(before) / 1024,
        used.as_secs_f64(),
        load()
    );
    if complete == CHATS { Ok(()) } else { Err(format!("{} chats did not end", CHATS - complete).into()) }
}
