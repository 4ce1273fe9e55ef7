//! A streaming list, then changes: CPU and memory per object, CPU per event, and events per second.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{sync::Notify, time::Instant};
use trimtab_informer::Informer;

use crate::{Failure, Form, client, cost::Cost, option, synced, tell};
use trimtab_test_support::bench::{report_higher, report_lower};

pub(crate) async fn run<T: Form>(form: &str) -> Result<(), Failure> {
    let (objects, events): (usize, usize) = (option("objects")?, option("events")?);
    let client = client()?;
    let empty = Cost::now();
    let informer = synced::<T>(Informer::builder(client.clone()), objects).await?;
    let held = Cost::now();
    report_lower(&format!("informer/sync-cpu/{form}"), "µs", held.cpu_each(&empty, objects));
    report_lower(&format!("informer/sync-rss/{form}"), "KB", held.rss_each(&empty, objects));

    let (seen, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counter, done) = (seen.clone(), all.clone());
    informer.on_change(move |event| {
        if !event.initial && counter.fetch_add(1, Ordering::SeqCst) + 1 == events {
            done.notify_one();
        }
    });
    let (begun, before) = (Instant::now(), Cost::now());
    tell(&client, &format!("events?count={events}")).await?;
    all.notified().await;
    let followed = Cost::now();
    report_lower(&format!("informer/follow-cpu/{form}"), "µs", followed.cpu_each(&before, events));
    report_higher(
        &format!("informer/follow-rate/{form}"),
        "/s",
        events as f64 / begun.elapsed().as_secs_f64(),
    );
    Ok(())
}
