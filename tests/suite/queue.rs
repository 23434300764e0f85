//! The queue on both databases: every run once, fair, capped, fenced, and nothing lost by a death.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use postkey::clock::Clock;
use postkey::config;
use postkey::queue::{Cause, Outcome, Queue};
use postkey::store::{
    Claim, ClaimLimits, Due, Holder, NewAuditEntry, NewNotice, RunId, RunState, Store, UserId, Verdict,
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::support::database::on_both;
use crate::support::raw::texts;
use crate::support::rows::{enqueue, new_mailbox, open_store};
use crate::support::wait::until;

const LONG: Duration = Duration::from_secs(30);

fn quick() -> config::Worker {
    config::Worker {
        concurrency: 20,
        per_user: 4,
        lease: Duration::from_secs(3),
        retry_first: Duration::from_millis(50),
        retry_factor: 1,
        ..config::Worker::default()
    }
}

fn tell(run: RunId, user: UserId, _crashes: u32) -> NewNotice {
    NewNotice { user, cause: format!("run:{run}"), kind: "quarantined", sentence: "put aside".into() }
}

/// A queue at work in the background; it drains when it is stopped.
struct AtWork {
    stop: CancellationToken,
    ended: tokio::task::JoinHandle<Result<(), postkey::queue::QueueError>>,
}

impl AtWork {
    fn start<W>(
        store: &Store,
        config: config::Worker,
        handle: impl Fn(Claim) -> W + Clone + Send + Sync + 'static,
    ) -> Self
    where
        W: Future<Output = Outcome> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let queue = Queue::new(store.clone(), Holder::new(store.clock()), config);
        let ended = tokio::spawn(queue.run(handle, stop.clone()));
        Self { stop, ended }
    }

    async fn drain(self) {
        self.stop.cancel();
        self.ended.await.unwrap().unwrap();
    }
}

async fn count(store: &Store, user: UserId, state: RunState) -> i64 {
    let counts = store.count_runs(user).await.unwrap();
    counts.iter().filter(|count| count.state == state).map(|count| count.runs).sum()
}

fn limits(most: usize) -> ClaimLimits {
    ClaimLimits { most, per_user: 4, lease: Duration::from_secs(60) }
}

on_both! {
    async fn every_run_is_worked_on_exactly_once(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailboxes = [new_mailbox(&store, "ann").await, new_mailbox(&store, "bob").await];
        let seen: Arc<Mutex<HashMap<RunId, usize>>> = Arc::default();
        let counter = Arc::clone(&seen);
        let at_work = AtWork::start(&store, quick(), move |claim| {
            let seen = Arc::clone(&counter);
            async move {
                *seen.lock().await.entry(claim.id).or_default() += 1;
                Outcome::Replied
            }
        });
        for mailbox in mailboxes {
            enqueue(&store, mailbox, 100).await;
        }
        for mailbox in mailboxes {
            until("all are replied", LONG, async || count(&store, mailbox.user, RunState::Replied).await == 100).await;
        }
        at_work.drain().await;
        assert_eq!(seen.lock().await.len(), 200);
        assert!(seen.lock().await.values().all(|times| *times == 1));
    }
}

on_both! {
    async fn a_user_never_has_more_runs_than_the_cap_and_nobody_starves(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let (greedy, modest) = (new_mailbox(&store, "greedy").await, new_mailbox(&store, "modest").await);
        enqueue(&store, greedy, 200).await;
        enqueue(&store, modest, 5).await;
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let order: Arc<Mutex<Vec<UserId>>> = Arc::default();
        let (of_greedy, peak, finished) = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&order));
        let work = move |claim: Claim| {
            let (now, most, order) = (Arc::clone(&of_greedy), Arc::clone(&peak), Arc::clone(&finished));
            async move {
                if claim.user_id == greedy.user {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
                if claim.user_id == greedy.user {
                    now.fetch_sub(1, Ordering::SeqCst);
                }
                order.lock().await.push(claim.user_id);
                Outcome::Replied
            }
        };
        // Two workers, as two processes would share it: the cap holds over both.
        let second_store = open_store(&database, Clock::system()).await;
        let workers = [AtWork::start(&store, quick(), work.clone()), AtWork::start(&second_store, quick(), work)];
        until("the greedy are served", LONG, async || count(&store, greedy.user, RunState::Replied).await == 200).await;
        for worker in workers {
            worker.drain().await;
        }
        assert!(most.load(Ordering::SeqCst) <= 4, "{most:?} at once");
        let order = order.lock().await;
        let last_modest = order.iter().rposition(|user| *user == modest.user).unwrap();
        assert!(last_modest < 40, "the modest user waited for {last_modest} others");
    }
}

on_both! {
    async fn a_claim_takes_from_whoever_waits_and_not_all_from_one(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        for name in ["ann", "bob", "cleo"] {
            let mailbox = new_mailbox(&store, name).await;
            enqueue(&store, mailbox, 40).await;
        }
        let wide = ClaimLimits { per_user: 100, ..limits(30) };
        let claims = store.claim_runs(Holder::new(store.clock()), wide).await.unwrap();
        let mut of_users: HashMap<UserId, usize> = HashMap::new();
        claims.iter().for_each(|claim| *of_users.entry(claim.user_id).or_default() += 1);
        assert_eq!(of_users.into_values().collect::<Vec<_>>(), [10, 10, 10]);
    }
}

