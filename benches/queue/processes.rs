//! One process against two on the same PostgreSQL: this program again, as a worker.

use std::io::Read;
use std::process::Stdio;
use std::time::{Duration, Instant};

use postkey::queue::{Outcome, Queue};
use postkey::store::Holder;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child as Process, ChildStdin, ChildStdout, Command};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::backlog::{Backlog, add_users};
use super::database::{self, Database};
use super::table::{Aim, Table, percentile};
use super::throughput::worker;

const AS_WORKER: &str = "work-as-child";
const RUNS: i64 = 30_000;
const ROUNDS: usize = 3;

pub async fn measure(database: &Database, table: &mut Table) -> Result<(), Failure> {
    let store = database.open().await?;
    add_users(&store).await?;
    let mut backlog = Backlog::begin(database).await?;
    for concurrency in [100, 10] {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            for (processes, figures) in [(1, &mut one), (2, &mut two)] {
                backlog.add(RUNS, &store).await?;
                backlog.settle().await?;
                figures.push(work_off(&mut backlog, &database.url, processes, concurrency).await?);
            }
        }
        let word = database.kind.word();
        let what = |processes: &str| format!("{RUNS} empty runs, {processes}, {concurrency} at once in each");
        table.tell(word, &what("one process"), &one, "runs/s", Aim::None);
        one.sort_by(f64::total_cmp);
        table.tell(word, &what("two processes"), &two, "runs/s", Aim::AtLeast(percentile(&one, 0.5)));
    }
    Ok(())
}

async fn work_off(
    backlog: &mut Backlog,
    url: &str,
    processes: usize,
    concurrency: usize,
) -> Result<f64, Failure> {
    let mut workers = Vec::new();
    for _ in 0..processes {
        workers.push(WorkerProcess::start(url, concurrency).await?);
    }
    let began = Instant::now();
    for worker in &mut workers {
        worker.input.write_all(b"go\n").await?;
    }
    while backlog.has_work().await? {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = began.elapsed();
    for worker in workers {
        worker.stop().await?;
    }
    Ok(RUNS as f64 / took.as_secs_f64())
}

struct WorkerProcess {
    process: Process,
    input: ChildStdin,
    _output: BufReader<ChildStdout>,
}

impl WorkerProcess {
    /// Connected and waiting for the word.
    async fn start(url: &str, concurrency: usize) -> Result<Self, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([AS_WORKER, &concurrency.to_string()])
            .env("POSTKEY_BENCH_URL", url) // it has a password, and arguments are public
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = process.stdin.take().ok_or("a child without input")?;
        let mut output = BufReader::new(process.stdout.take().ok_or("a child without output")?);
        let mut line = String::new();
        output.read_line(&mut line).await?;
        if line.trim() != "ready" {
            return Err(format!("the child said {line:?}").into());
        }
        Ok(Self { process, input, _output: output })
    }

    async fn stop(mut self) -> Result<(), Failure> {
        drop(self.input);
        let status = self.process.wait().await?;
        if status.success() { Ok(()) } else { Err(format!("the child ended with {status}").into()) }
    }
}

/// This program as a worker.
pub struct Child {
    url: String,
    concurrency: usize,
}

impl Child {
    pub fn from_words(words: &[String]) -> Result<Option<Self>, Failure> {
        let [word, concurrency] = words else { return Ok(None) };
        if word != AS_WORKER {
            return Ok(None);
        }
        let url = std::env::var("POSTKEY_BENCH_URL")?;
        Ok(Some(Self { url, concurrency: concurrency.parse()? }))
    }

    /// Says "ready", works from the first line of input to its end.
    pub async fn work(self) -> Result<(), Failure> {
        let store = database::open(&self.url).await?;
        println!("ready");
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
        let stop = CancellationToken::new();
        let queue = Queue::new(store.clone(), Holder::new(store.clock()), worker(self.concurrency));
        let work = tokio::spawn(queue.run(|_| std::future::ready(Outcome::Replied), stop.clone()));
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        stop.cancel();
        Ok(work.await??)
    }
}
