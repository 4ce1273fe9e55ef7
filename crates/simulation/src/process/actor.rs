//! [`Actor`]: a process as the engine sees it: its runtime, its outbox and its state.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use k8s_openapi::jiff::Timestamp;
use kube_client::Client;
use tokio::{task::JoinHandle, time::Instant};

use super::{
    Inner, Posted, Probes, Process, Spec, Violations, Wall,
    clock::LocalClock,
    identity, seed_of,
    transport::{Outbox, Transport},
};
use crate::runtime::{Signal, Stepped};

/// The result of a process's main future.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Returned,
    Failed(String),
    Panicked(String),
}

/// A process, running or not.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) name: Arc<str>,
    index: usize,
    spec: Spec,
    /// The number of starts.
    pub(crate) starts: u32,
    /// The number of requests over all starts.
    pub(crate) requests: u32,
    /// The simulated time up to which it has run.
    pub(crate) at: u64,
    running: Option<Running>,
    /// Whether its tasks are paused while its clock runs.
    paused: bool,
    /// Whether its monotonic clock is stopped, too.
    suspended: bool,
    rate: u64,
    wall_set_by: Arc<AtomicI64>,
}

struct Running {
    runtime: Stepped,
    outbox: Arc<Outbox>,
    main: Option<JoinHandle<Result<(), String>>>,
    clock: LocalClock,
    suspended_ms: Arc<AtomicU64>,
    probes: Arc<Probes>,
    violations: Arc<Violations>,
}

