//! Random operations against a naive model: a list that is scanned for every operation.
//!
//! After some of the steps, everything visible of the queue is compared with the model. These are the checks of the
//! invariants I1 to I5, L1, L2 and G1 in the sources.

use std::{
    collections::{BTreeMap, VecDeque},
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

use key::Key;
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::time::Instant;
use trimtab_workqueue::{AddOptions, Item, Stage, WorkQueue, limiter::RateLimiter};

#[path = "model/key.rs"]
mod key;

const STEP: i64 = 3;
const MS: Duration = Duration::from_millis(1);

#[derive(Debug, Clone)]
enum Step {
    Add {
        key: Key,
        priority: i16,
        delay_ms: u32,
    },
    AddMany(Vec<Key>),
    AddRateLimited(Key),
    Get,
    GetMany(usize),
    Done(usize),
    /// `next` of the one consumer.
    Next,
    Forget(Key),
    Remove(Key),
    /// Adds a key while the queue is locked, as another thread would. The adds after it are handed over, too.
    Meet(Key),
    Advance(u32),
    ShutDown,
}

fn key() -> impl Strategy<Value = Key> {
    (prop::sample::select(vec!["a", "b", "c"]), 0..3u8).prop_map(|(group, number)| Key(group, number))
}

fn step() -> impl Strategy<Value = Step> {
    let priority = prop_oneof![3 => Just(0), 2 => -3..=3i16];
    let delay_ms = prop_oneof![2 => Just(0), 1 => 1..9u32];
    prop_oneof![
        12 => (key(), priority, delay_ms)
            .prop_map(|(key, priority, delay_ms)| Step::Add { key, priority, delay_ms }),
        2 => prop::collection::vec(key(), 0..4).prop_map(Step::AddMany),
        2 => key().prop_map(Step::AddRateLimited),
        8 => Just(Step::Get),
        1 => (0..4usize).prop_map(Step::GetMany),
        7 => (0..4usize).prop_map(Step::Done),
        3 => Just(Step::Next),
        1 => key().prop_map(Step::Forget),
        2 => key().prop_map(Step::Remove),
        2 => key().prop_map(Step::Meet),
        3 => (1..7u32).prop_map(Step::Advance),
        1 => prop::sample::select(vec![Step::Advance(1), Step::Advance(2), Step::ShutDown]),
    ]
}

/// Returns 2 ms per failure. The steps add nanoseconds that make all delays different, because the order of
/// equal delays is not guaranteed.
#[derive(Debug, Default)]
struct TwoMs(BTreeMap<Key, u32>);

impl RateLimiter<Key> for TwoMs {
    fn when(&mut self, key: &Key, _now: Instant) -> Duration {
        let tries = self.0.entry(*key).or_default();
        *tries += 1;
        2 * MS * *tries
    }

    fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }

    fn num_requeues(&self, key: &Key) -> u32 {
        self.0.get(key).copied().unwrap_or(0)
    }
}

#[derive(Debug, Clone, Default)]
struct Entry {
    ready: Option<i64>, // its arrival
    processing: bool,
    again: bool,
    priority: i16,
    delayed: Option<(Duration, i16)>,
}

#[derive(Debug, Default)]
struct Model {
    fair: bool,
    /// The most keys of a group in work.
    limit: Option<usize>,
    keys: BTreeMap<Key, Entry>,
    turns: VecDeque<&'static str>,
    arrivals: i64,
    tries: BTreeMap<Key, u32>,
    now: Duration,
    shut_down: bool,
}

impl Model {
    fn add(&mut self, key: Key, priority: i16, delay: Duration) -> bool {
        if self.shut_down {
            return false;
        }
        let due = self.now + delay;
        let entry = self.keys.entry(key).or_default();
        if delay.is_zero() {
            self.make_ready(key, priority);
        } else {
            entry.delayed = Some(match entry.delayed {
                None => (due, priority),
                Some((earlier, other)) => (earlier.min(due), other.max(priority)),
            });
        }
        true
    }

    fn make_ready(&mut self, key: Key, priority: i16) {
        let entry = self.keys.get_mut(&key).expect("the caller made it");
        if entry.ready.is_some() || entry.again {
            entry.priority = entry.priority.max(priority);
        } else {
            entry.priority = priority;
            if entry.processing {
                entry.again = true;
            } else {
                self.arrive(key);
            }
        }
    }

    fn arrive(&mut self, key: Key) {
        self.keys.get_mut(&key).expect("the caller made it").ready = Some(self.arrivals);
        self.arrivals += 1;
        self.take_turn(self.group(key));
    }

