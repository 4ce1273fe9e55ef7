//! The latency from a change at the server to the start of the reconcile: of one object at rest, and of many under load.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ConfigMap;
use trimtab_controller::{Controller, informer::InformerFactory};
use trimtab_test_support::bench::report_lower;

use crate::{
    Failure, WORKERS,
    client::{client, start_changes},
    early_end, option,
    samples::{Samples, percentile},
};

/// Runs a controller of all objects, and reports the percentiles under the names of their rows.
pub(crate) async fn run(rows: &[(&str, usize)]) -> Result<(), Failure> {
    let client = client()?;
    let maps = InformerFactory::new(client.clone()).informer::<ConfigMap>();
    let samples = Arc::new(Samples::default());
    let controller =
        Controller::new("bench", &maps).workers(WORKERS).reconciler(samples.reconciler(maps.store()));
    let measure = async {
        samples.wait_for_initial(option("objects")?).await;
        start_changes(&client, "changes").await?;
        let sorted = samples.wait_for_last().await;
        for (row, percent) in rows {
            report_lower(row, "µs", percentile(&sorted, *percent) / 1e3);
        }
        Ok::<(), Failure>(())
    };
    tokio::select! {
        ended = controller.run(std::future::pending()) => Err(early_end(ended)),
        measured = measure => measured,
    }
}