impl Drop for Running {
    /// Drops the functions of [`Process::leads`], which usually hold the `Process` that holds them.
    fn drop(&mut self) {
        let probes = std::mem::take(&mut *self.probes.lock());
        drop(probes); // without the lock, as they are foreign code
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl Actor {
    pub(crate) fn new(index: usize, spec: &Spec) -> Self {
        Self {
            name: spec.name.clone(),
            index,
            spec: spec.clone(),
            starts: 0,
            requests: 0,
            at: 0,
            running: None,
            paused: false,
            suspended: false,
            rate: 1000,
            wall_set_by: Arc::default(),
        }
    }

    /// Starts the process at `now`, with the wall clock at `wall`. Its code runs with the next step.
    pub(crate) fn start(&mut self, seed: u64, now: u64, wall: Timestamp) -> io::Result<()> {
        let signal = Arc::new(Signal::default());
        let runtime = Stepped::new(signal.clone())?;
        let outbox = Outbox::new(signal);
        let (probes, violations) = (Arc::new(Probes::default()), Arc::new(Violations::default()));
        let suspended_ms = Arc::new(AtomicU64::new(0));
        let transport = Transport { outbox: outbox.clone() };
        let restarts = self.starts;
        let process = runtime.enter(|| Process {
            inner: Arc::new(Inner {
                name: self.name.clone(),
                restarts,
                seed: seed_of(seed, self.index, restarts),
                history_seed: seed,
                client: Client::new(transport, "default"),
                wall: Wall { at_start: wall, set_by_ms: self.wall_set_by.clone() },
                started: Instant::now(),
                suspended_ms: suspended_ms.clone(),
                probes: probes.clone(),
                violations: violations.clone(),
            }),
        });
        let main = self.spec.main.clone();
        // The closure is called inside the task, as it may panic or spawn.
        let main = Some(runtime.spawn(async move { main(process).await }));
        let mut clock = LocalClock::starting_at(now);
        clock.drift(now, self.rate);
        self.running = Some(Running { runtime, outbox, main, clock, suspended_ms, probes, violations });
        (self.starts, self.at) = (self.starts + 1, now);
        (self.paused, self.suspended) = (false, false);
        Ok(())
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.running.is_some()
    }

    /// Returns whether the process's tasks run.
    pub(crate) fn runs(&self) -> bool {
        self.is_alive() && !self.paused
    }

    /// Returns the name for leader election.
    pub(crate) fn identity(&self) -> String {
        identity(&self.name, self.starts.saturating_sub(1))
    }

    /// Runs the process up to the simulated time `until`, or until it has sent requests. Returns these requests.
    pub(crate) fn run_until(&mut self, until: u64) -> VecDeque<Posted> {
        let Some(running) = self.running.as_ref().filter(|_| !self.paused) else {
            self.at = until;
            return VecDeque::new();
        };
        let target = running.clock.at(until);
        let local = running.runtime.run_until(target);
        let posted = running.outbox.take();
        let stopped_early = local < target && !posted.is_empty();
        let at = if stopped_early { running.clock.world_at(local).clamp(self.at, until) } else { until };
        self.at = at;
        posted
    }

    /// Ends all tasks of the process. Requests that it has sent still arrive.
    pub(crate) fn crash(&mut self) -> VecDeque<Posted> {
        let Some(running) = self.running.take() else {
            return VecDeque::new();
        };
        let sent = running.outbox.take();
        drop(running); // the code of destructors may send more, which goes nowhere
        sent
    }

    /// Returns the result of the main future, once it has ended.
    pub(crate) fn ended(&mut self) -> Option<Ended> {
        let running = self.running.as_mut()?;
        let main = running.main.take_if(|main| main.is_finished())?;
        Some(match running.runtime.complete(main) {
            Ok(Ok(())) => Ended::Returned,
            Ok(Err(error)) => Ended::Failed(error),
            Err(error) => Ended::Panicked(panic_text(error)),
        })
    }

    /// Pauses the process's tasks; with `suspend` also its monotonic clock. Returns whether the process ran.
    pub(crate) fn pause(&mut self, suspend: bool) -> bool {
        let runs = self.runs();
        if runs {
            (self.paused, self.suspended) = (true, suspend);
        }
        runs
    }

    /// Resumes the process's tasks. After a pause, its clock has advanced.
    pub(crate) fn resume(&mut self, now: u64) {
        let (was_paused, was_suspended) = (self.paused, self.suspended);
        (self.paused, self.suspended) = (false, false);
        let Some(running) = self.running.as_mut().filter(|_| was_paused) else { return };
        if was_suspended {
            let stood_at = running.runtime.now();
            let missed = running.clock.at(now).saturating_sub(stood_at);
            running.suspended_ms.fetch_add(missed, Ordering::Relaxed);
            running.clock.stood_still(stood_at, now);
        } else {
            running.runtime.jump_to(running.clock.at(now));
        }
        self.at = now;
    }

    /// Sets the rate of the monotonic clock from `now` on, in thousandths of the normal speed.
    pub(crate) fn drift(&mut self, now: u64, rate: u64) {
        self.rate = rate;
        if let Some(running) = &mut self.running {
            running.clock.drift(now, rate);
        }
    }

    /// Moves the wall clock by this number of milliseconds.
    pub(crate) fn set_wall_clock(&self, by: i64) {
        self.wall_set_by.fetch_add(by, Ordering::Relaxed);
    }

    /// Returns the violations that the process has reported since the last call.
    pub(crate) fn violations(&self) -> Vec<(String, String)> {
        self.running
            .as_ref()
            .map(|running| std::mem::take(&mut *running.violations.lock()))
            .unwrap_or_default()
    }

    /// Returns whether the process reports that it leads under `lease`. A process that does not run cannot act and does not
    /// count.
    pub(crate) fn leads(&self, lease: &str) -> bool {
        let Some(running) = self.running.as_ref().filter(|_| !self.paused) else { return false };
        let probes: Vec<_> = running
            .probes
            .lock()
            .iter()
            .filter(|(name, _)| name == lease)
            .map(|(_, probe)| probe.clone())
            .collect();
        running.runtime.enter(|| probes.iter().any(|probe| probe()))
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(payload) => match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (_, Some(text)) => text.clone(),
            _ => "a value that is no text".to_owned(),
        },
        Err(error) => error.to_string(),
    }
}
