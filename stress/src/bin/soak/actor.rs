//! [`Actor`]: one of the tasks that do anything to the queue at any time.

use std::{
    sync::{Arc, atomic::Ordering::SeqCst},
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout};
use trimtab_workqueue::{AddOptions, WorkQueue};

use crate::ledger::{Handling, Key, Ledger};

/// How long a wait for a key lasts, and a delay at most.
const MOMENT: Duration = Duration::from_millis(1);

pub(crate) struct Actor {
    pub(crate) queue: WorkQueue<Key>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) random: Random,
}

impl Actor {
    /// Does anything until `end`, holding some keys meanwhile.
    pub(crate) async fn stir(mut self, end: Instant) {
        let mut held = Vec::new();
        while Instant::now() < end {
            match self.random.below(100) {
                0..50 => drop(self.add()),
                50..52 => self.remove(),
                52..54 => self.look(),
                54..96 => self.take(&mut held).await,
                _ => self.abort_a_worker().await,
            }
            let keep = self.random.below(4) as usize;
            held.truncate(keep);
        }
    }

    /// Adds and takes until the queue is shut down and empty. Nothing is delayed, for a shutdown drops that.
    pub(crate) async fn outlast(mut self) {
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
        let (key, delay) = (keys[0], MOMENT.mul_f64(f64::from(random.below(100)) / 100.0));
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

    fn look(&mut self) {
        match self.random.below(20) {
            0 => drop(self.queue.snapshot()),
            1..10 => drop(self.queue.len()),
            _ => drop(self.queue.delayed() + self.queue.processing()),
        }
    }

    /// Takes what there is, or waits a moment for it. Gets that wait longer are cancelled.
    async fn take(&mut self, held: &mut Vec<Handling>) {
        let many = 1 + self.random.below(4) as usize;
        let items = match self.random.below(4) {
            0 => self.queue.try_get().into_iter().collect(),
            1 => timeout(MOMENT, self.queue.get_many(many)).await.unwrap_or_default(),
            _ => timeout(MOMENT, self.queue.get()).await.into_iter().flatten().collect(),
        };
        if items.is_empty() {
            self.ledger.cancelled_gets.fetch_add(1, SeqCst);
        }
        for item in items {
            self.queue.forget(&item);
            held.push(self.ledger.begin(item));
        }
    }

    /// Gives a key to a worker that never comes to an end of its own.
    async fn abort_a_worker(&mut self) {
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

/// A plain worker: takes until the queue is shut down and empty.
pub(crate) async fn work(queue: WorkQueue<Key>, ledger: Arc<Ledger>) {
    while let Some(item) = queue.get().await {
        drop(ledger.begin(item));
    }
}

/// The same as a `Consumer`, which is done with each key when it asks for the next.
pub(crate) async fn work_on(queue: WorkQueue<Key>, ledger: Arc<Ledger>) {
    let mut worker = queue.consumer();
    while let Some(&key) = worker.next().await {
        ledger.enter(key);
        tokio::task::yield_now().await;
        ledger.leave(key);
    }
}

/// Numbers that repeat with their seed: splitmix64.
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
