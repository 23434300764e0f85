//! How long things take, and whether two take the same time, on a machine that does other things as well.

use std::time::Duration;

/// What nobody tells apart from afar, in milliseconds (SR-37).
const UNNOTICED: f64 = 5.0;

/// What this thread has used of the processor so far: how busy the machine is does not count.
pub fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// How much longer the first of two things takes than the second, in milliseconds.
#[derive(Debug)]
pub struct Difference {
    /// How long the first one takes.
    pub usual: Duration,
    median: f64,
    /// How far the median may be off: four standard errors, were the differences spread like Gauss's.
    doubt: f64,
}

impl Difference {
    /// Whether it can be told from none.
    pub fn is_noticed(&self) -> bool {
        self.median.abs() > UNNOTICED + self.doubt
    }

    /// Whether so much could be told from none: on a machine that does too much else nothing is noticed.
    pub fn would_notice(&self, much: Duration) -> bool {
        much.as_secs_f64() * 1000.0 > UNNOTICED + self.doubt
    }
}

/// Tries both in turn, `tries` times, and compares the times that `attempt` gives for number 0 and number 1.
///
/// Those of one pair are tried at nearly the same moment, so that what else the machine does slows down either of them as
/// often. How far the differences of the pairs lie apart says how far to trust their median.
pub async fn compare_times(tries: usize, mut attempt: impl AsyncFnMut(usize) -> Duration) -> Difference {
    let (mut times, mut differences) = (Vec::new(), Vec::new());
    for turn in 0..tries {
        // Each goes first as often, so that neither is always the one that the other's traces slow down.
        let first = turn % 2;
        let mut took = [Duration::ZERO; 2];
        for index in [first, 1 - first] {
            took[index] = attempt(index).await;
        }
        times.push(took[0]);
        differences.push((took[0].as_secs_f64() - took[1].as_secs_f64()) * 1000.0);
    }
    times.sort();
    differences.sort_by(f64::total_cmp);
    let [quarter, median, three_quarters] = [1, 2, 3].map(|part| differences[part * tries / 4]);
    let standard_error = 0.93 * (three_quarters - quarter) / f64::from(u32::try_from(tries).unwrap()).sqrt();
    Difference { usual: times[tries / 2], median, doubt: 4.0 * standard_error }
}

#[tokio::test]
async fn a_few_milliseconds_are_noticed_on_a_quiet_machine_and_a_hash_on_every_one() {
    for (more, noise, is_noticed) in [(0, 1, false), (7, 1, true), (0, 100, false), (70, 100, true)] {
        let mut numbers = 0_u64;
        let difference = compare_times(50, async |index| {
            numbers = numbers.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Duration::from_millis(70 + index as u64 * more)
                + Duration::from_micros((numbers >> 33) % (noise * 1000))
        })
        .await;
        let what = format!("{more} ms in {noise} ms of noise: {difference:?}");
        assert_eq!(difference.is_noticed(), is_noticed, "{what}");
        assert_eq!(difference.would_notice(Duration::from_millis(7)), noise == 1, "{what}");
        assert!(difference.would_notice(Duration::from_millis(70)), "{what}");
        assert!(difference.usual >= Duration::from_millis(70), "{what}");
    }
}