on_both! {
    async fn a_late_writer_is_refused_by_its_epoch(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 1).await;
        let short = ClaimLimits { lease: Duration::from_millis(1), ..limits(1) };
        let first = store.claim_runs(Holder::new(store.clock()), short).await.unwrap()[0];
        until("the lease has run out", LONG, async || {
            store.reap_leases(3, false, tell).await.unwrap();
            count(&store, mailbox.user, RunState::Queued).await == 1
        }).await;
        let second = store.claim_suspect(Holder::new(store.clock()), limits(1)).await.unwrap().unwrap();
        assert_eq!(second.crash_count, 1);
        let replied = |claim: Claim| Verdict { state: RunState::Replied, due: Due::Never, ..Verdict::hand_back(claim.lease()) };
        assert_eq!(store.end_leases(vec![replied(first)]).await.unwrap(), vec![]);
        // Nor does it help to come beside the verdict that counts.
        let parked = Verdict { state: RunState::Waiting, due: Due::Never, ..Verdict::hand_back(second.lease()) };
        assert_eq!(store.end_leases(vec![replied(first), parked]).await.unwrap(), vec![second.id]);
        assert_eq!(count(&store, mailbox.user, RunState::Waiting).await, 1);
        assert_eq!(store.end_leases(vec![replied(second)]).await.unwrap(), vec![]);
        assert_eq!(count(&store, mailbox.user, RunState::Replied).await, 0);
    }
}

on_both! {
    async fn the_poison_mail_alone_is_quarantined(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        let runs = enqueue(&store, mailbox, 100).await;
        let poison = runs[37];
        // A process that dies with everything in hand: its leases run out and are never ended.
        let mut deaths = 0;
        while count(&store, mailbox.user, RunState::Quarantined).await == 0 {
            assert!(deaths < 10, "never quarantined");
            let holder = Holder::new(store.clock());
            let in_hand = die_on(&store, holder, poison).await;
            deaths += 1;
            assert!(in_hand.iter().filter(|claim| claim.crash_count > 0).count() <= 1);
            store.reap_leases(3, true, tell).await.unwrap();
        }
        let at_work = AtWork::start(&store, quick(), |_| async { Outcome::Replied });
        until("the others are answered", LONG, async || count(&store, mailbox.user, RunState::Replied).await == 99).await;
        at_work.drain().await;
        let put_aside = store.find_run(mailbox.user, poison).await.unwrap().unwrap();
        assert_eq!((put_aside.state, put_aside.crash_count), (RunState::Quarantined, 3));
    }
}

/// Works as a process does, one suspect at a time beside clean runs, until it meets the poison.
async fn die_on(store: &Store, holder: Holder, poison: RunId) -> Vec<Claim> {
    loop {
        let mut in_hand: Vec<Claim> =
            store.claim_suspect(holder, limits(1)).await.unwrap().into_iter().collect();
        in_hand.extend(store.claim_runs(holder, limits(3)).await.unwrap());
        assert!(!in_hand.is_empty(), "nothing left, and the poison was not met");
        if in_hand.iter().any(|claim| claim.id == poison) {
            return in_hand;
        }
        let done = in_hand.iter().map(|claim| Verdict {
            state: RunState::Replied,
            due: Due::Never,
            untouched: false,
            ..Verdict::hand_back(claim.lease())
        });
        store.end_leases(done.collect()).await.unwrap();
    }
}

on_both! {
    async fn a_run_that_becomes_due_behind_somebodys_back_is_not_slept_over(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 1).await;
        let looked = Instant::now();
        let claim = store.claim_runs(Holder::new(store.clock()), limits(1)).await.unwrap()[0];
        let later = Verdict {
            state: RunState::Waiting,
            due: Due::After(Duration::from_millis(20)),
            ..Verdict::hand_back(claim.lease())
        };
        store.end_leases(vec![later]).await.unwrap();
        until("it is due", LONG, async || store.until_next_due(Duration::ZERO).await.unwrap().is_none()).await;
        assert_eq!(store.until_next_due(looked.elapsed()).await.unwrap(), Some(Duration::ZERO));
    }
}

on_both! {
    async fn retries_wait_in_the_row_and_end_as_failed(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        let run = enqueue(&store, mailbox, 1).await[0];
        let attempts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&attempts);
        let at_work = AtWork::start(&store, quick(), move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
            async { Outcome::Retry(Cause::with("provider", "overloaded"), None) }
        });
        until("it has failed", LONG, async || count(&store, mailbox.user, RunState::Failed).await == 1).await;
        at_work.drain().await;
        assert_eq!(attempts.load(Ordering::SeqCst), 5);
        let failed = store.find_run(mailbox.user, run).await.unwrap().unwrap();
        assert_eq!(failed.reason.as_deref(), Some("provider"));
        assert_eq!(failed.detail.as_deref(), Some("overloaded"));
    }
}

