//! The guarantees of a queue with default options, after client-go's own tests (WQ-T…:
//! docs/upstream-behaviours.md).

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};

use tokio::{task::JoinHandle, time::Instant};
use trimtab_workqueue::WorkQueue;

const MS: Duration = Duration::from_millis(1);

/// The worker tasks, and the number of times that each key was processed.
type Counted = (Vec<JoinHandle<()>>, Arc<Mutex<HashMap<u32, u32>>>);

fn count_handled(queue: &WorkQueue<u32>, workers: usize, readd: bool) -> Counted {
    let counts = Arc::new(Mutex::new(HashMap::new()));
    let workers = (0..workers).map(|_| {
        let (queue, counts) = (queue.clone(), Arc::clone(&counts));
        tokio::spawn(async move {
            while let Some(item) = queue.get().await {
                tokio::time::sleep(3 * MS).await;
                let times = {
                    let mut counts = counts.lock().expect("no worker panics");
                    let times = counts.entry(*item).or_default();
                    *times += 1;
                    *times
                };
                if readd && times == 1 {
                    queue.add(*item);
                }
            }
        })
    });
    (workers.collect(), counts)
}

/// WQ-T1, with both kinds of shutdown.
#[tokio::test(start_paused = true)]
async fn every_key_of_many_producers_is_processed_and_a_late_one_is_refused() {
    for drain in [false, true] {
        let queue = WorkQueue::new();
        let (workers, counts) = count_handled(&queue, 10, false);
        let producers: Vec<_> = (0..50u32)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move {
                    for key in 0..50 {
                        assert!(queue.add(key));
                        tokio::time::sleep(MS).await;
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.await.expect("a producer ends");
        }
        if drain {
            let drained = queue.shut_down_with_drain().await;
            assert!(drained.waiting.is_empty() && drained.processing.is_empty());
        } else {
            queue.shut_down();
        }
        assert!(!queue.add(1000), "an add after the shutdown is refused");
        for worker in workers {
            worker.await.expect("a worker ends");
        }
        let counts = counts.lock().expect("no worker panics");
        assert_eq!((counts.len(), counts.contains_key(&1000), queue.len()), (50, false, 0));
    }
}

/// WQ-T2.
#[tokio::test(start_paused = true)]
async fn keys_added_again_while_processing_are_finished_before_a_drain_ends() {
    let queue = WorkQueue::new();
    let (workers, counts) = count_handled(&queue, 4, true);
    (0..50).for_each(|key| assert!(queue.add(key)));
    tokio::time::sleep(4 * MS).await; // some are done, some are processing, most are ready
    while !queue.is_empty() || queue.processing() > 0 {
        tokio::time::sleep(MS).await;
    }
    queue.shut_down_with_drain().await;
    for worker in workers {
        worker.await.expect("a worker ends");
    }
    assert_eq!(counts.lock().expect("no worker panics").values().copied().min(), Some(2));
    assert_eq!(queue.len(), 0);
}

/// WQ-T3.
#[tokio::test(start_paused = true)]
async fn len_counts_distinct_ready_keys() {
    let queue = WorkQueue::new();
    let lens: Vec<_> = ["foo", "bar", "foo"].map(|key| (queue.add(key), queue.len()).1).into();
    assert_eq!(lens, [1, 2, 2]);
}

/// Guarantee 2; WQ-T4.
#[tokio::test(start_paused = true)]
async fn a_key_added_while_it_is_being_processed_comes_out_again_once_its_item_is_dropped() {
    let queue = WorkQueue::new();
    queue.add("foo");
    let item = queue.get().await.expect("foo is ready");
    queue.add("foo");
    queue.add("foo");
    assert_eq!((queue.len(), queue.processing()), (0, 1));
    assert!(queue.try_get().is_none(), "a key is never with two workers at once");
    drop(item);
    let item = queue.get().await.expect("foo is ready again");
    assert_eq!(*item, "foo");
    drop(item);
    assert_eq!((queue.len(), queue.processing()), (0, 0));
}

/// Guarantee 3; WQ-T5.
#[tokio::test(start_paused = true)]
async fn a_key_added_several_times_before_a_worker_takes_it_comes_out_once() {
    let queue = WorkQueue::new();
    (0..1000).for_each(|_| assert!(queue.add("bar")));
    drop(queue.get().await);
    assert_eq!(queue.len(), 0);
    assert!(queue.try_get().is_none());
}

/// Guarantee 1; WQ-T6. A waiting worker gets the key once, and only after the other worker is done.
#[tokio::test(start_paused = true)]
async fn a_key_is_never_with_two_workers_at_once() {
    let queue = WorkQueue::new();
    queue.add("foo");
    let item = queue.get().await.expect("foo is ready");
    let other = tokio::spawn({
        let queue = queue.clone();
        async move { queue.get().await.map(|item| *item) }
    });
    queue.add("foo");
    queue.add("foo");
    tokio::time::sleep(MS).await;
    assert!(!other.is_finished());
    drop(item);
    assert_eq!(other.await.expect("the worker ends"), Some("foo"));
    assert!(queue.try_get().is_none());
}

/// WQ-T7.
#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_every_processing_key() {
    let queue = WorkQueue::new();
    queue.add("foo");
    queue.add("bar");
    let items = [queue.get().await, queue.get().await];
    let drain = tokio::spawn(queue.shut_down_with_drain());
    for item in items {
        tokio::time::sleep(MS).await;
        assert!(!drain.is_finished());
        drop(item);
    }
    drain.await.expect("the drain ends");
}

