//! A streaming list, then changes: CPU and memory of an object, CPU of an event, and how many of them a second.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{sync::Notify, time::Instant};
use trimtab_informer::Informer;

use crate::{
    Failure, Form, client,
    cost::{Cost, report, report_more},
    option, synced, tell,
};

pub(crate) async fn run<T: Form>(form: &str) -> Result<(), Failure> {
    let (objects, events): (usize, usize) = (option("objects")?, option("events")?);
    let client = client()?;
    let empty = Cost::so_far()?;
    let informer = synced::<T>(Informer::builder(client.clone()), objects).await?;
    let held = Cost::so_far()?;
    report(&format!("sync-cpu/{form}"), "µs", held.cpu_each(&empty, objects));
    report(&format!("sync-rss/{form}"), "KB", held.rss_each(&empty, objects));

    let (seen, all) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (counter, done) = (seen.clone(), all.clone());
    informer.on_change(move |event| {
        if !event.initial && counter.fetch_add(1, Ordering::SeqCst) + 1 == events {
            done.notify_one();
        }
    });
    let (begun, before) = (Instant::now(), Cost::so_far()?);
    tell(&client, &format!("events?count={events}")).await?;
    all.notified().await;
    let followed = Cost::so_far()?;
    report(&format!("follow-cpu/{form}"), "µs", followed.cpu_each(&before, events));
    report_more(&format!("follow-rate/{form}"), "/s", events as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}