on_both! {
    async fn a_run_wakes_exactly_when_it_is_due(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 1).await;
        let starts: Arc<Mutex<Vec<std::time::Instant>>> = Arc::default();
        let noted = Arc::clone(&starts);
        // An idle tick of an hour: only the exact wake-up can bring it back.
        let config = config::Worker { idle_tick: Duration::from_secs(3600), ..quick() };
        let at_work = AtWork::start(&store, config, move |_| {
            let starts = Arc::clone(&noted);
            async move {
                starts.lock().await.push(std::time::Instant::now());
                match starts.lock().await.len() {
                    1 => Outcome::Snooze(Cause::of("rate_limited"), Duration::from_millis(700)),
                    _ => Outcome::Replied,
                }
            }
        });
        until("it is replied", LONG, async || count(&store, mailbox.user, RunState::Replied).await == 1).await;
        at_work.drain().await;
        let starts = starts.lock().await;
        let waited = starts[1] - starts[0];
        assert!(waited >= Duration::from_millis(690), "{waited:?}");
        assert!(waited < Duration::from_secs(5), "{waited:?}: woken by chance only");
    }
}

on_both! {
    async fn a_shutdown_hands_back_what_does_not_end(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 3).await;
        let config = config::Worker { shutdown_grace: Duration::from_millis(200), ..quick() };
        let at_work = AtWork::start(&store, config, |_| std::future::pending());
        until("all are running", LONG, async || count(&store, mailbox.user, RunState::Running).await == 3).await;
        at_work.drain().await;
        let runs = store.list_runs(mailbox.user, None, 10).await.unwrap();
        assert_eq!(runs.len(), 3);
        for run in runs {
            assert_eq!((run.state, run.attempt, run.crash_count), (RunState::Queued, 0, 0));
        }
    }
}

on_both! {
    async fn a_handler_whose_lease_is_lost_is_stopped(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 1).await;
        struct Stopped(Arc<AtomicUsize>);
        impl Drop for Stopped {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let stopped = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&stopped);
        let at_work = AtWork::start(&store, quick(), move |claim| {
            let stopped = Stopped(Arc::clone(&counter));
            async move {
                if claim.lease_epoch == 1 {
                    std::future::pending::<()>().await;
                }
                drop(stopped);
                Outcome::Replied
            }
        });
        until("it is running", LONG, async || count(&store, mailbox.user, RunState::Running).await == 1).await;
        // As another process would that takes this one for dead.
        store.reap_leases(3, true, tell).await.unwrap();
        until("it is replied", LONG, async || count(&store, mailbox.user, RunState::Replied).await == 1).await;
        until("the first was stopped", LONG, async || stopped.load(Ordering::SeqCst) == 2).await;
        at_work.drain().await;
    }
}

on_both! {
    async fn a_panic_in_the_last_attempt_is_looked_at_once_more(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 1).await;
        let config = config::Worker { max_attempts: 1, ..quick() };
        let at_work = AtWork::start(&store, config, |claim| async move {
            assert!(claim.attempt > 0, "the only attempt panics");
            Outcome::Held(Cause::of("ambiguous"))
        });
        until("it is held", LONG, async || count(&store, mailbox.user, RunState::Held).await == 1).await;
        at_work.drain().await;
    }

    async fn a_panic_is_an_error_like_others(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        let run = enqueue(&store, mailbox, 1).await[0];
        let at_work = AtWork::start(&store, quick(), |claim| async move {
            assert!(claim.attempt > 0, "the first attempt panics");
            Outcome::Replied
        });
        until("it is replied", LONG, async || count(&store, mailbox.user, RunState::Replied).await == 1).await;
        at_work.drain().await;
        assert_eq!(store.find_run(mailbox.user, run).await.unwrap().unwrap().attempt, 1);
    }
}

on_both! {
    async fn a_mailbox_of_many_mails_is_deleted_and_its_runs_in_hand_hold_no_place(database: TestDatabase) {
        let store = open_store(&database, Clock::system()).await;
        let mailbox = new_mailbox(&store, "ann").await;
        enqueue(&store, mailbox, 1200).await;
        assert_eq!(store.claim_runs(Holder::new(store.clock()), limits(10)).await.unwrap().len(), 4);
        let entry = || NewAuditEntry {
            user: mailbox.user,
            action: "mailbox_deleted",
            is_done: true,
            actor: "owner".into(),
            subject: None,
            address: None,
        };
        assert!(store.delete_mailbox(mailbox.mailbox, entry()).await.unwrap());
        assert!(!store.delete_mailbox(mailbox.mailbox, entry()).await.unwrap());
        for table in ["mailboxes", "threads", "messages", "runs"] {
            let left = texts(&database, &format!("SELECT CAST(COUNT(*) AS TEXT) FROM {table}")).await;
            assert_eq!(left, ["0"], "{table}");
        }
        assert_eq!(texts(&database, "SELECT CAST(running AS TEXT) FROM lanes").await, ["0"]);
    }
}
