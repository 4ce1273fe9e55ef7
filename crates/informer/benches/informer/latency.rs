//! The latency from the server's socket to the handler. The version of each change is the time at which it was sent.

use std::sync::Arc;

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;
use trimtab_informer::Informer;
use trimtab_test_support::bench::report_lower;

use crate::{Failure, Form, client, option, synced, tell};

pub(crate) async fn run<T: Form>() -> Result<(), Failure> {
    let (events, rate): (usize, u64) = (option("events")?, option("rate")?);
    let client = client()?;
    let informer = synced::<T>(Informer::builder(client.clone()), option("objects")?).await?;
    let (took, all) = (Arc::new(Mutex::new(Vec::with_capacity(events))), Arc::new(Notify::new()));
    let (samples, done) = (took.clone(), all.clone());
    informer.on_change(move |event| {
        if event.initial {
            return;
        }
        let sent = event.metadata().resource_version().parse().unwrap_or_default();
        let mut samples = samples.lock();
        samples.push(now().saturating_sub(sent));
        if samples.len() == events {
            done.notify_one();
        }
    });
    tell(&client, &format!("events?count={events}&rate={rate}")).await?;
    all.notified().await;
    let mut took = std::mem::take(&mut *took.lock());
    took.sort_unstable();
    report_lower("informer/latency-p50", "µs", took[took.len() / 2] as f64 / 1e3);
    report_lower("informer/latency-p99", "µs", took[took.len() * 99 / 100] as f64 / 1e3);
    Ok(())
}

/// Nanoseconds since 1970: the clock of the load on the same machine.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