/// WQ-T8.
#[tokio::test(start_paused = true)]
async fn a_shutdown_without_a_drain_waits_for_no_key() {
    let queue = WorkQueue::new();
    queue.add("foo");
    queue.add("bar");
    let items = [queue.get().await, queue.get().await];
    queue.shut_down();
    queue.shut_down();
    assert!(queue.is_shutting_down());
    assert!(queue.get().await.is_none());
    drop(items);
}

/// WQ-T9.
#[tokio::test(start_paused = true)]
async fn a_shutdown_without_a_drain_ends_every_waiting_drain() {
    let queue = WorkQueue::new();
    queue.add("foo");
    queue.add("bar");
    let items = [queue.get().await, queue.get().await];
    let drains = [tokio::spawn(queue.shut_down_with_drain()), tokio::spawn(queue.shut_down_with_drain())];
    tokio::time::sleep(MS).await;
    assert!(drains.iter().all(|drain| !drain.is_finished()));
    queue.shut_down();
    for drain in drains {
        assert_eq!(drain.await.expect("the drain ends").processing, ["foo", "bar"]);
    }
    drop(items);
}

/// WQ-T10.
#[tokio::test(start_paused = true)]
async fn a_key_added_again_before_a_drain_is_still_handed_out() {
    let queue = WorkQueue::new();
    queue.add("foo");
    let item = queue.get().await.expect("foo is ready");
    queue.add("foo");
    let drain = tokio::spawn(queue.shut_down_with_drain());
    tokio::time::sleep(MS).await;
    drop(item);
    let item = queue.get().await.expect("foo, and not the end");
    assert_eq!(*item, "foo");
    tokio::time::sleep(MS).await;
    assert!(!drain.is_finished());
    drop(item);
    assert!(queue.get().await.is_none());
    drain.await.expect("the drain ends");
}

/// Guarantee 10; WQ-T11. The memory of an empty queue is measured in `src/state/tests.rs`.
#[tokio::test(start_paused = true)]
async fn a_key_that_is_done_and_a_queue_that_is_dropped_leave_nothing_behind() {
    let queue = WorkQueue::new();
    let key = Arc::new("foo");
    queue.add(Arc::clone(&key));
    queue.add(Arc::clone(&key));
    drop(queue.get().await);
    assert_eq!(Arc::strong_count(&key), 1);
    queue.add(Arc::clone(&key));
    queue.add_after(Arc::clone(&key), MS);
    drop(queue);
    assert_eq!(Arc::strong_count(&key), 1);
}

