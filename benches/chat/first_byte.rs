//! How much later the first byte comes through Postkey, asked by turns.

use std::time::Duration;

use super::caller::{Caller, percentile};
use super::loopback::database::Kind;
use super::loopback::{Failure, load};

const CHATS: u32 = 500;
/// Not counted: connections are opened.
const WARM_UP: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);
/// In milliseconds.
const AIM: f64 = 5.0;

pub async fn measure(kind: Kind, owners: &[Caller], provider: &Caller) -> Result<(), Failure> {
    let owner = owners.first().ok_or("no owner")?;
    let (mut through, mut direct) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + CHATS {
        let (one, other) = (owner.chat(1).await?, provider.chat(1).await?);
        if number >= WARM_UP {
            through.push(one.first_byte);
            direct.push(other.first_byte);
        }
        tokio::time::sleep(PAUSE).await;
    }
    println!("\n{}: first byte of {CHATS} chats, one after the other (aim: {AIM} ms more)", kind.word());
    println!("| asked | p50 | p99 | load |");
    println!("| --- | ---: | ---: | ---: |");
    for (who, figures) in [("the provider", &mut direct), ("Postkey", &mut through)] {
        let [p50, p99] = [0.5, 0.99].map(|part| percentile(figures, part));
        println!("| {who} | {p50:.2} ms | {p99:.2} ms | {} |", load());
    }
    let more = percentile(&mut through, 0.5) - percentile(&mut direct, 0.5);
    println!("more at the median: {more:.2} ms");
    Ok(())
}
