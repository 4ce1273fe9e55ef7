//! Models of the wake-ups: all interleavings of producers, workers and a shutdown.
//!
//! Build with `cargo rustc -p trimtab-workqueue --lib --profile test -- --cfg trimtab_loom` and run the
//! resulting program. Each model was seen to fail without the line that its comment names. No model has
//! delays: timers are tokio's, which loom does not see; `tests/workqueue/delay.rs` tests them with a paused clock.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

use loom::{
    model::Builder,
    sync::{
        Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use crate::WorkQueue;

/// Explores all schedules with at most three preemptions: enough for every race of two threads, and done
/// within seconds.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    explore_to(3, model);
}

/// Explores all schedules with at most two preemptions, where three would take minutes.
fn explore_less(model: impl Fn() + Sync + Send + 'static) {
    explore_to(2, model);
}

fn explore_to(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

/// Whether a blocked thread was woken, in primitives that loom tracks.
#[derive(Default)]
struct Woken {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().expect("no model panics while it holds the lock") = true;
        self.changed.notify_one();
    }
}

/// Polls the future on this thread and blocks between the polls.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        let mut flag = woken.woken.lock().expect("no model panics while it holds the lock");
        while !*flag {
            flag = woken.changed.wait(flag).expect("no model panics while it holds the lock");
        }
        *flag = false;
    }
}

/// In models every table counts as large: a key that is added by value can wait for a batch, a borrowed one cannot.
fn adding(queue: &WorkQueue<u8>, key: u8) -> thread::JoinHandle<()> {
    let queue = queue.clone();
    thread::spawn(move || assert!(queue.add_ref(&key)))
}

fn taking(queue: &WorkQueue<u8>) -> thread::JoinHandle<u8> {
    let queue = queue.clone();
    thread::spawn(move || *block_on(queue.get()).expect("the queue is not shut down"))
}

/// The add finds the queue locked by the worker that falls asleep. Fails (the worker sleeps forever) if `Intake::attend`
/// does not look for keys in the inbox.
#[test]
fn an_add_meets_a_worker_that_falls_asleep() {
    explore(|| {
        let queue = WorkQueue::new();
        let worker = taking(&queue);
        queue.add_ref(&1);
        assert_eq!(worker.join().expect("the worker ends"), 1);
    });
}

/// Fails (the worker sleeps forever) if `Shared::is_quiet` does not look for sleeping workers, and if `Shared::locked_by`
/// does not receive keys that wait for a batch.
#[test]
fn an_add_that_could_wait_for_a_batch_meets_a_worker_that_falls_asleep() {
    explore(|| {
        let queue = WorkQueue::new();
        let worker = taking(&queue);
        queue.add(1);
        assert_eq!(worker.join().expect("the worker ends"), 1);
    });
}

/// Fails (one worker sleeps forever) without the `ready > self.awake` branch of `Waiters::next_to_wake`, without
/// `guarded.wake_ups()` in `Shared::locked_by`, if `Intake::push` does not return `Urgent` while a worker sleeps or does not
/// set its length, and if `Shared::locked_by` does not receive the intake.
#[test]
fn two_workers_are_both_woken() {
    explore_less(|| {
        let queue = WorkQueue::new();
        let workers = [taking(&queue), taking(&queue)];
        let producer = adding(&queue, 1);
        queue.add(2);
        producer.join().expect("the producer ends");
        let mut keys = workers.map(|worker| worker.join().expect("the worker ends"));
        keys.sort_unstable();
        assert_eq!(keys, [1, 2]);
    });
}

/// Fails (the second worker sleeps although a key is ready) without `self.awake -= 1` in `Waiters::leave`:
/// the waiter that left is counted as awake forever.
#[test]
fn a_cancelled_get_passes_its_wake_up_on() {
    explore(|| {
        let queue = WorkQueue::new();
        let worker = taking(&queue);
        let producer = adding(&queue, 1);
        {
            let mut cancelled = pin!(queue.get());
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(item) = cancelled.as_mut().poll(&mut context) {
                queue.add(2); // this `get` completed before it could be cancelled: the other worker needs another key
                drop(item);
            }
        }
        producer.join().expect("the producer ends");
        worker.join().expect("the worker ends");
    });
}