/// Guarantee 5. `src/loom_tests.rs` has the models of a woken worker that is cancelled.
#[tokio::test(start_paused = true)]
async fn every_ready_key_wakes_a_waiting_worker_even_if_a_woken_worker_is_cancelled() {
    let queue = WorkQueue::new();
    let start = Instant::now();
    let workers: Vec<_> = (0..10)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.get().await.map(|item| (*item, start.elapsed())) })
        })
        .collect();
    tokio::time::sleep(MS).await; // until all workers wait
    (0..5).for_each(|key| assert!(queue.add(key)));
    assert_eq!(queue.add_many(5..8), 3);
    workers[..2].iter().for_each(JoinHandle::abort); // both were woken, and are cancelled
    tokio::time::sleep(MS).await;
    assert!(queue.is_empty());
    queue.shut_down();
    let mut taken = Vec::new();
    for worker in workers {
        taken.extend(worker.await.ok().flatten());
    }
    taken.sort_unstable();
    assert_eq!(taken, (0..8).map(|key| (key, MS)).collect::<Vec<_>>());
}

/// A waker that counts its calls.
#[derive(Default)]
struct Calls(AtomicUsize);

impl Wake for Calls {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Seen to fail with `ready > 0` instead of `ready > self.awake` in `Waiters::next_to_wake`.
#[test]
fn as_many_workers_are_woken_as_there_are_keys() {
    let queue = WorkQueue::new();
    let calls = Arc::new(Calls::default());
    let waker = Waker::from(Arc::clone(&calls));
    let mut context = Context::from_waker(&waker);
    let mut gets: Vec<_> = (0..10).map(|_| Box::pin(queue.get())).collect();
    for get in &mut gets {
        assert!(get.as_mut().poll(&mut context).is_pending());
    }
    (0..3).for_each(|key| assert!(queue.add(key)));
    assert!(queue.add(0));
    assert_eq!(calls.0.load(SeqCst), 3);
    assert_eq!(queue.add_many(1..6), 5); // 3, 4 and 5 are new
    assert_eq!(calls.0.load(SeqCst), 6);
    let taken =
        gets.iter_mut().map(|get| get.as_mut().poll(&mut context).is_ready()).filter(|&ready| ready).count();
    assert_eq!((taken, calls.0.load(SeqCst)), (6, 6));
}

/// Guarantee 9, its first half.
#[tokio::test(start_paused = true)]
async fn after_a_shutdown_ready_keys_still_come_out_and_adds_are_refused() {
    let queue = WorkQueue::new();
    assert!(queue.add("foo") && queue.add("bar"));
    queue.shut_down();
    assert!(!queue.add("foo") && !queue.add("baz"));
    assert_eq!((queue.add_many(["baz"]), queue.add_after("baz", MS)), (0, false));
    for key in ["foo", "bar"] {
        assert_eq!(queue.get().await.as_deref(), Some(&key));
    }
    assert!(queue.get().await.is_none());
}

/// Guarantee 9, its second half.
#[tokio::test(start_paused = true)]
async fn a_drain_ends_when_no_key_is_ready_and_none_is_processing() {
    let queue = WorkQueue::new();
    assert!(queue.add("foo") && queue.add("bar"));
    let drain = tokio::spawn(queue.shut_down_with_drain());
    for _ in 0..2 {
        tokio::time::sleep(MS).await;
        assert!(!drain.is_finished(), "a key is ready");
        let item = queue.get().await;
        tokio::time::sleep(MS).await;
        assert!(!drain.is_finished(), "a key is processing");
        drop(item);
    }
    drain.await.expect("the drain ends");
}
