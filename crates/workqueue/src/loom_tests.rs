//! Models of the wake-ups: every interleaving of producers, workers and a shutdown.
//!
//! Run with `cargo rustc -p trimtab-workqueue --lib --profile test -- --cfg trimtab_loom`, then the program
//! that it makes. Each model has been seen failing with the line removed that its comment names. Models
//! have no delays: keeping the time is tokio's, which loom does not see, and is tested with a paused clock.

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

/// Explores all schedules with at most three preemptions: enough for every two-party race, and
/// over within seconds.
fn explore(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Whether a blocked thread was woken, behind primitives that loom sees.
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

/// Polls the future on this thread, and blocks until it is woken in between.
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

fn adding(queue: &WorkQueue<u8>, key: u8) -> thread::JoinHandle<()> {
    let queue = queue.clone();
    thread::spawn(move || assert!(queue.add(key)))
}

fn taking(queue: &WorkQueue<u8>) -> thread::JoinHandle<u8> {
    let queue = queue.clone();
    thread::spawn(move || *block_on(queue.get()).expect("nobody shuts the queue down"))
}

/// Fails (one worker sleeps for ever) without the `ready > self.on_their_way` branch of
/// `Waiters::next_to_wake`, and without `guarded.wake_ups()` in `Shared::turn`.
#[test]
fn two_workers_are_both_woken() {
    explore(|| {
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

/// Fails (the second worker sleeps beside a ready key) without `self.on_their_way -= 1` in
/// `Waiters::leave`: the one that left counts as awake for ever.
#[test]
fn a_cancelled_get_hands_its_wake_up_on() {
    explore(|| {
        let queue = WorkQueue::new();
        let worker = taking(&queue);
        let producer = adding(&queue, 1);
        {
            let mut cancelled = pin!(queue.get());
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(item) = cancelled.as_mut().poll(&mut context) {
                queue.add(2); // this one was not cancelled after all: the other gets a key of its own
                drop(item);
            }
        }
        producer.join().expect("the producer ends");
        worker.join().expect("the worker ends");
    });
}

/// Fails (two workers have the key at once) if `make_ready` treats `Processing` as `Idle`, and (the last
/// add is not seen) if `done` does not push a key that is in phase `Again`, or if `Shared::done_and_take`
/// does not call it.
#[test]
fn a_key_is_with_one_worker_at_a_time_and_every_add_is_seen() {
    explore(|| {
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
        let (getter, mut worker) = (queue.clone(), queue.consumer());
        let getting = move || {
            while let Some(item) = block_on(getter.get()) {
                work();
                drop(item);
            }
        };
        let asking_for_the_next = move || {
            while block_on(worker.next()).is_some() {
                other_work();
            }
        };
        let workers = [thread::spawn(getting), thread::spawn(asking_for_the_next)];
        for version in 1..=2 {
            wanted.store(version, SeqCst);
            queue.add(1);
        }
        queue.shut_down();
        workers.into_iter().for_each(|worker| worker.join().expect("the worker ends"));
        assert_eq!(seen.load(SeqCst), 2, "a handling began after the last add");
    });
}

/// Fails (a worker sleeps for ever) without the loop over `workers.next_of_all` in `Shared::shut_down`.
#[test]
fn a_shutdown_ends_every_worker_after_the_last_key() {
    explore(|| {
        let queue = WorkQueue::<u8>::new();
        let workers = [(); 2].map(|()| {
            let queue = queue.clone();
            thread::spawn(move || {
                let mut taken = 0;
                while let Some(item) = block_on(queue.get()) {
                    taken += 1;
                    drop(item);
                }
                taken
            })
        });
        let producer = {
            let queue = queue.clone();
            thread::spawn(move || i32::from(queue.add(1)))
        };
        queue.shut_down();
        let accepted = producer.join().expect("the producer ends");
        let taken: i32 = workers.map(|worker| worker.join().expect("the worker ends")).iter().sum();
        assert_eq!(taken, accepted, "what was accepted is handled, and nothing else");
    });
}

/// Fails (the drains sleep for ever) without the `drainers.next_of_all` loop in `Guarded::wake_ups`.
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
