//! The times from a change at the server to the start of its reconcile.

use std::{
    future::{Ready, ready},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use k8s_openapi::api::core::v1::ConfigMap;
use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use tokio::{sync::Notify, time::sleep};
use trimtab_controller::{Action, Error, Request, cache::Store};

/// The time after the initial reconciles until changes begin.
const SETTLE: Duration = Duration::from_secs(1);

/// The measurements of a reconciler.
#[derive(Default)]
pub(crate) struct Samples {
    reconciles: AtomicUsize,
    nanoseconds: Mutex<Vec<u64>>,
    last: Notify,
}

impl Samples {
    /// Returns a reconciler that measures the changes of the objects in `store`.
    pub(crate) fn reconciler(
        self: &Arc<Self>,
        store: &Store<ConfigMap>,
    ) -> impl Fn(Request) -> Ready<Result<Action, Error>> + Send + Sync + 'static {
        let (samples, store) = (self.clone(), store.clone());
        move |request| {
            let started = now();
            if let Some(map) = store.get(&request.key) {
                samples.add(started, &map);
            }
            ready(Ok(Action::done()))
        }
    }

    fn add(&self, started: u64, map: &ConfigMap) {
        self.reconciles.fetch_add(1, Relaxed);
        let field = |name: &str| map.data.as_ref()?.get(name);
        let Some(sent) = field("sent").and_then(|sent| sent.parse().ok()) else { return };
        self.nanoseconds.lock().push(started.saturating_sub(sent));
        if field("last").is_some() {
            self.last.notify_one();
        }
    }

    /// Waits until every object has been reconciled.
    pub(crate) async fn wait_for_initial(&self, objects: usize) {
        while self.reconciles.load(Relaxed) < objects {
            sleep(Duration::from_millis(10)).await;
        }
        sleep(SETTLE).await;
    }

    /// Waits for the reconcile of the last change, and returns all samples in ascending order.
    pub(crate) async fn wait_for_last(&self) -> Vec<u64> {
        self.last.notified().await;
        let mut nanoseconds = std::mem::take(&mut *self.nanoseconds.lock());
        nanoseconds.sort_unstable();
        nanoseconds
    }
}

/// Returns a percentile of sorted samples, in nanoseconds.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).map_or(f64::NAN, |nanoseconds| *nanoseconds as f64)
}

/// Returns the nanoseconds since 1970: the clock of the server on the same machine.
pub(crate) fn now() -> u64 {
    let time = clock_gettime(ClockId::Realtime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}
