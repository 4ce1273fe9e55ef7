//! Adds that no step on the state has received yet: their order, their number, and keys whose code misbehaves.

use std::{
    cell::Cell,
    hash::{Hash, Hasher},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
};

use tokio::runtime::Builder;
use trimtab_workqueue::WorkQueue;

/// The keys of several threads: each has a number of its own in the upper half.
const PRODUCERS: u64 = 4;
const KEYS: u64 = 20_000;

fn key(producer: u64, number: u64) -> u64 {
    producer << 32 | number
}

/// Two adds of each key by the same thread, one after the other. Another thread takes the keys meanwhile: a key comes out
/// at most twice, and the keys of each producer in the order of its adds.
#[test]
fn the_keys_of_each_thread_come_out_in_the_order_of_its_adds() {
    let queue = WorkQueue::new();
    let taken = thread::scope(|scope| {
        let worker = scope.spawn({
            let queue = queue.clone();
            move || {
                let runtime = Builder::new_current_thread().build().expect("a runtime");
                runtime.block_on(async {
                    let mut taken = Vec::new();
                    while let Some(item) = queue.get().await {
                        taken.push(*item);
                    }
                    taken
                })
            }
        });
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|producer| {
                let queue = &queue;
                scope.spawn(move || {
                    for number in 0..KEYS {
                        assert!(queue.add(key(producer, number)) && queue.add(key(producer, number)));
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().expect("a producer ends");
        }
        queue.shut_down();
        worker.join().expect("the worker ends")
    });
    for producer in 0..PRODUCERS {
        let mut numbers: Vec<_> = taken.iter().filter(|key| *key >> 32 == producer).collect();
        assert!(numbers.is_sorted(), "producer {producer}");
        numbers.dedup();
        assert_eq!(numbers.len() as u64, KEYS, "producer {producer}");
    }
    assert!(taken.len() as u64 <= 2 * PRODUCERS * KEYS);
}

/// A key whose add has returned is there for every other thread, whatever it asks.
#[test]
fn an_add_that_returned_is_seen_by_the_next_call_of_another_thread() {
    let queue = WorkQueue::new();
    for number in 0..200 {
        thread::scope(|scope| {
            let adding = scope.spawn(|| queue.add(number) && queue.add(number));
            assert!(adding.join().expect("the producer ends"));
        });
        match number % 4 {
            0 => assert_eq!(queue.len(), 1),
            1 => assert_eq!(queue.snapshot().len(), 1),
            2 => assert!(queue.remove(&number) && queue.add(number)),
            _ => assert!(format!("{queue:?}").contains("ready: 1"), "{queue:?}"),
        }
        assert_eq!(queue.try_get().as_deref(), Some(&number));
        assert!(queue.try_get().is_none(), "{number} was added twice before it was taken");
    }
}

/// An add by reference does not wait for a batch, and does not overtake those that do.
#[test]
fn keys_that_are_added_by_value_and_by_reference_come_out_in_the_order_of_their_adds() {
    let queue = WorkQueue::new();
    for number in (0..100).step_by(2) {
        assert!(queue.add(number) && queue.add_ref(&(number + 1)) && queue.add(number));
    }
    let taken = std::iter::from_fn(|| queue.try_get().map(|item| *item));
    assert!(taken.eq(0..100));
}

/// A key whose comparison can be told to panic or to add other keys. The queue compares keys under its lock, so that those
/// adds are handed over.
struct Difficult {
    number: u32,
    queue: WorkQueue<Arc<Difficult>>,
    /// Whether it uses its queue when it is dropped.
    asks: bool,
}

thread_local! {
    static PANICS: Cell<bool> = const { Cell::new(false) };
    static ADDS: Cell<Vec<Arc<Difficult>>> = const { Cell::new(Vec::new()) };
}

impl Hash for Difficult {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.number / 10).hash(state);
    }
}

impl PartialEq for Difficult {
    fn eq(&self, other: &Self) -> bool {
        assert!(!(PANICS.get() && (self.number * other.number).is_multiple_of(2)), "on purpose");
        ADDS.take().into_iter().for_each(|key| assert!(self.queue.add(key)));
        self.number == other.number
    }
}

impl Eq for Difficult {}

impl Drop for Difficult {
    fn drop(&mut self) {
        if self.asks {
            self.queue.len();
        }
    }
}

/// Adds keys while the queue is locked.
fn hand_over(queue: &WorkQueue<Arc<Difficult>>, numbers: &[u32], asks: bool) {
    let difficult = |number| Arc::new(Difficult { number, queue: queue.clone(), asks });
    queue.add(difficult(1));
    ADDS.set(numbers.iter().copied().map(difficult).collect());
    queue.add(difficult(1)); // compared with the first, here or below
    let added = || {
        let left = ADDS.take();
        let none = left.is_empty();
        ADDS.set(left);
        none
    };
    if !added() {
        queue.len();
    }
    assert!(added());
}

fn take_all(queue: &WorkQueue<Arc<Difficult>>) -> Vec<u32> {
    std::iter::from_fn(|| queue.try_get().map(|item| item.number)).collect()
}

/// A deadlock if the keys that the queue does not need were dropped under the lock.
#[test]
fn a_key_that_the_queue_holds_already_is_dropped_outside_the_lock() {
    let queue = WorkQueue::new();
    hand_over(&queue, &[2, 1, 2], true);
    assert_eq!(queue.len(), 2);
    hand_over(&queue, &[3, 1, 3], true);
    queue.shut_down();
    assert_eq!(take_all(&queue), [1, 2, 3]);
}

/// The keys that were added after the one whose `Eq` panics are not lost, and the panic does not come again.
#[test]
fn a_key_whose_comparison_panics_loses_no_other_key() {
    let queue = WorkQueue::new();
    hand_over(&queue, &[2, 3, 14, 25], false);
    PANICS.set(true);
    let panicked = (0..3).filter(|_| catch_unwind(AssertUnwindSafe(|| queue.len())).is_err()).count();
    PANICS.set(false);
    assert_eq!((panicked, take_all(&queue)), (1, vec![1, 3, 14, 25]));
}