/// Fails (two workers hold the key at once) if `make_ready` treats `Processing` as `Idle`. Fails (no worker
/// sees the last add) if `done` does not push a key in phase `ProcessingAgain`, or if `Shared::done_and_take`
/// does not call `done`.
#[test]
fn a_key_is_with_one_worker_at_a_time_and_no_add_is_lost() {
    explore_less(|| {
        let queue = WorkQueue::new();
        let [wanted, seen] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
        let busy = Arc::new(AtomicBool::new(false));
        let [work, other_work] = [(); 2].map(|()| {
            let (wanted, seen, busy) = (Arc::clone(&wanted), Arc::clone(&seen), Arc::clone(&busy));
            move || {
                assert!(!busy.swap(true, SeqCst), "another worker has the key");
                seen.fetch_max(wanted.load(SeqCst), SeqCst);
                busy.store(false, SeqCst);
            }
        });
        let (getter, mut consumer) = (queue.clone(), queue.consumer());
        let calling_get = move || {
            while let Some(item) = block_on(getter.get()) {
                work();
                drop(item);
            }
        };
        let calling_next = move || {
            while block_on(consumer.next()).is_some() {
                other_work();
            }
        };
        let workers = [thread::spawn(calling_get), thread::spawn(calling_next)];
        for version in 1..=2 {
            wanted.store(version, SeqCst);
            queue.add(1);
        }
        queue.shut_down();
        workers.into_iter().for_each(|worker| worker.join().expect("the worker ends"));
        assert_eq!(seen.load(SeqCst), 2, "a key was processed after the last add");
    });
}

/// Fails (a worker sleeps forever) without the loop over `workers.wake_oldest` in `Shared::shut_down`. Fails (an accepted
/// key is not processed) if `Shared::shut_down` does not close the intake.
#[test]
fn a_shutdown_ends_every_worker_after_the_last_key() {
    explore_less(|| shut_down_beside_an_add(2));
}

/// Fails (an accepted key is not processed) if `Shared::shut_down` closes the intake without receiving the keys.
#[test]
fn a_shutdown_ends_a_worker_after_a_key_that_was_left_in_the_intake() {
    explore(|| shut_down_beside_an_add(1));
}

fn shut_down_beside_an_add(workers: usize) {
    let queue = WorkQueue::<u8>::new();
    let working = || {
        let queue = queue.clone();
        thread::spawn(move || {
            let mut taken = 0;
            while let Some(item) = block_on(queue.get()) {
                taken += 1;
                drop(item);
            }
            taken
        })
    };
    let workers: Vec<_> = std::iter::repeat_with(working).take(workers).collect();
    let producer = {
        let queue = queue.clone();
        thread::spawn(move || i32::from(queue.add(1)))
    };
    queue.shut_down();
    let accepted = producer.join().expect("the producer ends");
    let taken: i32 = workers.into_iter().map(|worker| worker.join().expect("the worker ends")).sum();
    assert_eq!(taken, accepted, "exactly the accepted keys are processed");
}

/// Two producers meet, so that one of them leaves its keys in the intake. `tests/workqueue/model.rs` fails if `Shared::locked_by` does
/// not receive them before its step; this model has the orders of the steps.
#[test]
fn the_keys_of_a_producer_come_out_once_and_in_the_order_of_its_adds() {
    explore(|| {
        let queue = WorkQueue::new();
        let producer = {
            let queue = queue.clone();
            thread::spawn(move || assert!(queue.add(1) && queue.add(2) && queue.add(1)))
        };
        assert!(queue.add(11) && queue.add(12) && queue.add(11));
        let first = queue.try_get().map(|item| *item).expect("11 was added at least");
        producer.join().expect("the producer ends");
        assert!(queue.add(3), "after everything that was added before");
        let taken: Vec<_> =
            std::iter::once(first).chain(std::iter::from_fn(|| queue.try_get().map(|item| *item))).collect();
        let of = |keys: [u8; 2]| taken.iter().copied().filter(|key| keys.contains(key)).collect::<Vec<_>>();
        assert_eq!(of([11, 12]), [11, 12], "{taken:?}");
        let again = first == 1 && taken[1..].contains(&1); // it was taken before its second add
        assert_eq!(of([1, 2]), if again { vec![1, 2, 1] } else { vec![1, 2] }, "{taken:?}");
        assert_eq!(taken.last(), Some(&3), "{taken:?}");
    });
}

/// Fails (the drains sleep forever) without the loop over `drainers.wake_oldest` in
/// `Guarded::collect_wake_ups`.
#[test]
fn two_drains_end_once_the_last_worker_is_done() {
    explore(|| {
        let queue = WorkQueue::new();
        queue.add(1);
        let item = queue.try_get().expect("1 is ready");
        queue.add(1);
        let worker = {
            let queue = queue.clone();
            thread::spawn(move || {
                drop(item);
                while let Some(item) = block_on(queue.get()) {
                    drop(item);
                }
            })
        };
        let other = {
            let queue = queue.clone();
            thread::spawn(move || block_on(queue.shut_down_with_drain()))
        };
        for drained in [block_on(queue.shut_down_with_drain()), other.join().expect("the drain ends")] {
            assert!(drained.waiting.is_empty() && drained.processing.is_empty());
        }
        assert_eq!((queue.len(), queue.processing()), (0, 0));
        worker.join().expect("the worker ends");
    });
}
