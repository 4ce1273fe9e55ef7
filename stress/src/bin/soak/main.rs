//! 64 tasks do anything to a queue, on several threads and in real time; then the counts must agree.
//!
//! ```text
//! cargo xtask soak workqueue --seconds 30
//! ```
//!
//! Prints one line on what it did. Fails if a key was with two workers at once, or if no handling that began
//! after an add followed it: at rest, which is looked at a few times a second, and through a shutdown.

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
    actor::{Actor, Random, work, work_on},
    ledger::{Key, Ledger},
};

const TASKS: u64 = 64;
const THREADS: usize = 4; // more than most build machines have: tasks are then interrupted anywhere
const STIRRING: Duration = Duration::from_millis(250);
const CLOSING: Duration = Duration::from_millis(10);
/// How long what is owed may take once nobody adds: far longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(10);
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

/// What `--seconds` says; 30 if nothing does.
fn seconds() -> Option<u64> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => Some(30),
        [option, seconds] if option == "--seconds" => seconds.parse().ok(),
        _ => None,
    }
}

/// Rounds until the time is over, and the line that sums them up; or the first violation.
async fn soak(time: Duration) -> Result<String, String> {
    let start = Instant::now();
    let mut rounds: Vec<Arc<Ledger>> = Vec::new();
    while start.elapsed() < time {
        let number = rounds.len() as u64;
        // Few keys: the queue is mostly empty, and workers wait for each other. Many: it is mostly full.
        let ledger = Arc::new(Ledger::new(if number.is_multiple_of(2) { 16 } else { 4096 }));
        let rest = round(number, &ledger).await;
        rest.map_err(|violation| format!("round {number}: {violation}"))?;
        rounds.push(ledger);
    }
    let sum = |count: fn(&Ledger) -> &AtomicU64| -> u64 {
        rounds.iter().map(|ledger| count(ledger).load(SeqCst)).sum()
    };
    Ok(format!(
        "soak: {:.1?}, {} rounds of {TASKS} tasks: {} adds, {} handlings, {} removals, {} gets in vain, {} workers \
         aborted; each add was followed by a handling, and no key was with two workers",
        start.elapsed(),
        rounds.len(),
        sum(|ledger| &ledger.adds),
        sum(|ledger| &ledger.handlings),
        sum(|ledger| &ledger.removals),
        sum(|ledger| &ledger.cancelled_gets),
        sum(|ledger| &ledger.aborted_workers),
    ))
}

/// One queue's life: stirred, left to rest, and shut down in the midst of work.
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

    let end = Instant::now() + STIRRING;
    JoinSet::from_iter(actors().map(|actor| actor.stir(end))).join_all().await;
    let mut workers = JoinSet::from_iter((0..4).map(|_| work(queue.clone(), Arc::clone(ledger))));
    for _ in 0..4 {
        workers.spawn(work_on(queue.clone(), Arc::clone(ledger)));
    }
    // Without a look at the queue: each one would wake the workers that the queue forgot.
    at_last(|| ledger.owed().is_empty()).await.map_err(|()| owed(ledger, &queue))?;
    at_last(|| queue.snapshot().is_empty()).await.map_err(|()| format!("no rest: {queue:?}"))?;

    let actors = JoinSet::from_iter(actors().map(Actor::outlast));
    sleep(CLOSING).await;
    let closed = async {
        queue.shut_down_with_drain().await;
        actors.join_all().await;
        workers.join_all().await;
    };
    timeout(PATIENCE, closed).await.map_err(|_| format!("the drain does not end: {queue:?}"))?;
    if !ledger.owed().is_empty() {
        return Err(owed(ledger, &queue));
    }
    match ledger.clashes.load(SeqCst) {
        0 => Ok(()),
        clashes => Err(format!("a key was with two workers at once, {clashes} times")),
    }
}

/// Plain, with groups, and measuring itself, in turns.
fn queue(number: u64) -> WorkQueue<Key> {
    let builder = WorkQueue::builder().limiter(ExponentialLimiter::new(MS / 8, 4 * MS));
    match number % 3 {
        0 => builder.build(),
        1 => builder.group_by(|key: &Key| if key.is_multiple_of(2) { "even" } else { "odd" }).build(),
        _ => builder.name("soak").build(),
    }
}

async fn at_last(condition: impl Fn() -> bool) -> Result<(), ()> {
    let end = Instant::now() + PATIENCE;
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
    format!("no handling followed the last add of {} keys, {some:?} among them: {queue:?}", keys.len())
}
