//! The latency of a source while another source of the controller fails for ever: the server refuses to list and to watch
//! Secrets.

use std::{sync::Arc, time::Duration};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use tokio::time::sleep;
use trimtab_controller::{Controller, informer::InformerFactory};
use trimtab_test_support::bench::report_lower;

use crate::{
    Failure, WORKERS,
    client::{client, start_changes, start_refusing},
    early_end, option,
    samples::{Samples, percentile},
};

/// The time from the first refusal to the first change: the source has failed more than once by then.
const FAILING: Duration = Duration::from_secs(3);

pub(crate) async fn run() -> Result<(), Failure> {
    let client = client()?;
    let informers = InformerFactory::new(client.clone());
    let (maps, secrets) = (informers.informer::<ConfigMap>(), informers.informer::<Secret>());
    let samples = Arc::new(Samples::default());
    let controller = Controller::new("bench", &maps)
        .owns(&secrets)
        .workers(WORKERS)
        .reconciler(samples.reconciler(maps.store()));
    let measure = async {
        samples.wait_for_initial(option("objects")?).await;
        start_changes(&client, "alone").await?;
        let alone = percentile(&samples.wait_for_last().await, 99) / 1e6;
        start_refusing(&client, "secrets").await?;
        sleep(FAILING).await;
        start_changes(&client, "failing").await?;
        let failing = percentile(&samples.wait_for_last().await, 99) / 1e6;
        if secrets.status().failing_since.is_none() {
            return Err("the informer of Secrets does not fail".into());
        }
        report_lower("controller/isolation-p99", "ms", failing);
        report_lower("controller/isolation-alone-p99", "ms", alone);
        report_lower("controller/isolation-more", "ms", failing - alone);
        Ok::<(), Failure>(())
    };
    tokio::select! {
        ended = controller.run(std::future::pending()) => Err(early_end(ended)),
        measured = measure => measured,
    }
}
