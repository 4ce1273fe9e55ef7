//! The metrics of a queue with a name, as an exporter's scrape shows them (WM-T…:
//! docs/upstream-behaviours.md). One test, because the recorder belongs to the process.

use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::time::{advance, sleep};
use trimtab_workqueue::{WorkQueue, metrics};

const US: Duration = Duration::from_micros(1);

fn scraped(handle: &PrometheusHandle, metric: &str) -> f64 {
    let text = handle.render();
    let series = format!("{metric}{{name=\"test\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&series));
    line.unwrap_or_else(|| panic!("{metric} is missing in:\n{text}")).parse().expect("a number")
}

/// WM-T2, then WM-T1.
#[tokio::test(start_paused = true)]
async fn a_scrape_shows_the_life_of_a_named_queue() {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("duration_seconds".into()), &metrics::DURATION_BUCKETS)
        .expect("there are buckets")
        .build_recorder();
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder).expect("the only recorder");
    let adds_and_depth = || (scraped(&handle, metrics::ADDS_TOTAL), scraped(&handle, metrics::DEPTH));
    let sum_and_count = |metric: &str| {
        let [sum, count] = ["sum", "count"].map(|part| scraped(&handle, &format!("{metric}_{part}")));
        ((sum * 1e6).round(), count)
    };

    let nameless = WorkQueue::new();
    nameless.add("foo");
    drop(nameless.get().await);
    assert!(!handle.render().contains("workqueue"), "no name, no metrics");

    let queue = WorkQueue::builder().name("test").build();
    queue.add("foo");
    assert_eq!(adds_and_depth(), (1.0, 1.0));
    advance(50 * US).await;
    let item = queue.get().await.expect("foo is ready");
    assert_eq!(sum_and_count(metrics::QUEUE_DURATION_SECONDS), (50.0, 1.0));
    assert_eq!(adds_and_depth(), (1.0, 0.0));

    (0..5).for_each(|_| assert!(queue.add("foo")));
    assert_eq!(adds_and_depth(), (2.0, 1.0));
    advance(25 * US).await;
    drop(item);
    assert_eq!(sum_and_count(metrics::WORK_DURATION_SECONDS), (25.0, 1.0));
    advance(25 * US).await;
    let item = queue.get().await.expect("foo is ready again");
    assert_eq!(sum_and_count(metrics::QUEUE_DURATION_SECONDS), (100.0, 2.0));

    sleep(Duration::from_millis(1200)).await; // two updates, the last at 1 s
    let unfinished = [metrics::UNFINISHED_WORK_SECONDS, metrics::LONGEST_RUNNING_PROCESSOR_SECONDS];
    let ages = unfinished.map(|metric| scraped(&handle, metric));
    assert!(ages[0] == ages[1] && (0.99..1.01).contains(&ages[0]), "{ages:?}");
    drop(item);
    assert_eq!(sum_and_count(metrics::WORK_DURATION_SECONDS).1, 2.0);

    // Accepted calls count, however short the delay. Adding the same key again is not another add.
    queue.add_after("bar", Duration::ZERO);
    queue.add_rate_limited("bar");
    queue.add_after("baz", Duration::from_secs(1000));
    assert_eq!(scraped(&handle, metrics::RETRIES_TOTAL), 3.0);
    assert_eq!(adds_and_depth(), (3.0, 1.0));
    assert!(queue.remove(&"bar"));
    assert_eq!(adds_and_depth(), (3.0, 0.0));

    let bucket = format!("{}_bucket{{name=\"test\",le=\"0.0001\"}} 2", metrics::QUEUE_DURATION_SECONDS);
    assert!(handle.render().contains(&bucket), "{}", handle.render());

    // WM-T1: no update after the shutdown, whatever is processing and however far the clock moves.
    queue.add("foo");
    let item = queue.get().await.expect("foo is ready");
    sleep(Duration::from_secs(1)).await;
    queue.shut_down();
    queue.add_after("foo", US);
    let before = unfinished.map(|metric| scraped(&handle, metric));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(unfinished.map(|metric| scraped(&handle, metric)), before);
    assert_eq!(scraped(&handle, metrics::RETRIES_TOTAL), 3.0);
    drop(item);
}
