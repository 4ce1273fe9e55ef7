//! Delays: when they end, which of two wins, and which waiter owns the timer (DQ-T…, RL-T6:
//! docs/upstream-behaviours.md).

use std::time::Duration;

use tokio::time::{Instant, advance, sleep, timeout};
use trimtab_workqueue::{WorkQueue, limiter};

const MS: Duration = Duration::from_millis(1);

/// DQ-T1.
#[tokio::test(start_paused = true)]
async fn a_delayed_key_comes_once_when_its_delay_is_over() {
    let queue = WorkQueue::new();
    queue.add_after("foo", 50 * MS);
    assert_eq!((queue.len(), queue.delayed()), (0, 1));
    advance(60 * MS).await;
    assert_eq!((queue.len(), queue.delayed()), (1, 0));
    drop(queue.get().await);
    advance(10_000 * MS).await;
    assert_eq!(queue.len(), 0);
}

/// Guarantee 6, its first half; DQ-T2.
#[tokio::test(start_paused = true)]
async fn of_two_delays_the_earlier_wins() {
    let queue = WorkQueue::new();
    queue.add_after("foo", 50 * MS);
    queue.add_after("foo", 70 * MS);
    assert_eq!(queue.delayed(), 1);
    advance(60 * MS).await;
    drop(queue.try_get().expect("the first delay is over"));
    advance(20 * MS).await;
    assert_eq!(queue.len(), 0);

    queue.add_after("foo", 50 * MS);
    queue.add_after("foo", 30 * MS);
    advance(40 * MS).await;
    drop(queue.try_get().expect("the shorter delay is over"));
    advance(20 * MS).await;
    assert_eq!((queue.len(), queue.delayed()), (0, 0));
}

/// DQ-T3.
#[tokio::test(start_paused = true)]
async fn delays_of_different_keys_end_each_in_its_time() {
    let queue = WorkQueue::new();
    queue.add_after("first", 1000 * MS);
    queue.add_after("second", 50 * MS);
    advance(60 * MS).await;
    assert_eq!(*queue.try_get().expect("the second is due"), "second");
    assert!(queue.try_get().is_none());
    queue.add_after("third", 2000 * MS);
    advance(1000 * MS).await;
    assert_eq!(*queue.try_get().expect("the first is due"), "first");
    assert!(queue.try_get().is_none());
    advance(2000 * MS).await;
    assert_eq!(*queue.try_get().expect("the third is due"), "third");
}

/// DQ-T4.
#[tokio::test(start_paused = true)]
async fn delays_that_end_in_one_step_come_in_the_order_of_their_ends() {
    let queue = WorkQueue::new();
    for (key, delay) in [("first", 1000), ("second", 500), ("third", 250)] {
        queue.add_after(key, delay * MS);
    }
    advance(2000 * MS).await;
    let keys = [queue.try_get(), queue.try_get(), queue.try_get()].map(|item| *item.expect("all are due"));
    assert_eq!(keys, ["third", "second", "first"]);
}

/// RL-T6.
#[tokio::test(start_paused = true)]
async fn each_rate_limited_add_of_a_key_waits_longer_until_it_is_forgotten() {
    let queue = WorkQueue::builder().limiter(limiter::default_item_based()).build();
    let delay = |key| {
        let queue = queue.clone();
        async move {
            let start = Instant::now();
            queue.add_rate_limited(key);
            drop(queue.get().await);
            start.elapsed()
        }
    };
    assert_eq!([delay("one").await, delay("one").await, delay("two").await], [MS, 2 * MS, MS]);
    assert_eq!(queue.num_requeues(&"one"), 2);
    queue.forget(&"one");
    assert_eq!(queue.num_requeues(&"one"), 0);
    assert_eq!(delay("one").await, MS);
}

/// Guarantee 6, its second half. The key is ready now, and once more when the delay ends.
#[tokio::test(start_paused = true)]
async fn an_add_does_not_cancel_a_delay() {
    let queue = WorkQueue::new();
    queue.add_after("foo", 50 * MS);
    queue.add("foo");
    drop(queue.try_get().expect("ready now"));
    assert_eq!(queue.delayed(), 1);
    queue.forget(&"foo");
    advance(50 * MS).await;
    drop(queue.try_get().expect("ready once more"));
    assert_eq!(queue.delayed(), 0);
}

/// As in client-go: a delay of zero is an add, and after a shutdown every add is refused.
#[tokio::test(start_paused = true)]
async fn a_delay_of_zero_is_an_add_and_delays_are_refused_after_shutdown() {
    let queue = WorkQueue::new();
    assert!(queue.add_after("foo", Duration::ZERO));
    assert_eq!((queue.len(), queue.delayed()), (1, 0));
    queue.shut_down();
    assert!(!queue.add_after("bar", MS) && !queue.add_rate_limited("bar"));
    assert_eq!((queue.delayed(), queue.num_requeues(&"bar")), (0, 1)); // the limiter counts the failure nevertheless
}