    /// Puts a group into the rotation, unless it is there or at its limit.
    fn take_turn(&mut self, group: &'static str) {
        if !self.is_full(group) && !self.turns.contains(&group) {
            self.turns.push_back(group);
        }
    }

    fn is_full(&self, group: &'static str) -> bool {
        let processing =
            self.keys.iter().filter(|(key, entry)| self.group(**key) == group && entry.processing);
        self.limit.is_some_and(|limit| processing.count() >= limit)
    }

    fn can_take(&self) -> bool {
        self.keys.iter().any(|(key, entry)| entry.ready.is_some() && !self.is_full(self.group(*key)))
    }

    fn group(&self, key: Key) -> &'static str {
        if self.fair { key.0 } else { "" }
    }

    fn take(&mut self) -> Option<Key> {
        loop {
            let group = *self.turns.front()?;
            let order = |entry: &Entry| {
                entry.ready.map(|arrival| (arrival - i64::from(entry.priority) * STEP, -entry.priority))
            };
            let ready = |model: &Self| {
                let of_group = model
                    .keys
                    .iter()
                    .filter(|(key, entry)| model.group(**key) == group && entry.ready.is_some());
                of_group.map(|(key, entry)| (order(entry), *key)).min()
            };
            let next = ready(self).map(|(_, key)| key);
            if let Some(entry) = next.and_then(|key| self.keys.get_mut(&key)) {
                entry.ready = None;
                entry.processing = true;
            }
            self.turns.pop_front();
            if ready(self).is_some() {
                self.take_turn(group);
            }
            if next.is_some() {
                return next;
            }
        }
    }

    fn done(&mut self, key: Key) {
        let group = self.group(key);
        let was_full = self.is_full(group);
        let entry = self.keys.get_mut(&key).expect("a taken key is known");
        entry.processing = false;
        let again = std::mem::take(&mut entry.again);
        if was_full && self.keys.iter().any(|(key, entry)| self.group(*key) == group && entry.ready.is_some())
        {
            self.take_turn(group);
        }
        if again {
            self.arrive(key);
        }
    }

    fn remove(&mut self, key: Key) -> bool {
        self.tries.remove(&key);
        let Some(entry) = self.keys.get_mut(&key) else {
            return false;
        };
        let had = entry.ready.is_some() || entry.again || entry.delayed.is_some();
        (entry.ready, entry.again, entry.delayed) = (None, false, None);
        had
    }

    fn advance(&mut self, by: Duration) {
        self.now += by;
        let mut due: Vec<_> = self
            .keys
            .iter()
            .filter_map(|(key, entry)| entry.delayed.map(|(due, priority)| (due, *key, priority)))
            .filter(|(due, ..)| *due <= self.now)
            .collect();
        due.sort_unstable();
        for (_, key, priority) in due {
            self.keys.get_mut(&key).expect("it is delayed").delayed = None;
            self.make_ready(key, priority);
        }
    }

    fn shut_down(&mut self) {
        self.shut_down = true;
        self.keys.values_mut().for_each(|entry| entry.delayed = None);
    }

    fn forget_idle(&mut self) {
        self.keys.retain(|_, entry| entry.ready.is_some() || entry.processing || entry.delayed.is_some());
    }

    fn check(&self, queue: &WorkQueue<Key>, start: Instant) {
        let count = |of: fn(&Entry) -> bool| self.keys.values().filter(|entry| of(entry)).count();
        assert_eq!(queue.len(), count(|entry| entry.ready.is_some()), "ready");
        assert_eq!(queue.processing(), count(|entry| entry.processing), "processing");
        assert_eq!(queue.delayed(), count(|entry| entry.delayed.is_some()), "delayed");
        assert_eq!(queue.is_shutting_down(), self.shut_down);

        let mut seen: Vec<_> = queue
            .snapshot()
            .into_iter()
            .map(|entry| (entry.key, entry.stage, entry.due, entry.num_requeues))
            .collect();
        seen.sort_unstable_by_key(|(key, ..)| *key);
        let expected: Vec<_> = self
            .keys
            .iter()
            .map(|(key, entry)| {
                let stage = match (entry.ready, entry.processing, entry.again) {
                    (Some(_), false, false) => Stage::Ready,
                    (None, true, false) => Stage::Processing,
                    (None, true, true) => Stage::ProcessingAgain,
                    (None, false, false) => Stage::Delayed,
                    other => panic!("the model is wrong: {other:?}"),
                };
                let due = entry.delayed.map(|(due, _)| start + due);
                (*key, stage, due, self.tries.get(key).copied().unwrap_or(0))
            })
            .collect();
        assert_eq!(seen, expected);
    }
}

