//! The latency from a change at the server to the start of the reconcile, also while another source fails for ever.

use crate::samples::{Samples, measure, percentile};
use crate::{controller, never_fails, start_changes, start_refusing};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::controller::Error::QueueError;
use kube::runtime::watcher;
use kube::{Api, Client};
use peer_kube_runtime::{option, report};
use std::error::Error;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// The time from the first refusal to the first change.
const FAILING: Duration = Duration::from_secs(3);

/// Runs a controller of all objects, and reports the percentiles under the names of their rows.
pub async fn run(client: Client, rows: &[(&str, usize)]) -> Result<(), Box<dyn Error>> {
    let samples = Arc::new(Samples::default());
    tokio::spawn(controller(&client).run(measure, never_fails, samples.clone()).for_each(|_| ready(())));
    samples.wait_for_initial(option("objects")?).await;
    start_changes(&client, "changes").await?;
    let sorted = samples.wait_for_last().await;
    for (row, percent) in rows {
        report(row, "µs", percentile(&sorted, *percent) / 1e3);
    }
    Ok(())
}

/// The server refuses to list and to watch Secrets, which the controller owns.
pub async fn isolation(client: Client) -> Result<(), Box<dyn Error>> {
    let (samples, failures) = (Arc::new(Samples::default()), Arc::new(AtomicUsize::new(0)));
    let counted = failures.clone();
    let results = controller(&client)
        .owns(Api::<Secret>::all(client.clone()), watcher::Config::default())
        .run(measure, never_fails, samples.clone());
    tokio::spawn(results.for_each(move |result| {
        if matches!(result, Err(QueueError(_))) {
            counted.fetch_add(1, Relaxed);
        }
        ready(())
    }));
    samples.wait_for_initial(option("objects")?).await;
    start_changes(&client, "alone").await?;
    let alone = percentile(&samples.wait_for_last().await, 99) / 1e6;
    start_refusing(&client, "secrets").await?;
    tokio::time::sleep(FAILING).await;
    start_changes(&client, "failing").await?;
    let failing = percentile(&samples.wait_for_last().await, 99) / 1e6;
    if failures.load(Relaxed) == 0 {
        return Err("the watch of Secrets does not fail".into());
    }
    report("controller/isolation-p99", "ms", failing);
    report("controller/isolation-alone-p99", "ms", alone);
    report("controller/isolation-more", "ms", failing - alone);
    Ok(())
}
