//! What a claim costs when few runs wait, and when a million do.

use std::time::{Duration, Instant};

use postkey::store::{ClaimLimits, Due, Holder, RunState, Store, Verdict};

use super::backlog::{Backlog, add_users};
use super::database::Database;
use super::table::{Aim, Table, percentile};
use super::{Failure, PER_USER};

const FEW: i64 = 1_000;
const MANY: i64 = 1_000_000;
const BATCH: i64 = 100;
const CLAIMS: usize = 500;

pub async fn measure(database: &Database, table: &mut Table) -> Result<(), Failure> {
    let store = database.open().await?;
    add_users(&store).await?;
    let mut backlog = Backlog::begin(database).await?;
    backlog.add(FEW, &store).await?;
    backlog.analyze().await?;
    backlog.settle().await?;
    let few = claim_and_end(&store, &mut backlog).await?;
    backlog.add(MANY - FEW, &store).await?;
    backlog.analyze().await?;
    backlog.settle().await?;
    let many = claim_and_end(&store, &mut backlog).await?;
    let word = database.kind.word();
    table.tell(word, "claim and end 100 of 1,000", &[few], "ms", Aim::None);
    table.tell(word, "claim and end 100 of 1,000,000", &[many], "ms", Aim::None);
    table.tell(word, "ratio of the two", &[many / few], "", Aim::AtMost(1.5));
    Ok(())
}

/// The median time in milliseconds; the backlog keeps its size, and the ended rows stay behind as in service.
async fn claim_and_end(store: &Store, backlog: &mut Backlog) -> Result<f64, Failure> {
    let holder = Holder::new(store.clock());
    let limits = ClaimLimits { most: BATCH as usize, per_user: PER_USER, lease: Duration::from_secs(60) };
    let mut took = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let began = Instant::now();
        let claims = store.claim_runs(holder, limits).await?;
        let verdicts: Vec<Verdict> = claims
            .iter()
            .map(|claim| Verdict {
                state: RunState::Replied,
                due: Due::Never,
                untouched: false,
                ..Verdict::hand_back(claim.lease())
            })
            .collect();
        let ended = store.end_leases(verdicts).await?;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        if ended.len() as i64 != BATCH {
            return Err(format!("{} of {BATCH} runs were claimed and ended", ended.len()).into());
        }
        backlog.add(BATCH, store).await?;
    }
    took.sort_by(f64::total_cmp);
    Ok(percentile(&took, 0.5))
}
