//! Reconciles that do nothing: the median of some rounds, each of which schedules every object once.

use crate::{controller, never_fails};
use futures::StreamExt;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Client;
use kube::runtime::controller::Action;
use peer_kube_runtime::{option, report_more};
use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;
use tokio::sync::Notify;

/// The reconciles so far, and a signal after each round of all objects.
struct Rounds {
    objects: usize,
    reconciles: AtomicUsize,
    over: Notify,
}

pub async fn run(client: Client) -> Result<(), Box<dyn Error>> {
    let objects: usize = option("objects")?;
    let rounds = Arc::new(Rounds { objects, reconciles: AtomicUsize::new(0), over: Notify::new() });
    let (all, trigger) = futures::channel::mpsc::unbounded();
    let results = controller(&client).reconcile_all_on(trigger).run(count, never_fails, rounds.clone());
    tokio::spawn(results.for_each(|_| ready(())));
    rounds.over.notified().await; // the initial reconciles
    let quick = std::env::args().any(|argument| argument == "--quick");
    let mut rates = Vec::new();
    for _ in 0..if quick { 3 } else { 11 } {
        let begun = Instant::now();
        all.unbounded_send(())?;
        rounds.over.notified().await;
        rates.push(objects as f64 / begun.elapsed().as_secs_f64());
    }
    rates.sort_unstable_by(f64::total_cmp);
    report_more("controller/throughput", "/s", rates[rates.len() / 2]);
    Ok(())
}

async fn count(_: Arc<ConfigMap>, rounds: Arc<Rounds>) -> Result<Action, Infallible> {
    if (rounds.reconciles.fetch_add(1, Relaxed) + 1).is_multiple_of(rounds.objects) {
        rounds.over.notify_one();
    }
    Ok(Action::await_change())
}
