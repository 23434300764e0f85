//! How well mails are read and judged, measured on collections that others made.
//!
//! ```text
//! tests/corpora.sh FOLDER
//! tests/corpora.sh FOLDER --misses
//! ```
//!
//! It asks the program itself (`postkey explain --json`) and compares with what the collections expect. It fails when
//! a target is missed. The second form shows for every miss what was expected and what came.

mod bounces;
mod explain;
mod labels;
mod measure;
mod robust;
mod talon;
mod tnef;
mod trimmer;

use std::path::PathBuf;
use std::process::ExitCode;

use self::measure::Measure;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<ExitCode, Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let shows_misses = words.iter().any(|word| word == "--misses");
    let named = words.iter().find(|word| !word.starts_with("--")).map(PathBuf::from);
    let Some(folder) = named.or_else(|| std::env::var_os("POSTKEY_CORPORA").map(PathBuf::from)) else {
        println!("Nothing is measured: name the folder of the collections, or set POSTKEY_CORPORA.");
        return Ok(ExitCode::SUCCESS);
    };
    let parts =
        [trimmer::measure, talon::measure, bounces::measure, labels::measure, robust::measure, tnef::measure];
    let mut measures = Vec::new();
    for measure in parts {
        measures.extend(measure(&folder)?);
    }
    print!("{}{}", measure::misses(&measures, shows_misses), measure::table(&measures));
    let is_reached = measures.iter().all(Measure::is_reached);
    Ok(if is_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