/// Runs the steps. The queue is compared with the model after the steps that are marked and after the last: a comparison
/// is itself a step, which receives the adds before it.
async fn run(steps: Vec<(Step, bool)>, fair: bool, limit: Option<usize>) {
    let mut builder =
        WorkQueue::builder().limiter(TwoMs::default()).ageing(NonZeroU32::new(3).expect("not zero"));
    if let Some(limit) = limit.and_then(NonZeroUsize::new) {
        builder = builder.group_limit(limit);
    }
    let queue = if fair { builder.group_by(|key: &Key| key.0).build() } else { builder.build() };
    let mut model = Model { fair, limit, ..Model::default() };
    let mut items: Vec<Item<Key>> = Vec::new();
    let mut consumer = queue.consumer();
    let start = Instant::now();
    for (n, (step, compared)) in steps.into_iter().enumerate() {
        // The model makes delayed keys ready when their time comes, the queue when it is asked the next time.
        let compared = compared || matches!(step, Step::Advance(_));
        let unique = Duration::from_nanos(n as u64 + 1);
        match step {
            Step::Add { key, priority, delay_ms } => {
                let delay = if delay_ms == 0 { Duration::ZERO } else { delay_ms * MS + unique };
                let accepted = queue.add_with(key, AddOptions::new().priority(priority).after(delay));
                assert_eq!(accepted, model.add(key, priority, delay));
            }
            Step::AddMany(keys) => {
                let accepted = queue.add_many(keys.clone());
                let expected = keys.into_iter().filter(|key| model.add(*key, 0, Duration::ZERO)).count();
                assert_eq!(accepted, expected);
            }
            Step::AddRateLimited(key) => {
                let tries = model.tries.entry(key).or_default();
                *tries += 1;
                // Longer than the limiter's delay, to differ from every other delay.
                let delay = 2 * MS * *tries + unique;
                let accepted = queue.add_with(key, AddOptions::new().rate_limited().after(delay));
                assert_eq!(accepted, model.add(key, 0, delay));
            }
            Step::Get => {
                let item = queue.try_get();
                assert_eq!(item.as_deref().copied(), model.take());
                items.extend(item);
            }
            Step::GetMany(max) => {
                if model.can_take() {
                    let got = queue.get_many(max).await;
                    let expected: Vec<_> = std::iter::from_fn(|| model.take()).take(max).collect();
                    assert_eq!(got.iter().map(|item| **item).collect::<Vec<_>>(), expected);
                    items.extend(got);
                }
            }
            Step::Done(at) => {
                if at < items.len() {
                    let item = items.remove(at);
                    model.done(*item);
                }
            }
            Step::Next => {
                consumer.key().into_iter().for_each(|key| model.done(*key));
                let next = tokio::select! {
                    biased; // polls `next` once and does not wait
                    key = consumer.next() => key.copied(),
                    () = std::future::ready(()) => None,
                };
                assert_eq!(next, model.take());
            }
            Step::Forget(key) => {
                queue.forget(&key);
                model.tries.remove(&key);
            }
            Step::Remove(key) => assert_eq!(queue.remove(&key), model.remove(key)),
            Step::Meet(key) => {
                let other = queue.clone();
                key::on_clone(move || _ = other.add(key));
                queue.snapshot(); // clones no key if there is none
                if key::has_run() {
                    model.add(key, 0, Duration::ZERO);
                }
            }
            Step::Advance(ms) => {
                let by = ms * MS;
                tokio::time::advance(by).await;
                model.advance(by);
            }
            Step::ShutDown => {
                queue.shut_down();
                model.shut_down();
            }
        }
        model.forget_idle();
        if compared {
            model.check(&queue, start);
        }
    }
    model.check(&queue, start);
}

/// Runs three thousand sequences, or six hundred among the unit tests.
fn check(fair: bool, limit: Option<usize>) {
    // The unit tests run them once more, with other tables.
    let cases = if env!("CARGO_CRATE_NAME") == "workqueue" { 3_000 } else { 600 };
    let config = ProptestConfig { source_file: Some(file!()), ..ProptestConfig::with_cases(cases) };
    let steps = prop::collection::vec((step(), any::<bool>()), 1..60);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(run(steps, fair, limit));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_queue_behaves_as_the_naive_model() {
    check(false, None);
}

#[test]
fn the_queue_with_groups_behaves_as_the_naive_model() {
    check(true, None);
}

#[test]
fn the_queue_with_a_limit_for_each_group_behaves_as_the_naive_model() {
    check(true, Some(1));
    check(true, Some(2));
}

#[test]
fn the_queue_with_a_limit_and_without_groups_behaves_as_the_naive_model() {
    check(false, Some(2));
}
