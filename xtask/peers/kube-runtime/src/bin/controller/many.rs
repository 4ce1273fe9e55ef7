//! A hundred controllers over ten kinds: the time until all have begun, and the memory. Each has a watch and a store of its
//! own; shared ones are an unstable feature.

use crate::never_fails;
use futures::StreamExt;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ConfigMap, LimitRange, ResourceQuota, Secret, ServiceAccount};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::Role;
use kube::runtime::controller::Action;
use kube::runtime::{Config, Controller, watcher};
use kube::{Api, Client, Resource};
use peer_kube_runtime::{Cost, option, report};
use serde::de::DeserializeOwned;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::Debug;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::sleep;

const OF_EACH_KIND: usize = 10;
const KINDS: usize = 10;

/// The time after the last reconcile until memory is read.
const SETTLE: Duration = Duration::from_secs(6);

/// The controllers that have begun, and their reconciles.
#[derive(Default)]
struct Progress {
    controllers: AtomicUsize,
    reconciles: AtomicUsize,
    all_begun: Notify,
}

/// The context of one controller.
struct One {
    progress: Arc<Progress>,
    has_begun: AtomicBool,
}

pub async fn run(client: Client) -> Result<(), Box<dyn Error>> {
    let objects: usize = option("objects")?;
    let (begun, empty) = (Instant::now(), Cost::so_far()?);
    let progress = Arc::new(Progress::default());
    for start in [
        start::<ConfigMap>,
        start::<EndpointSlice>,
        start::<Lease>,
        start::<LimitRange>,
        start::<NetworkPolicy>,
        start::<PodDisruptionBudget>,
        start::<ResourceQuota>,
        start::<Role>,
        start::<Secret>,
        start::<ServiceAccount>,
    ] {
        start(&client, &progress);
    }
    progress.all_begun.notified().await;
    let took = begun.elapsed();
    while progress.reconciles.load(SeqCst) < objects * KINDS * OF_EACH_KIND {
        sleep(Duration::from_millis(10)).await;
    }
    sleep(SETTLE).await;
    report("controller/many-s", "s", took.as_secs_f64());
    report("controller/many-rss", "MB", Cost::so_far()?.rss_each(&empty, 1) / 1e3);
    Ok(())
}

fn start<K>(client: &Client, progress: &Arc<Progress>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    for _ in 0..OF_EACH_KIND {
        let context = Arc::new(One { progress: progress.clone(), has_begun: AtomicBool::new(false) });
        let controller = Controller::new(Api::<K>::all(client.clone()), watcher::Config::default())
            .with_config(Config::default().concurrency(1));
        tokio::spawn(controller.run(count, never_fails, context).for_each(|_| ready(())));
    }
}

async fn count<K>(_: Arc<K>, one: Arc<One>) -> Result<Action, Infallible> {
    let progress = &one.progress;
    progress.reconciles.fetch_add(1, SeqCst);
    let is_first = !one.has_begun.swap(true, SeqCst);
    if is_first && progress.controllers.fetch_add(1, SeqCst) + 1 == KINDS * OF_EACH_KIND {
        progress.all_begun.notify_one();
    }
    Ok(Action::await_change())
}
