//! What waiting costs: memory of a thousand idle mailboxes, and what 500 slow runs hold.
//!
//! ```text
//! tests/run.sh --durable -- cargo bench --bench memory
//! tests/run.sh --durable -- cargo bench --bench memory -- idle
//! ```
//!
//! Words after `--` choose parts (`idle`, `slow`); none means both. Servers and service are processes of their own.

mod idle;
#[path = "../loopback/mod.rs"]
mod loopback;
mod slow;

use self::loopback::{Failure, work_as_child};

const PARTS: [&str; 2] = ["idle", "slow"];

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async { if work_as_child(&words).await? { Ok(()) } else { measure(&words).await } })
}

async fn measure(words: &[String]) -> Result<(), Failure> {
    if let Some(unknown) = words.iter().find(|word| !PARTS.contains(&word.as_str())) {
        return Err(format!("unknown word '{unknown}': {}", PARTS.join(", ")).into());
    }
    let file_system = loopback::database::folder_and_its_file_system()?;
    println!(
        "\n{} cores; SQLite file on {file_system}, synchronous=FULL",
        std::thread::available_parallelism()?
    );
    let chosen = |part: &str| words.is_empty() || words.iter().any(|word| word == part);
    if chosen("idle") {
        idle::measure().await?;
    }
    if chosen("slow") {
        slow::measure().await?;
    }
    Ok(())
}
