//! [`Watchdog`]: names a process that blocks its thread, and ends the program, since such a task cannot be ended.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};

/// The process that runs on one thread, and the begin of its step.
#[derive(Debug, Default)]
pub(crate) struct Beat {
    /// Odd during a step.
    steps: AtomicU64,
    /// 0 for the server, otherwise the process's number and one.
    who: AtomicUsize,
    seed: AtomicU64,
}

impl Beat {
    pub(crate) fn begins(&self, seed: u64) {
        self.seed.store(seed, Ordering::Relaxed);
    }

    pub(crate) fn enters(&self, process: Option<usize>) {
        self.who.store(process.map_or(0, |process| process + 1), Ordering::Relaxed);
        let steps = self.steps.load(Ordering::Relaxed); // nobody else writes
        self.steps.store((steps + 1) | 1, Ordering::Relaxed);
    }

    pub(crate) fn leaves(&self) {
        let steps = self.steps.load(Ordering::Relaxed);
        self.steps.store((steps | 1) + 1, Ordering::Relaxed);
    }
}

/// Checks all beats periodically and ends the program if one of them is stuck.
#[derive(Debug)]
pub(crate) struct Watchdog {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watchdog {
    /// Watches `beats`. One step may take `limit`.
    pub(crate) fn start(beats: Vec<Arc<Beat>>, names: Vec<Arc<str>>, limit: Duration) -> Self {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let mut seen: Vec<u64> = beats.iter().map(|beat| beat.steps.load(Ordering::Relaxed)).collect();
            let mut is_stopped = stopped.0.lock();
            while !*is_stopped {
                if !stopped.1.wait_for(&mut is_stopped, limit).timed_out() {
                    continue;
                }
                for (beat, seen) in beats.iter().zip(&mut seen) {
                    let steps = beat.steps.load(Ordering::Relaxed);
                    if steps == *seen && steps % 2 == 1 {
                        give_up(beat, &names, limit);
                    }
                    *seen = steps;
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

fn give_up(beat: &Beat, names: &[Arc<str>], limit: Duration) {
    let who = beat.who.load(Ordering::Relaxed);
    let name =
        who.checked_sub(1).and_then(|process| names.get(process)).map_or("the API server", |name| name);
    eprintln!(
        "simulation: a task of {name} has blocked its thread for {limit:?} (seed {}). It cannot be ended, so this \
         program is. Simulated code must wait on tokio, and never spin without an end.",
        beat.seed.load(Ordering::Relaxed)
    );
    std::process::exit(70);
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_all();
        if let Some(thread) = self.thread.take() {
            thread.join().ok(); // it panics nowhere
        }
    }
}
