//! kube-runtime's scheduler and runner in our queue's benchmarks, as far as they support them: `workqueue [--quick] [NAME…]`
//!
//! The reconcilers are ready futures and nothing is spawned, so that only the queueing is measured.

use futures::{StreamExt, future, stream};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ObjectMeta;
use kube::runtime::controller::{Action, Config, applier};
use kube::runtime::reflector::store::Writer;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::scheduler::{ScheduleRequest, scheduler};
use kube::runtime::watcher::Event;
use peer_kube_runtime::report;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Reference = ObjectRef<ConfigMap>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let asked: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let quick = std::env::args().any(|argument| argument == "--quick");
    let asks = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    if asks("backlog") {
        for (size, count, rounds) in [("1k", 1_000, 101), ("100k", 100_000, 5)] {
            let rounds = if quick { rounds / 5 } else { rounds };
            let time = backlog(count, rounds).await;
            report(&format!("workqueue/backlog/{size}"), "ns", ns_each(time, count));
        }
    }
    if asks("storm") {
        let times = if quick { 10 } else { 100 };
        report("workqueue/storm", "ns", ns_each(storm(times).await, times * 10_000));
    }
}

/// Makes keys of 35 characters.
fn references(count: usize) -> Vec<Reference> {
    let name = |n| ObjectRef::new(&format!("replicaset-{n:09}")).within(&format!("namespace-{:04}", n % 100));
    (0..count).map(name).collect()
}

/// Fills a store, because the applier reconciles only objects in its store. It ends with the store's writer.
fn store_of(references: &[Reference]) -> (Store<ConfigMap>, Writer<ConfigMap>) {
    let (store, mut writer) = reflector::store();
    writer.apply_watcher_event(&Event::Init);
    for reference in references {
        let metadata = ObjectMeta {
            name: Some(reference.name.clone()),
            namespace: reference.namespace.clone(),
            ..ObjectMeta::default()
        };
        writer.apply_watcher_event(&Event::InitApply(ConfigMap { metadata, ..ConfigMap::default() }));
    }
    writer.apply_watcher_event(&Event::InitDone);
    (store, writer)
}

/// The median of several rounds. Each round adds every key and reconciles one at a time, as our benchmark with one worker.
async fn backlog(count: usize, rounds: usize) -> Duration {
    let references = references(count);
    let (store, _writer) = store_of(&references);
    let mut times = Vec::new();
    for _ in 0..rounds.max(1) {
        // The stream never ends, because the applier drops queued keys when its input ends.
        let queue = stream::iter(references.clone()).map(Ok::<_, Infallible>).chain(stream::pending());
        let start = Instant::now();
        let reconciled = applier(
            |_, _| future::ready(Ok::<_, Infallible>(Action::await_change())),
            |_, _, _| Action::await_change(),
            Arc::new(()),
            store.clone(),
            queue,
            Config::default().concurrency(1),
        );
        assert_eq!(
            reconciled.take(count).filter(|result| future::ready(result.is_ok())).count().await,
            count
        );
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// Schedules each of 10,000 waiting keys again and again.
async fn storm(times: usize) -> Duration {
    let references = references(10_000);
    let again = stream::iter(0..times).flat_map(|_| stream::iter(&references));
    let requests = again
        .map(|message| ScheduleRequest { message: message.clone(), run_at: tokio::time::Instant::now() });
    let scheduler = std::pin::pin!(scheduler(requests));
    let start = Instant::now();
    assert!(scheduler.hold().next().await.is_none(), "held keys do not come out");
    start.elapsed()
}

fn ns_each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / count as f64
}
