//! [`Actor`]: a task that runs random operations on the queue.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};
use trimtab_workqueue::{AddOptions, WorkQueue};

use crate::ledger::{Handling, Key, Ledger};

/// The timeout of a `get`, and the longest delay of an add.
const SHORT: Duration = Duration::from_millis(1);

pub(crate) struct Actor {
    pub(crate) queue: WorkQueue<Key>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) random: Random,
}

impl Actor {
    /// Runs random operations until `end`, and holds up to three keys between them.
    pub(crate) async fn run(mut self, end: Instant) {
        let mut held = Vec::new();
        while Instant::now() < end {
            match self.random.below(100) {
                0..50 => drop(self.add()),
                50..52 => self.remove(),
                52..54 => self.inspect(),
                54..96 => self.take(&mut held).await,
                _ => self.abort_worker().await,
            }
            let keep = self.random.below(4) as usize;
            held.truncate(keep);
        }
    }

    /// Adds and takes keys until the queue has shut down and is empty. It adds no delayed key: a shutdown drops them.
    pub(crate) async fn run_to_shutdown(mut self) {
        let mut open = true;
        while open {
            let key = self.key();
            open = self.ledger.add(&[key], || self.queue.add(key));
            if self.random.below(2) == 0
                && let Some(item) = self.queue.get().await
            {
                drop(self.ledger.begin(item));
            }
        }
        work(self.queue, self.ledger).await;
    }

    fn add(&mut self) -> bool {
        let Self { queue, ledger, random } = self;
        let keys: Vec<Key> = (0..=random.below(4)).map(|_| random.below(ledger.keys())).collect();
        let (key, delay) = (keys[0], SHORT.mul_f64(f64::from(random.below(100)) / 100.0));
        let priority = random.below(7) as i16 - 3;
        match random.below(8) {
            0..4 => ledger.add(&keys[..1], || queue.add(key)),
            4 => ledger.add(&keys, || queue.add_many(keys.iter().copied()) == keys.len()),
            5 => ledger.add(&keys[..1], || queue.add_after(key, delay)),
            6 => ledger.add(&keys[..1], || queue.add_rate_limited(key)),
            _ => ledger
                .add(&keys[..1], || queue.add_with(key, AddOptions::new().priority(priority).after(delay))),
        }
    }

    fn remove(&mut self) {
        let key = self.key();
        self.queue.remove(&key);
        self.ledger.removed(key);
    }

    fn inspect(&mut self) {
        match self.random.below(20) {
            0 => drop(self.queue.snapshot()),
            1..10 => drop(self.queue.len()),
            _ => drop(self.queue.delayed() + self.queue.processing()),
        }
    }

    /// Takes one or more keys in one of four ways; a `get` that waits longer than [`SHORT`] is cancelled.
    async fn take(&mut self, held: &mut Vec<Handling>) {
        let many = 1 + self.random.below(4) as usize;
        let items = match self.random.below(4) {
            0 => self.queue.try_get().into_iter().collect(),
            1 => timeout(SHORT, self.queue.get_many(many)).await.unwrap_or_default(),
            _ => timeout(SHORT, self.queue.get()).await.into_iter().flatten().collect(),
        };
        if items.is_empty() {
            self.ledger.cancelled_gets.fetch_add(1, SeqCst);
        }
        for item in items {
            self.queue.forget(&item);
            held.push(self.ledger.begin(item));
        }
    }

    /// Spawns a worker that holds a key forever, and aborts it.
    async fn abort_worker(&mut self) {
        if let Some(item) = self.queue.try_get() {
            let handling = self.ledger.begin(item);
            let worker = tokio::spawn(async move {
                sleep(Duration::MAX).await;
                drop(handling);
            });
            tokio::task::yield_now().await;
            worker.abort();
            self.ledger.aborted_workers.fetch_add(1, SeqCst);
        }
    }

    fn key(&mut self) -> Key {
        self.random.below(self.ledger.keys())
    }
}

/// A worker that takes keys with `get` until the queue has shut down and is empty.
pub(crate) async fn work(queue: WorkQueue<Key>, ledger: Arc<Ledger>) {
    while let Some(item) = queue.get().await {
        drop(ledger.begin(item));
    }
}

/// The same with a `Consumer`, whose `next` completes the previous key.
pub(crate) async fn consume(queue: WorkQueue<Key>, ledger: Arc<Ledger>) {
    let mut consumer = queue.consumer();
    while let Some(&key) = consumer.next().await {
        ledger.enter(key);
        tokio::task::yield_now().await;
        ledger.leave(key);
    }
}

/// The splitmix64 generator: the same seed draws the same numbers.
#[derive(Clone, Copy)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (((mixed >> 32) * u64::from(limit)) >> 32) as u32
    }
}
