//! What it costs to read and judge a mail, beside what mail-parser's bare parse of it costs.
//!
//! ```text
//! cargo bench --bench mail -- FOLDER
//! ```
//!
//! Reads every mail below FOLDER (or `POSTKEY_CORPORA`), else self-made ones, on one core. The two ways take turns,
//! so that a busy machine slows both.

mod mails;
mod passes;
#[path = "../../tests/suite/fuzz/seeds.rs"]
mod seeds;

use std::hint::black_box;
use std::path::PathBuf;

use mail_parser::MessageParser;
use postkey::mail::gate::{Allowed, Ours, decide};
use postkey::mail::{self, Limits};

use self::mails::Mails;
use self::passes::Pass;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Turns of each way; the median counts.
const TURNS: usize = 25;

/// How many times the bare parse everything may cost.
const AIM: f64 = 3.0;

fn main() -> Result<(), Failure> {
    let named = std::env::args().skip(1).find(|word| word != "--bench").map(PathBuf::from);
    let folder = named.or_else(|| std::env::var_os("POSTKEY_CORPORA").map(PathBuf::from));
    let mails = folder.map_or_else(|| Ok(Mails::own()), |folder| Mails::below(&folder))?;
    println!(
        "\n{} mails of {}, {} bytes in all; {TURNS} turns, one core\n",
        mails.count(),
        mails.place,
        mails.bytes()
    );
    let mut passes = [
        Pass::new("mail-parser, bare parse", parse),
        Pass::new("read: header, structure, text", read),
        Pass::new("read and gate", read_and_decide),
    ];
    for _ in 0..TURNS {
        for pass in &mut passes {
            pass.take_turn(&mails);
        }
    }
    let bare = passes.first().map(|pass| pass.median()).unwrap_or_default();
    println!("| what | mails/s | ns/byte | times bare |\n| --- | ---: | ---: | ---: |");
    for pass in &passes {
        println!("{}", pass.row(&mails, bare));
    }
    let times = passes.last().map_or(f64::INFINITY, |pass| pass.times(bare));
    println!(
        "\nAim: at most {AIM} times the bare parse: {}",
        if times <= AIM { "reached" } else { "MISSED" }
    );
    Ok(())
}

fn parse(raw: &[u8]) {
    black_box(MessageParser::default().parse(black_box(raw)));
}

fn read(raw: &[u8]) {
    black_box(mail::read(black_box(raw), &Limits::default()));
}

fn read_and_decide(raw: &[u8]) {
    let ours = Ours {
        addresses: Vec::new(),
        mailbox: Vec::new(),
        allowed: Allowed::default(),
        sent: &|_| false,
        message_tag: &|_| [0; 16],
        installation: String::new(),
    };
    black_box(decide(&mail::read(black_box(raw), &Limits::default()), &ours));
}
