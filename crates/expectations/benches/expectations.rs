//! The cost of observing, of the gate, and of waking: `cargo bench -p trimtab-expectations -- [--quick]`. The
//! peer program `xtask/peers/controller` does the same work where upstream has it.

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use dashmap::DashMap;
use trimtab_expectations::{Expectations, Ledger};
use trimtab_test_support::bench::{quick, report_lower};

type Versions = Ledger<String, &'static str, u64>;

fn main() {
    let rounds = if quick() { 3 } else { 7 };
    report_lower("expectations/observe", "ns", best(rounds, observe));
    report_lower("expectations/observe-dashmap", "ns", best(rounds, observe_dashmap));
    report_lower("expectations/observe-ledger", "ns", best(rounds, observe_ledger));
    report_lower("expectations/ready", "ns", best(rounds, ready));
    report_lower("expectations/wake-p99", "µs", best(rounds, wake) / 1000.0);
    report_lower("expectations/release-100k", "ms", best(rounds, release) / 1e6);
}

fn names(keys: usize) -> Vec<String> {
    (0..keys).map(|key| format!("default/web-{key}")).collect()
}

/// Nanoseconds of an observation, of 100,000 keys from 4 threads.
fn observe() -> f64 {
    let (names, expectations) = (names(100_000), Expectations::new());
    for name in &names {
        expectations.expect_creations(name, 4);
    }
    let took = on_four_threads(&names, |name| expectations.creation_observed(name));
    assert!(names.iter().all(|name| expectations.satisfied(name)));
    took
}

/// The same counters in a `DashMap`: an observation is one decrement, without the rules and the waking.
fn observe_dashmap() -> f64 {
    let (names, pending) = (names(100_000), DashMap::new());
    for name in &names {
        pending.insert(name.clone(), 4_i64);
    }
    let took = on_four_threads(&names, |name| {
        if let Some(mut pending) = pending.get_mut(name) {
            *pending -= 1;
        }
    });
    assert!(names.iter().all(|name| pending.get(name).is_some_and(|pending| *pending == 0)));
    took
}

/// The same through a ledger.
fn observe_ledger() -> f64 {
    let (names, ledger) = (names(100_000), Versions::new());
    for name in &names {
        for _ in 0..4 {
            ledger.expect_creation(name, "u", "pods").succeeded_without_version();
        }
    }
    let took = on_four_threads(&names, |name| ledger.creation_observed(name, &"pods"));
    assert!(names.iter().all(|name| ledger.ready(name, |_| None).is_ok()));
    took
}

fn on_four_threads(names: &[String], work: impl Fn(&String) + Sync) -> f64 {
    let took = time(|| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| names.iter().for_each(&work));
            }
        });
    });
    took.as_secs_f64() * 1e9 / (4 * names.len()) as f64
}

/// Nanoseconds of a check of a key that may act.
fn ready() -> f64 {
    let (names, ledger) = (names(1_000), Versions::new());
    let took = time(|| {
        for _ in 0..1_000 {
            for name in &names {
                assert!(ledger.ready(black_box(name), |_| Some(7)).is_ok());
            }
        }
    });
    took.as_secs_f64() * 1e9 / 1e6
}

/// Nanoseconds from `reached` to the call of the waker, for one key of 100,000 that wait for different versions: the
/// 99th percentile.
fn wake() -> f64 {
    let (names, ledger) = (names(100_000), Versions::new());
    let woken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&woken);
    let _waker = ledger.on_wake(move |_| {
        count.fetch_add(1, Relaxed);
    });
    for (version, name) in names.iter().enumerate() {
        ledger.wrote_at(name, "u", "pods", version as u64 + 1);
        assert!(ledger.ready(name, |_| Some(0)).is_err());
    }
    let mut times: Vec<_> = (1..=10_000_u64)
        .map(|version| {
            let took = time(|| ledger.reached(&"pods", version));
            assert_eq!(woken.load(Relaxed), version);
            took.as_secs_f64() * 1e9
        })
        .collect();
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() * 99 / 100]
}

/// Nanoseconds to release 100,000 keys that wait for one version.
fn release() -> f64 {
    let (names, ledger) = (names(100_000), Versions::new());
    let woken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&woken);
    let _waker = ledger.on_wake(move |_| {
        count.fetch_add(1, Relaxed);
    });
    for name in &names {
        ledger.wrote_at(name, "u", "pods", 7);
        assert!(ledger.ready(name, |_| Some(0)).is_err());
    }
    let took = time(|| ledger.reached(&"pods", 7));
    assert_eq!(woken.load(Relaxed), 100_000);
    took.as_secs_f64() * 1e9
}

#[expect(clippy::disallowed_types, reason = "a benchmark measures real time")]
fn time(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

/// Returns the best of several rounds, so that other load on the machine does not count.
fn best(rounds: usize, measure: impl Fn() -> f64) -> f64 {
    (0..rounds).map(|_| measure()).fold(f64::INFINITY, f64::min)
}
