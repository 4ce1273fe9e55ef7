//! A hundred controllers over ten kinds: the time until all have begun, and the memory.

use std::{
    future::{pending, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::{
    Resource,
    api::{
        coordination::v1::Lease,
        core::v1::{ConfigMap, LimitRange, ResourceQuota, Secret, ServiceAccount},
        discovery::v1::EndpointSlice,
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
        rbac::v1::Role,
    },
};
use serde::de::DeserializeOwned;
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep},
};
use trimtab_controller::{Action, Controller, cache::Object, informer::InformerFactory};
use trimtab_test_support::{bench::report_lower, process::resident_bytes};

use crate::{Failure, client::client, early_end, option};

/// The number of controllers of each kind.
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

pub(crate) async fn run() -> Result<(), Failure> {
    let objects: usize = option("objects")?;
    let (begun, empty) = (Instant::now(), resident_bytes());
    let informers = InformerFactory::new(client()?);
    let (mut controllers, progress) = (Vec::new(), Arc::new(Progress::default()));
    for add in [
        add::<ConfigMap>,
        add::<EndpointSlice>,
        add::<Lease>,
        add::<LimitRange>,
        add::<NetworkPolicy>,
        add::<PodDisruptionBudget>,
        add::<ResourceQuota>,
        add::<Role>,
        add::<Secret>,
        add::<ServiceAccount>,
    ] {
        add(&informers, &mut controllers, &progress);
    }
    let measure = async {
        progress.all_begun.notified().await;
        let took = begun.elapsed();
        while progress.reconciles.load(SeqCst) < objects * KINDS * OF_EACH_KIND {
            sleep(Duration::from_millis(10)).await;
        }
        sleep(SETTLE).await;
        match informers.summaries().len() {
            KINDS => {}
            watched => return Err(format!("{watched} informers of {KINDS} kinds").into()),
        }
        report_lower("controller/many-s", "s", took.as_secs_f64());
        report_lower("controller/many-rss", "MB", resident_bytes().saturating_sub(empty) as f64 / 1e6);
        Ok::<(), Failure>(())
    };
    let mut running = JoinSet::new();
    for controller in controllers {
        running.spawn(async move { controller.run(pending()).await }); // a task each, as in a manager
    }
    tokio::select! {
        Some(ended) = running.join_next() => Err(early_end(ended?)),
        measured = measure => measured,
    }
}

/// Adds the controllers of a kind, which share its informer.
fn add<K>(informers: &InformerFactory, controllers: &mut Vec<Controller>, progress: &Arc<Progress>)
where
    K: Resource + Object<Kind = K> + kube_client::Resource<DynamicType = ()> + DeserializeOwned,
{
    let informer = informers.informer::<K>();
    for number in 0..OF_EACH_KIND {
        let (progress, has_begun) = (progress.clone(), AtomicBool::new(false));
        let name = format!("{}-{number}", K::KIND.to_lowercase());
        controllers.push(Controller::new(&name, &informer).reconciler(move |_| {
            progress.reconciles.fetch_add(1, SeqCst);
            let is_first = !has_begun.swap(true, SeqCst);
            if is_first && progress.controllers.fetch_add(1, SeqCst) + 1 == KINDS * OF_EACH_KIND {
                progress.all_begun.notify_one();
            }
            ready(Ok(Action::done()))
        }));
    }
}