/// As in client-go, except that client-go cannot return the delayed keys.
#[tokio::test(start_paused = true)]
async fn a_shutdown_drops_delayed_keys_and_a_drain_returns_them() {
    let queue = WorkQueue::new();
    queue.add_after("foo", MS);
    queue.add("bar");
    queue.add_after("bar", MS);
    let drain = queue.shut_down_with_drain();
    drop(queue.get().await);
    assert_eq!(drain.await.delayed, ["foo"]);
    advance(2 * MS).await;
    assert!(queue.get().await.is_none());
}

/// Only a waiting `get` looks at the time: fails without the `timer` in `Get::poll`.
#[tokio::test(start_paused = true)]
async fn a_waiting_worker_gets_a_delayed_key_on_time() {
    let queue = WorkQueue::new();
    let start = Instant::now();
    queue.add_after("foo", 7 * MS);
    let item = timeout(1000 * MS, queue.get()).await.expect("a waiter owns the timer");
    assert_eq!(item.as_deref(), Some(&"foo"));
    assert_eq!(start.elapsed(), 7 * MS);
}

/// Fails (the worker sleeps until the later delay ends) without the `next_due < timer_owner.fires_at` branch
/// of `Waiters::next_to_wake`.
#[tokio::test(start_paused = true)]
async fn a_worker_that_waits_for_a_delay_gets_an_earlier_one_on_time() {
    let queue = WorkQueue::new();
    let start = Instant::now();
    queue.add_after("late", 1000 * MS);
    let worker = tokio::spawn({
        let queue = queue.clone();
        async move { *queue.get().await.expect("a key") }
    });
    sleep(MS).await;
    queue.add_after("early", 5 * MS);
    assert_eq!(worker.await.expect("the worker ends"), "early");
    assert_eq!(start.elapsed(), 6 * MS);
}

/// Fails (the second worker sleeps forever) without the `None` branch of `timer_owner` in
/// `Waiters::next_to_wake`.
#[tokio::test(start_paused = true)]
async fn a_worker_that_leaves_hands_the_timer_over() {
    let queue = WorkQueue::new();
    let start = Instant::now();
    queue.add_after("foo", 100 * MS);
    let mut owner = tokio::spawn({
        let queue = queue.clone();
        async move { queue.get().await.map(|item| *item) }
    });
    sleep(MS).await;
    let other = tokio::spawn({
        let queue = queue.clone();
        async move { queue.get().await.map(|item| *item) }
    });
    sleep(MS).await;
    assert!(timeout(MS, &mut owner).await.is_err());
    owner.abort(); // cancelled while it owned the timer for both
    let other = timeout(1000 * MS, other).await.expect("a waiter owns the timer");
    assert_eq!(other.expect("the other ends"), Some("foo"));
    assert_eq!(start.elapsed(), 100 * MS);
}

/// The timer's owner takes a key and processes it: a worker that still waits must own the timer then. Fails
/// without the `None` branch of `timer_owner` in `Waiters::next_to_wake`.
#[tokio::test(start_paused = true)]
async fn a_timer_owner_that_takes_a_key_leaves_the_timer_to_the_others() {
    let queue = WorkQueue::new();
    let start = Instant::now();
    for (key, delay) in [("a", 10), ("b", 20), ("c", 30)] {
        queue.add_after(key, delay * MS);
    }
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let queue = queue.clone();
            tokio::spawn(async move {
                let item = queue.get().await.expect("a key");
                let at = start.elapsed();
                sleep(1000 * MS).await;
                (*item, at)
            })
        })
        .collect();
    let mut taken = Vec::new();
    for worker in workers {
        let worker = timeout(10_000 * MS, worker).await.expect("a waiter owns the timer");
        taken.push(worker.expect("the worker ends"));
    }
    taken.sort_unstable();
    assert_eq!(taken, [("a", 10 * MS), ("b", 20 * MS), ("c", 30 * MS)]);
}

#[tokio::test(start_paused = true)]
async fn a_delay_past_the_end_of_time_saturates() {
    let queue = WorkQueue::new();
    assert!(queue.add_after("foo", Duration::MAX));
    assert!(timeout(Duration::from_secs(3600), queue.get()).await.is_err());
    assert_eq!((queue.len(), queue.delayed()), (0, 1));
    assert!(queue.snapshot()[0].due > Some(Instant::now() + Duration::from_secs(3600 * 24 * 365)));
    queue.add_after("foo", MS);
    assert!(queue.get().await.is_some());
}

/// More than one batch is due at once: each `get` makes a batch ready, and no key is left behind.
#[tokio::test(start_paused = true)]
async fn thousands_of_delays_that_end_together_all_come_out() {
    let queue = WorkQueue::new();
    for key in 0..10_000u64 {
        queue.add_after(key, MS + Duration::from_nanos(key));
    }
    for key in 0..10_000u64 {
        assert_eq!(*queue.get().await.expect("a key"), key);
    }
    assert_eq!(queue.delayed(), 0);
}
