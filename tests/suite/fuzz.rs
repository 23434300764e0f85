//! Mails of each kind, damaged in every way: a value each, soon, and nothing in it that could do harm (EM-31, EM-106).
//!
//! `tests/fuzz.sh` runs this for as long as one likes.

mod damage;
mod properties;
mod seeds;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::test_runner::{Config, TestRunner};

use self::damage::damaged;

/// Damaged mails in an ordinary run of the suite, and between two looks at the clock in a long one.
const CASES: u32 = 300;

#[test]
fn damaged_mails_are_read_judged_and_answered_soundly() {
    let mut seeds = seeds::all();
    seeds.extend(std::env::var_os("POSTKEY_CORPORA").iter().flat_map(|folder| files(Path::new(folder))));
    let longest = std::env::var("POSTKEY_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(longest.unwrap_or(0));
    let config =
        Config { cases: CASES, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut cases = 0;
    loop {
        // A runner counts its cases over all its runs, so each turn has one of its own.
        let ended = TestRunner::new(config.clone()).run(&damaged(&seeds), |mail| properties::check(&mail.0));
        ended.unwrap_or_else(|error| panic!("{error}"));
        cases += CASES;
        if Instant::now() >= end {
            break;
        }
    }
    println!("{cases} damaged mails of {} seeds", seeds.len());
}

#[test]
fn the_seeds_themselves_are_sound() {
    for seed in seeds::all() {
        properties::check(&seed).unwrap_or_else(|error| panic!("{error}: {}", seed.escape_ascii()));
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut pending = vec![PathBuf::from(folder)];
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            found.push(std::fs::read(path).unwrap());
        }
    }
    found
}
