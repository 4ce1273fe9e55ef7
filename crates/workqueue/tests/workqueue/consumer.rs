//! The behaviour of a `Consumer` beyond that of `get` and dropped `Item`s.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use trimtab_workqueue::{AddOptions, WorkQueue};

const MS: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn next_completes_the_previous_key() {
    let queue = WorkQueue::new();
    let mut consumer = queue.consumer();
    queue.add("foo");
    queue.add_with("bar", AddOptions::new().priority(-7));
    assert_eq!(consumer.next().await, Some(&"foo"));
    queue.add("foo"); // comes out again, and before `bar`, because its priority is higher
    assert_eq!(
        (consumer.key(), consumer.priority(), queue.len(), queue.processing()),
        (Some(&"foo"), 0, 1, 1)
    );
    assert_eq!(consumer.next().await, Some(&"foo"));
    assert_eq!(consumer.next().await, Some(&"bar"));
    assert_eq!(
        (consumer.key(), consumer.priority(), queue.len(), queue.processing()),
        (Some(&"bar"), -7, 0, 1)
    );
    queue.add("foo");
    queue.shut_down();
    assert_eq!(consumer.next().await, Some(&"foo"));
    assert_eq!(consumer.next().await, None);
    assert_eq!((consumer.key(), queue.processing()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_waits_or_is_dropped_holds_no_key() {
    let key = Arc::new("foo");
    let queue = WorkQueue::new();
    let mut consumer = queue.consumer();
    queue.add(Arc::clone(&key));
    assert_eq!(consumer.next().await, Some(&key));
    assert!(timeout(MS, consumer.next()).await.is_err(), "nothing is ready");
    assert_eq!((consumer.key(), queue.processing(), Arc::strong_count(&key)), (None, 0, 1));

    queue.add_after(Arc::clone(&key), 3 * MS);
    assert_eq!(consumer.next().await, Some(&key));
    drop(queue);
    drop(consumer);
    assert_eq!(Arc::strong_count(&key), 1);
}

/// Guarantee 4.
#[tokio::test(start_paused = true)]
async fn a_cancelled_next_has_taken_no_key() {
    let queue = WorkQueue::new();
    let mut consumer = queue.consumer();
    queue.add("foo");
    assert_eq!(consumer.next().await, Some(&"foo"));
    drop(consumer.next()); // never polled: the consumer still holds `foo`
    assert_eq!((consumer.key(), queue.processing()), (Some(&"foo"), 1));
    {
        let mut waits = std::pin::pin!(consumer.next());
        assert!(timeout(MS, waits.as_mut()).await.is_err(), "nothing is ready");
        queue.add("bar"); // wakes the consumer, whose `next` is then dropped
    }
    assert_eq!((queue.len(), queue.processing()), (1, 0));
    consumer.done();
    assert_eq!(consumer.next().await, Some(&"bar"));
    consumer.done();
    assert_eq!((consumer.key(), queue.len(), queue.processing()), (None, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_a_consumer_holds_is_not_handed_to_another() {
    let queue = WorkQueue::new();
    let (mut one, mut other) = (queue.consumer(), queue.consumer());
    queue.add("foo");
    assert_eq!(one.next().await, Some(&"foo"));
    queue.add("foo");
    assert!(timeout(MS, other.next()).await.is_err(), "the first one has it");
    one.done();
    assert_eq!(timeout(MS, other.next()).await, Ok(Some(&"foo")));
    assert!(timeout(MS, one.next()).await.is_err(), "the other one has it");
}
