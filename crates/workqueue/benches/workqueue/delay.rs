//! What does a delay cost, and how late is the last of a million that end within one second?

use std::time::Duration;

use crate::measure::{keys, ns_each, one_thread, report};
use tokio::time::Instant;
use trimtab_workqueue::WorkQueue;

const COUNT: usize = 1_000_000;
/// The first delay ends then: on a machine that is not overloaded, all keys were added before.
const LEAD: Duration = Duration::from_secs(4);
const SPREAD: Duration = Duration::from_secs(1);

pub(crate) fn run() {
    one_thread().block_on(async {
        let keys = keys(COUNT);
        let queue = WorkQueue::new();
        let start = Instant::now();
        for (n, key) in keys.iter().enumerate() {
            let place = n * 48_271 % COUNT; // every place once, in no order
            let due = LEAD + SPREAD.mul_f64(place as f64 / COUNT as f64);
            queue.add_after(key.clone(), due.saturating_sub(start.elapsed()));
        }
        report("delay-add/1m", "ns", ns_each(start.elapsed(), COUNT));
        for _ in 0..COUNT {
            drop(queue.get().await);
        }
        let late = start.elapsed().saturating_sub(LEAD + SPREAD);
        report("delay-late/1m", "ms", late.as_secs_f64() * 1e3);
    });
}
