//! Queues of several runtimes in one process, as in a simulation: none depends on whether another one runs.

use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};
use trimtab_workqueue::{WorkQueue, metrics};

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}

fn longest(handle: &PrometheusHandle, queue: &str) -> f64 {
    let text = handle.render();
    let series = format!("{}{{name=\"{queue}\"}} ", metrics::LONGEST_RUNNING_PROCESSOR_SECONDS);
    let line = text.lines().find_map(|line| line.strip_prefix(&series));
    line.unwrap_or_else(|| panic!("{series}is missing in:\n{text}")).parse().expect("a number")
}

/// With one task for all queues of the process, the task would be on the first runtime, whose clock stands still.
#[test]
fn the_gauges_of_a_queue_follow_the_clock_of_its_own_runtime() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let named = |name: &str| WorkQueue::builder().name(name).build();
    let (one, other) = ::metrics::with_local_recorder(&recorder, || (named("one"), named("other")));
    let (first, second) = (runtime(), runtime());
    let held = [(&first, &one), (&second, &other)].map(|(runtime, queue)| {
        queue.add("foo");
        runtime.block_on(async { queue.get().await.expect("foo is ready") })
    });
    let ages = second.block_on(async {
        sleep(Duration::from_millis(1200)).await;
        ["one", "other"].map(|queue| longest(&handle, queue))
    });
    assert_eq!(ages[0], 0.0, "no time has passed there");
    assert!((0.99..1.01).contains(&ages[1]), "{}", handle.render());
    drop(held);
}
