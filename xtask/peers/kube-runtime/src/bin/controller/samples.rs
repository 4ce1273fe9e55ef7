//! The times from a change at the server to the start of its reconcile.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::runtime::controller::Action;
use peer_kube_runtime::now;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// The time after the initial reconciles until changes begin.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub struct Samples {
    reconciles: AtomicUsize,
    nanoseconds: Mutex<Vec<u64>>,
    last: Notify,
}

/// The reconciler.
pub async fn measure(map: Arc<ConfigMap>, samples: Arc<Samples>) -> Result<Action, Infallible> {
    samples.add(now(), &map);
    Ok(Action::await_change())
}

impl Samples {
    fn add(&self, started: u64, map: &ConfigMap) {
        self.reconciles.fetch_add(1, Relaxed);
        let field = |name: &str| map.data.as_ref()?.get(name);
        let Some(sent) = field("sent").and_then(|sent| sent.parse().ok()) else { return };
        self.lock().push(started.saturating_sub(sent));
        if field("last").is_some() {
            self.last.notify_one();
        }
    }

    /// Waits until every object has been reconciled.
    pub async fn wait_for_initial(&self, objects: usize) {
        while self.reconciles.load(Relaxed) < objects {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(SETTLE).await;
    }

    /// Waits for the reconcile of the last change, and returns all samples in ascending order.
    pub async fn wait_for_last(&self) -> Vec<u64> {
        self.last.notified().await;
        let mut nanoseconds = std::mem::take(&mut *self.lock());
        nanoseconds.sort_unstable();
        nanoseconds
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u64>> {
        self.nanoseconds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A percentile of sorted samples, in nanoseconds.
pub fn percentile(sorted: &[u64], percent: usize) -> f64 {
    sorted.get(sorted.len() * percent / 100).map_or(f64::NAN, |nanoseconds| *nanoseconds as f64)
}
