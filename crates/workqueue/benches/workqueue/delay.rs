//! The cost of a delay, how late the last of a million delays within one second ends, and the latency of
//! takes meanwhile.

use std::time::Duration;

use crate::measure::{keys, ns_each, one_thread};
use tokio::time::Instant;
use trimtab_test_support::bench::report_lower;
use trimtab_workqueue::WorkQueue;

const COUNT: usize = 1_000_000;
/// The shortest delay. All keys are added before its end, unless the machine is overloaded.
const LEAD: Duration = Duration::from_secs(4);
const SPREAD: Duration = Duration::from_secs(1);

pub(crate) fn run() {
    one_thread().block_on(async {
        let keys = keys(COUNT);
        let queue = WorkQueue::new();
        let start = Instant::now();
        for (n, key) in keys.iter().enumerate() {
            let place = n * 48_271 % COUNT; // every position once, in no order
            let due = LEAD + SPREAD.mul_f64(place as f64 / COUNT as f64);
            queue.add_after(key.clone(), due.saturating_sub(start.elapsed()));
        }
        report_lower("workqueue/delay-add/1m", "ns", ns_each(start.elapsed(), COUNT));
        let (mut takes, mut left) = (Vec::with_capacity(COUNT), COUNT);
        while left > 0 {
            let before = Instant::now();
            match queue.try_get() {
                Some(_) => takes.push(before.elapsed()),
                None => drop(queue.get().await), // this take waits, so its time does not count
            }
            left -= 1;
        }
        let late = start.elapsed().saturating_sub(LEAD + SPREAD);
        report_lower("workqueue/delay-late/1m", "ms", late.as_secs_f64() * 1e3);
        takes.sort_unstable();
        for (name, share) in [("p50", 0.5), ("p99.9", 0.999)] {
            let at = ((takes.len() - 1) as f64 * share) as usize;
            report_lower(&format!("workqueue/delay-take-{name}/1m"), "us", takes[at].as_secs_f64() * 1e6);
        }
    });
}
