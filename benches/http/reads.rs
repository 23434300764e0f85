//! Reads at a steady rate.

use std::time::{Duration, Instant};

use super::calls::Caller;
use super::loopback::database::Kind;
use super::loopback::{Failure, load};

pub const PER_SECOND: u32 = 500;
const SECONDS: u32 = 15;
/// Not counted: connections are opened and pages of the database are read for the first time.
const WARM_UP: u32 = 3;
/// In milliseconds.
const AIM: f64 = 10.0;

pub async fn measure(kind: Kind, caller: &Caller, calls: &[String]) -> Result<(), Failure> {
    steadily(caller, calls, PER_SECOND * WARM_UP).await?;
    let took = steadily(caller, calls, PER_SECOND * SECONDS).await?;
    println!("\n{}: {PER_SECOND} reads/s for {SECONDS} s (aim: p99 of at most {AIM} ms)", kind.word());
    println!("| call | calls | p50 | p99 | most | load |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for (index, call) in calls.iter().enumerate() {
        tell(&hide_id(call), of_call(&took, index));
    }
    tell("all", took.iter().map(|(_, millis)| *millis).collect());
    Ok(())
}

fn of_call(took: &[(usize, f64)], index: usize) -> Vec<f64> {
    took.iter().filter(|(call, _)| *call == index).map(|(_, millis)| *millis).collect()
}

pub fn tell(what: &str, mut took: Vec<f64>) {
    took.sort_by(f64::total_cmp);
    let [p50, p99, most] = [0.5, 0.99, 1.0].map(|part| percentile(&took, part));
    println!("| {what} | {} | {p50:.1} ms | {p99:.1} ms | {most:.1} ms | {} |", took.len(), load());
}

/// Makes so many calls, one after the other of the list, each at its time. Answers which and how many milliseconds
/// after that time the answer was there, whole.
pub async fn steadily(caller: &Caller, calls: &[String], number: u32) -> Result<Vec<(usize, f64)>, Failure> {
    let began = Instant::now() + Duration::from_millis(20);
    let mut answers = Vec::new();
    for turn in 0..number {
        let due = began + Duration::from_secs(1) * turn / PER_SECOND;
        tokio::time::sleep_until(due.into()).await;
        let index = usize::try_from(turn)? % calls.len().max(1);
        let call = caller.get(calls.get(index).ok_or("there is nothing to read")?);
        answers.push((
            index,
            tokio::spawn(async move {
                let response = call.send().await?.error_for_status()?;
                let _body = response.bytes().await?;
                Ok::<f64, Failure>(due.elapsed().as_secs_f64() * 1000.0)
            }),
        ));
    }
    let mut took = Vec::with_capacity(answers.len());
    for (index, answer) in answers {
        took.push((index, answer.await??));
    }
    Ok(took)
}

/// Of sorted figures; zero where there are none.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a short list")]
    let position = (sorted.len().saturating_sub(1) as f64 * part).round() as usize;
    sorted.get(position).copied().unwrap_or_default()
}

/// A call without the id of what it names.
fn hide_id(call: &str) -> String {
    let words = call.split('/').map(|word| if uuid::Uuid::parse_str(word).is_ok() { "{id}" } else { word });
    words.collect::<Vec<_>>().join("/")
}
