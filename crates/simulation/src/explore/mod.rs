//! [`Simulation`]: many histories of one scenario, on one or several threads.

mod progress;
mod report;
mod systematic;

use std::{
    env,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use parking_lot::Mutex;

use self::progress::Progress;
pub use self::{
    report::{Divergence, Failure, Report},
    systematic::Pattern,
};
use crate::{
    Scenario,
    engine::{Engine, History},
    plan::Plan,
    property::Violation,
    shrink::shrink,
    timeline::Timeline,
    watchdog::{Beat, Watchdog},
};

/// The environment variable that makes [`Simulation::run`] replay one seed.
const SEED: &str = "TRIMTAB_SEED";

/// Runs histories of a scenario.
#[derive(Debug)]
#[must_use]
pub struct Simulation {
    scenario: Scenario,
    seeds: Range<u64>,
    jobs: usize,
    most_failures: usize,
    shrink_runs: usize,
    step_limit: Duration,
    shows_progress: bool,
}

impl Simulation {
    /// Creates a simulation of `scenario`: the seeds from 0 to 99, on one thread, until one fails.
    pub fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            seeds: 0..100,
            jobs: 1,
            most_failures: 1,
            shrink_runs: 500,
            step_limit: Duration::from_secs(20),
            shows_progress: false,
        }
    }

    /// Sets the seeds.
    pub fn seeds(self, seeds: Range<u64>) -> Self {
        Self { seeds, ..self }
    }

    /// Sets the number of threads; 0 counts as 1.
    pub fn jobs(self, jobs: usize) -> Self {
        Self { jobs: jobs.max(1), ..self }
    }

    /// Sets the number of failures after which the run stops. Default: 1.
    pub fn stop_after(self, failures: usize) -> Self {
        Self { most_failures: failures.max(1), ..self }
    }

    /// Sets the largest number of histories for shrinking a failure. Default: 500; with 0, failures are not shrunk.
    pub fn shrink_runs(self, runs: usize) -> Self {
        Self { shrink_runs: runs, ..self }
    }

    /// Sets the real time for which one step may block its thread before the program is ended with a message. Default: 20 s.
    pub fn step_limit(self, limit: Duration) -> Self {
        Self { step_limit: limit, ..self }
    }

    /// Sets whether to show the progress of the run on the standard error stream: a bar in a terminal, else a line now
    /// and then. Not by default.
    pub fn progress(self, shows: bool) -> Self {
        Self { shows_progress: shows, ..self }
    }

    /// Runs the seeds; only the one in `TRIMTAB_SEED` if that variable is set.
    pub fn run(&self) -> Report {
        let chosen = env::var(SEED).ok().and_then(|seed| seed.trim().parse().ok());
        let seeds = chosen.map_or(self.seeds.clone(), |seed: u64| seed..seed.saturating_add(1));
        self.explore(seeds.end.saturating_sub(seeds.start), |number| self.scenario.plan(seeds.start + number))
    }

    /// Runs one plan, such as one that a failure printed.
    pub fn replay(&self, plan: &Plan) -> Report {
        self.explore(1, |_| plan.clone())
    }

    /// Runs each seed twice and compares the histories, step by step.
    ///
    /// # Errors
    ///
    /// The first seed whose two histories differ, with the step.
    pub fn check_determinism(&self) -> Result<(), Divergence> {
        let watched = self.watched(1);
        for seed in self.seeds.clone() {
            let plan = self.scenario.plan(seed);
            let first = self.history(&plan, true, &watched.beats[0]);
            let second = self.history(&plan, true, &watched.beats[0]);
            if let Some(divergence) = Divergence::between(seed, &first, &second) {
                return Err(divergence);
            }
        }
        Ok(())
    }

    fn history(&self, plan: &Plan, keeps: bool, beat: &Beat) -> History {
        beat.begins(plan.seed());
        Engine::run(&self.scenario, plan, keeps, beat)
    }

    fn watched(&self, jobs: usize) -> Watched {
        let beats: Vec<_> = (0..jobs).map(|_| Arc::new(Beat::default())).collect();
        let names = self.scenario.processes.iter().map(|process| process.name.clone()).collect();
        let watchdog = Watchdog::start(beats.clone(), names, self.step_limit);
        Watched { beats, _watchdog: watchdog }
    }

    /// Runs `count` plans.
    fn explore(&self, count: u64, plan: impl Fn(u64) -> Plan + Sync) -> Report {
        let jobs = self.jobs.min(usize::try_from(count).unwrap_or(usize::MAX)).max(1);
        let watched = self.watched(jobs);
        let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
        let report = Mutex::new(Report::new(&self.scenario, count));
        let progress = Progress::new(self.shows_progress, &self.scenario.name, count);
        let work = |beat: &Beat| {
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return;
                }
                let plan = plan(number);
                let history = self.history(&plan, false, beat);
                {
                    let mut report = report.lock();
                    report.add(&history);
                    progress.show(&report);
                }
                let Some(violation) = history.violation else { continue };
                let failure = self.failure(plan, violation, beat);
                let mut report = report.lock();
                report.failures.push(failure);
                if report.failures.len() >= self.most_failures {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        };
        thread::scope(|threads| {
            for beat in &watched.beats {
                let work = &work;
                threads.spawn(move || work(beat));
            }
        });
        progress.end();
        let mut report = report.into_inner();
        report.failures.sort_by_key(|failure| failure.plan.seed());
        report
    }

    /// Shrinks a failing plan and runs the result once more for its timeline.
    fn failure(&self, plan: Plan, violation: Violation, beat: &Beat) -> Failure {
        let fails = |plan: &Plan| {
            let again = self.history(plan, true, beat);
            let fails = again.violation.is_some_and(|again| again.property == violation.property);
            fails.then(|| Timeline::of(&again.records).lines().len())
        };
        let steps: Vec<_> = self.scenario.steps(plan.seed());
        let shrunk =
            if self.shrink_runs == 0 { plan.clone() } else { shrink(&plan, &steps, self.shrink_runs, fails) };
        let history = self.history(&shrunk, true, beat);
        Failure {
            plan,
            shrunk,
            repeats: history.violation.is_some(),
            violation: history.violation.unwrap_or(violation),
            timeline: Timeline::of(&history.records),
        }
    }
}

struct Watched {
    beats: Vec<Arc<Beat>>,
    _watchdog: Watchdog,
}
