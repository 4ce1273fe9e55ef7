//! Soak of the work queue: 64 tasks run random operations on a queue, on several threads and in real time.
//!
//! ```text
//! cargo xtask soak workqueue --seconds 30
//! ```
//!
//! It prints one line with the counts. It fails if a key was with two workers at once, or if an add was not followed
//! by a handling. It checks that after every round, when the queue is idle, and once more after a shutdown under load.

mod actor;
mod ledger;

use std::{
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use trimtab_workqueue::{WorkQueue, limiter::ExponentialLimiter};

use crate::{
    actor::{Actor, Random, consume, work},
    ledger::{Key, Ledger},
};

const TASKS: u64 = 64;
const THREADS: usize = 4; // more than most build machines have cores: tasks are then interrupted anywhere
/// The time of random operations in a round, before the queue must become idle.
const LOAD: Duration = Duration::from_millis(250);
/// The time of random operations before the shutdown.
const LOAD_BEFORE_SHUTDOWN: Duration = Duration::from_millis(10);
/// The time for the queue to become idle after the last add: far longer than a busy machine needs.
const TIMEOUT: Duration = Duration::from_secs(10);
const MS: Duration = Duration::from_millis(1);

fn main() -> ExitCode {
    let Some(seconds) = seconds() else {
        eprintln!("usage: soak [--seconds N]");
        return ExitCode::FAILURE;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_time().build();
    let outcome = match &runtime {
        Ok(runtime) => runtime.block_on(soak(Duration::from_secs(seconds))),
        Err(error) => Err(error.to_string()),
    };
    match outcome {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            eprintln!("soak: {violation}");
            ExitCode::FAILURE
        }
    }
}

/// Parses `--seconds`, 30 by default.
fn seconds() -> Option<u64> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => Some(30),
        [option, seconds] if option == "--seconds" => seconds.parse().ok(),
        _ => None,
    }
}

/// Runs rounds until the time is over.
///
/// # Errors
///
/// The first violation, as a sentence.
async fn soak(time: Duration) -> Result<String, String> {
    let start = Instant::now();
    let mut rounds: Vec<Arc<Ledger>> = Vec::new();
    while start.elapsed() < time {
        let number = rounds.len() as u64;
        // With few keys the queue is mostly empty and the workers wait; with many it is mostly full.
        let ledger = Arc::new(Ledger::new(if number.is_multiple_of(2) { 16 } else { 4096 }));
        let outcome = round(number, &ledger).await;
        outcome.map_err(|violation| format!("round {number}: {violation}"))?;
        rounds.push(ledger);
    }
    let sum = |count: fn(&Ledger) -> &AtomicU64| -> u64 {
        rounds.iter().map(|ledger| count(ledger).load(SeqCst)).sum()
    };
    Ok(format!(
        "soak: {:.1?}, {} rounds of {TASKS} tasks: {} adds, {} handlings, {} removals, {} cancelled gets, {} aborted \
         workers; each add was followed by a handling, and no key was with two workers at once",
        start.elapsed(),
        rounds.len(),
        sum(|ledger| &ledger.adds),
        sum(|ledger| &ledger.handlings),
        sum(|ledger| &ledger.removals),
        sum(|ledger| &ledger.cancelled_gets),
        sum(|ledger| &ledger.aborted_workers),
    ))
}

/// Tests one queue: under load, idle, and shut down under load.
async fn round(number: u64, ledger: &Arc<Ledger>) -> Result<(), String> {
    let queue = queue(number);
    let actors = || {
        let actor = |task| Actor {
            queue: queue.clone(),
            ledger: Arc::clone(ledger),
            random: Random(number * TASKS + task),
        };
        (0..TASKS).map(actor)
    };

    let end = Instant::now() + LOAD;
    JoinSet::from_iter(actors().map(|actor| actor.run(end))).join_all().await;
    let mut workers = JoinSet::from_iter((0..4).map(|_| work(queue.clone(), Arc::clone(ledger))));
    for _ in 0..4 {
        workers.spawn(consume(queue.clone(), Arc::clone(ledger)));
    }
    // The ledger is asked and not the queue: a call to the queue could wake a worker that missed its wake-up.
    eventually(|| ledger.owed().is_empty()).await.map_err(|()| owed(ledger, &queue))?;
    eventually(|| queue.snapshot().is_empty())
        .await
        .map_err(|()| format!("the queue does not become idle: {queue:?}"))?;

    let actors = JoinSet::from_iter(actors().map(Actor::run_to_shutdown));
    sleep(LOAD_BEFORE_SHUTDOWN).await;
    let closed = async {
        queue.shut_down_with_drain().await;
        actors.join_all().await;
        workers.join_all().await;
    };
    timeout(TIMEOUT, closed).await.map_err(|_| format!("the drain does not end: {queue:?}"))?;
    if !ledger.owed().is_empty() {
        return Err(owed(ledger, &queue));
    }
    match ledger.clashes.load(SeqCst) {
        0 => Ok(()),
        clashes => Err(format!("a key was with two workers at once, {clashes} times")),
    }
}

/// Builds a queue: in turn a plain one, one with groups, and one with metrics.
fn queue(number: u64) -> WorkQueue<Key> {
    let builder = WorkQueue::builder().limiter(ExponentialLimiter::new(MS / 8, 4 * MS));
    match number % 3 {
        0 => builder.build(),
        1 => builder.group_by(|key: &Key| if key.is_multiple_of(2) { "even" } else { "odd" }).build(),
        _ => builder.name("soak").build(),
    }
}

async fn eventually(condition: impl Fn() -> bool) -> Result<(), ()> {
    let end = Instant::now() + TIMEOUT;
    while !condition() {
        if Instant::now() > end {
            return Err(());
        }
        sleep(MS).await;
    }
    Ok(())
}

fn owed(ledger: &Ledger, queue: &WorkQueue<Key>) -> String {
    let keys = ledger.owed();
    let some = &keys[..keys.len().min(5)];
    format!("the last add of {} keys was not followed by a handling, such as {some:?}: {queue:?}", keys.len())
}
