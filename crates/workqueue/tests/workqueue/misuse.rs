//! Wrong and late calls, unlucky timing, and the inspection of a queue.

use std::{sync::Arc, time::Duration};

use tokio::time::{advance, sleep, timeout};
use trimtab_workqueue::{Stage, WorkQueue};

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn an_item_may_outlive_every_handle_of_its_queue() {
    let key = Arc::new("foo");
    let queue = WorkQueue::new();
    queue.add(Arc::clone(&key));
    let item = queue.get().await.expect("foo is ready");
    drop(queue);
    assert_eq!(**item, "foo");
    drop(item);
    assert_eq!(Arc::strong_count(&key), 1);
}

#[test]
fn a_borrowed_key_is_cloned_only_if_the_queue_does_not_hold_it() {
    let key: Arc<str> = "foo".into();
    let queue = WorkQueue::new();
    for _ in 0..3 {
        assert!(queue.add_ref(&key));
        assert_eq!((queue.len(), Arc::strong_count(&key)), (1, 2));
    }
    drop(queue.try_get());
    queue.shut_down();
    assert!(!queue.add_ref(&key), "the queue is shut down");
    assert_eq!(Arc::strong_count(&key), 1);
}

/// Guarantee 4: a worker that panics.
#[tokio::test(start_paused = true)]
async fn a_worker_that_panics_leaks_no_key() {
    let queue = WorkQueue::new();
    queue.add("foo");
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            let _item = queue.get().await;
            queue.add("foo");
            panic!("on purpose");
        }
    });
    assert!(worker.await.expect_err("it panicked").is_panic());
    assert_eq!((queue.len(), queue.processing()), (1, 0));
}

/// Guarantee 4: a worker that is cancelled.
#[tokio::test(start_paused = true)]
async fn a_worker_that_is_cancelled_leaks_no_key() {
    let queue = WorkQueue::new();
    queue.add("foo");
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move {
            let _item = queue.get().await;
            std::future::pending::<()>().await;
        }
    });
    sleep(MS).await;
    assert_eq!(queue.processing(), 1);
    worker.abort();
    assert!(worker.await.expect_err("it was cancelled").is_cancelled());
    assert_eq!((queue.len(), queue.processing()), (0, 0));
}

/// Guarantee 4: a cancelled `get`.
#[tokio::test(start_paused = true)]
async fn a_cancelled_get_has_taken_no_key() {
    let queue = WorkQueue::new();
    for key in 0..100 {
        assert!(timeout(MS, queue.get()).await.is_err());
        queue.add(key);
        assert_eq!(*queue.get().await.expect("it is ready"), key);
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_at_its_deadline_and_returns_the_unfinished_keys() {
    let queue = WorkQueue::new();
    assert_eq!(queue.add_many(["foo", "bar", "baz"]), 3);
    queue.add_after("later", MS);
    let items = [queue.get().await, queue.get().await];
    queue.add("foo");
    let drain = queue.shut_down_with_drain().within(10 * MS);
    assert_eq!(drain.processing(), 2);
    let mut drained = drain.await;
    drained.waiting.sort_unstable();
    assert_eq!(drained.processing, ["foo", "bar"]);
    assert_eq!((drained.waiting, drained.delayed), (vec!["baz", "foo"], vec!["later"]));
    drop(items);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_drain_leaves_the_queue_shutting_down() {
    let queue = WorkQueue::new();
    queue.add("foo");
    let item = queue.get().await;
    assert!(timeout(MS, queue.shut_down_with_drain()).await.is_err());
    assert!(queue.is_shutting_down() && !queue.add("bar"));
    drop(item);
    assert!(queue.get().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_removed_key_leaves_nothing_behind() {
    let key = Arc::new("foo");
    let queue = WorkQueue::new();
    assert!(!queue.remove(&key));
    queue.add(Arc::clone(&key));
    queue.add_after(Arc::clone(&key), MS);
    queue.add_rate_limited(Arc::clone(&key));
    assert!(queue.remove(&key));
    assert_eq!((queue.len(), queue.delayed(), queue.num_requeues(&key)), (0, 0, 0));
    assert_eq!(Arc::strong_count(&key), 1);

    queue.add(Arc::clone(&key));
    let item = queue.get().await.expect("foo is ready");
    queue.add(Arc::clone(&key));
    assert!(queue.remove(&key), "it was to come again");
    assert!(!queue.remove(&key), "its worker keeps it");
    drop(item);
    assert_eq!((queue.len(), Arc::strong_count(&key)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_the_stage_of_each_key() {
    let queue = WorkQueue::builder().name("snapshot").build();
    queue.add("ready");
    queue.add_after("delayed", MS);
    queue.add_rate_limited("delayed");
    queue.add("processing");
    let ready = queue.get().await.expect("ready is first");
    let _processing = queue.get().await.expect("processing is second");
    advance(MS / 2).await;
    queue.add("ready");
    drop(ready);
    let mut seen = queue.snapshot();
    seen.sort_unstable_by_key(|entry| entry.key);
    let stages: Vec<_> = seen.iter().map(|entry| (entry.key, entry.stage, entry.num_requeues)).collect();
    let expected =
        [("delayed", Stage::Delayed, 1), ("processing", Stage::Processing, 0), ("ready", Stage::Ready, 0)];
    assert_eq!(stages, expected);
    let now = tokio::time::Instant::now();
    assert_eq!((seen[0].due, seen[0].since), (Some(now + MS / 2), None));
    assert_eq!((seen[1].since, seen[2].since), (Some(now - MS / 2), Some(now)));
}

#[tokio::test(start_paused = true)]
async fn get_many_takes_all_ready_keys_up_to_the_maximum() {
    let queue = WorkQueue::new();
    assert_eq!(queue.add_many(0..5), 5);
    assert_eq!(queue.add_many([0, 1]), 2);
    assert!(queue.get_many(0).await.is_empty());
    let three = queue.get_many(3).await;
    assert_eq!(three.iter().map(|item| **item).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!((queue.len(), queue.processing()), (2, 3));
    assert_eq!(queue.get_many(9).await.len(), 2);
    drop(three);
    queue.shut_down();
    assert_eq!(queue.add_many([7]), 0);
    assert!(queue.get_many(9).await.is_empty());
}

/// A loop over a queue that is never empty shares its thread: fails without `consume_budget` in `get`.
#[tokio::test(start_paused = true)]
async fn a_busy_worker_lets_other_tasks_of_its_thread_run() {
    let queue = WorkQueue::new();
    queue.add("foo");
    let stop = tokio::spawn({
        let queue = queue.clone();
        async move { queue.shut_down() }
    });
    let mut rounds = 0;
    while let Some(item) = queue.get().await {
        queue.add(*item);
        rounds += 1;
        assert!(rounds < 10_000, "the other task never ran");
    }
    stop.await.expect("it ran");
}
