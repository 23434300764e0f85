//! What the kernel says of a process.

use std::time::Duration;

use super::Failure;

/// Clock ticks per second in `/proc`, the same on every Linux.
const TICKS: u64 = 100;

/// A number of `/proc/<pid>/status`: `VmRSS` in KiB, `Threads`.
pub fn status(process: u32, name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_ascii_whitespace().next());
    Ok(number.ok_or_else(|| format!("no {name} of process {process}"))?.parse()?)
}

/// The time that all its threads have used, in the program and in the kernel.
pub fn cpu_time(process: u32) -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let (_name, rest) = stat.rsplit_once(')').ok_or("no name in /proc/<pid>/stat")?;
    let mut ticks = 0;
    for field in rest.split_ascii_whitespace().skip(11).take(2) {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}
