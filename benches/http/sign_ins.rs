//! Reads while others hammer at the door: hashing passwords must not keep anybody else waiting (SR-31).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::calls::Caller;
use super::loopback::Failure;
use super::loopback::database::Kind;
use super::reads::{PER_SECOND, steadily, tell};

const SECONDS: u32 = 10;
/// Who try to sign in at once, each again and again.
const HAMMERING: usize = 64;
/// How long somebody waits who was sent away.
const PAUSE: Duration = Duration::from_millis(100);

pub async fn measure(kind: Kind, caller: &Caller, calls: &[String]) -> Result<(), Failure> {
    let (refused, busy) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let is_over = Arc::new(AtomicBool::new(false));
    let mut hammers = tokio::task::JoinSet::new();
    for _ in 0..HAMMERING {
        let (caller, refused, busy) = (caller.clone(), Arc::clone(&refused), Arc::clone(&busy));
        let is_over = Arc::clone(&is_over);
        hammers.spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                let status = caller.sign_in_with("not the password").send().await?.status().as_u16();
                let count = if status == 503 { &busy } else { &refused };
                count.fetch_add(1, Ordering::Relaxed);
                if status == 503 {
                    // So that it is not the flood itself that is measured.
                    tokio::time::sleep(PAUSE).await;
                }
            }
            Ok::<(), Failure>(())
        });
    }
    let began = Instant::now();
    let took = steadily(caller, calls, PER_SECOND * SECONDS).await;
    is_over.store(true, Ordering::Relaxed);
    let seconds = began.elapsed().as_secs_f64();
    while let Some(hammer) = hammers.join_next().await {
        hammer??;
    }
    let rate = |count: &AtomicU32| f64::from(count.load(Ordering::Relaxed)) / seconds;
    println!("\n{}: {PER_SECOND} reads/s while {HAMMERING} others try to sign in", kind.word());
    println!("| call | calls | p50 | p99 | most | load |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    tell("all reads", took?.into_iter().map(|(_, millis)| millis).collect());
    println!("passwords checked: {:.0}/s; sent away (503): {:.0}/s", rate(&refused), rate(&busy));
    Ok(())
}
