//! [`Report`]: the result of many histories.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use crate::{
    Scenario,
    engine::{Coverage, History},
    plan::Plan,
    property::Violation,
    timeline::Timeline,
};

/// The result of a simulation.
#[derive(Debug)]
pub struct Report {
    scenario: String,
    planned: u64,
    runs: u64,
    requests: u64,
    simulated: Duration,
    coverage: Coverage,
    faults: u64,
    has_objects: bool,
    pub(super) requests_tried: Option<u64>,
    pub(super) failures: Vec<Failure>,
}

/// A history that violated a property.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The plan that found it.
    pub plan: Plan,
    /// The smallest plan found that violates the same property.
    pub shrunk: Plan,
    /// The violation by the shrunk plan: of the same property as by the plan that was found.
    pub violation: Violation,
    /// Whether a second run of the history failed, too. If not, the history is not deterministic.
    pub repeats: bool,
    /// The timeline of the shrunk plan.
    pub timeline: Timeline,
}

impl Report {
    pub(super) fn new(scenario: &Scenario, planned: u64) -> Self {
        Self {
            scenario: scenario.name.clone(),
            planned,
            runs: 0,
            requests: 0,
            simulated: Duration::ZERO,
            coverage: Coverage::new(),
            faults: 0,
            has_objects: false,
            requests_tried: None,
            failures: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, history: &History) {
        self.runs += 1;
        self.requests += history.requests.iter().map(|requests| u64::from(*requests)).sum::<u64>();
        self.simulated += history.lasted;
        self.faults += history.met as u64;
        self.has_objects |= history.has_objects;
        for (pair, count) in &history.coverage {
            *self.coverage.entry(pair.clone()).or_default() += count;
        }
    }

    /// Returns the number of histories that were run.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// Returns the number of planned histories. Fewer were run if there were too many failures.
    pub fn planned(&self) -> u64 {
        self.planned
    }

    /// Returns the number of requests of the processes.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Returns the number of requests at which a systematic exploration tried its faults; `None` for other runs.
    pub fn requests_tried(&self) -> Option<u64> {
        self.requests_tried
    }

    /// Returns the number of faults that had an effect.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// Returns the number of times that the fault of this [name](crate::Fault::name) had an effect.
    pub fn faults_named(&self, name: &str) -> u64 {
        let named = self.coverage.iter().filter(|((fault, _), _)| *fault == name);
        named.map(|(_, count)| count).sum()
    }

    /// Returns the simulated time of all histories together.
    pub fn simulated(&self) -> Duration {
        self.simulated
    }

    /// Returns the failed histories by seed.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Returns a table of the faults and the requests that they affected: a row for each kind of request, a column for each
    /// fault, and the number of times for each pair.
    pub fn coverage(&self) -> String {
        let faults: BTreeSet<&str> = self.pairs().map(|(fault, _, _)| fault).collect();
        let mut rows: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for ((fault, kind), count) in self.coverage.iter().filter(|((_, kind), _)| !kind.is_empty()) {
            rows.entry(kind).or_default().insert(fault, *count);
        }
        let width = rows.keys().map(|kind| kind.len()).max().unwrap_or(0).max(8);
        let mut table = format!("{:<width$}  {:>9}", "request", "sent");
        faults.iter().for_each(|fault| table.push_str(&format!("  {fault}")));
        for (kind, counts) in &rows {
            let count = |fault: &str| counts.get(fault).copied().unwrap_or(0);
            table.push_str(&format!("\n{kind:<width$}  {:>9}", count("")));
            for fault in &faults {
                table.push_str(&format!("  {:>1$}", count(fault), fault.len()));
            }
        }
        let whole: Vec<String> = self
            .coverage
            .iter()
            .filter(|((_, kind), _)| kind.is_empty())
            .map(|((fault, _), count)| format!("{fault} {count}"))
            .collect();
        if !whole.is_empty() {
            table.push_str(&format!("\nfaults of processes and of the cluster: {}", whole.join(", ")));
        }
        table
    }

    /// Returns the pairs of a fault and a kind of request that it affected.
    fn pairs(&self) -> impl Iterator<Item = (&'static str, &str, u64)> {
        let met = self.coverage.iter().filter(|((fault, kind), _)| !fault.is_empty() && !kind.is_empty());
        met.map(|((fault, kind), count)| (*fault, kind.as_str(), *count))
    }

    /// Returns a line for the progress.
    pub(super) fn state(&self) -> String {
        let failures = self.failures.len();
        format!(
            "{} faults met, {} pairs of request and fault, {failures} failures",
            self.faults,
            self.pairs().count()
        )
    }

    /// Fails the test that runs this if a history has failed.
    ///
    /// # Panics
    ///
    /// With the first failure: its property, its timeline and its replay.
    #[track_caller]
    pub fn assert_clean(&self) {
        if let Some(failure) = self.failures.first() {
            panic!("scenario {}: {failure}", self.scenario);
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, runs, planned, requests, faults, .. } = self;
        write!(f, "{scenario}: {runs} of {planned} histories")?;
        if let Some(tried) = self.requests_tried {
            write!(f, " (one fault in each, at each of {tried} requests)")?;
        }
        let simulated = self.simulated.as_secs();
        writeln!(
            f,
            ", {requests} requests, {faults} faults, {simulated} s simulated, {} failures",
            self.failures.len()
        )?;
        if !self.has_objects && *runs > 0 {
            writeln!(
                f,
                "There was no object in any history: no manifest, no step and no process wrote one."
            )?;
        }
        self.failures.iter().try_for_each(|failure| writeln!(f, "\n{failure}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.violation)?;
        if !self.repeats {
            writeln!(f, "It did not happen again with the same plan: the code is not deterministic.")?;
        }
        writeln!(f, "\n{}", self.timeline)?;
        writeln!(
            f,
            "TRIMTAB_SEED={} replays the whole history; this test replays the shrunk one:\n",
            self.plan.seed()
        )?;
        write!(f, "{}", self.test())
    }
}

impl Failure {
    /// Returns a test to paste beside a function `scenario` that builds the scenario. It fails until the bug is fixed.
    pub fn test(&self) -> String {
        let seed = self.plan.seed();
        format!(
            "#[test]\nfn the_history_of_seed_{seed}() {{\n    let plan = {:?}.parse().expect(\"a plan\");\n    \
             trimtab_simulation::Simulation::new(scenario()).replay(&plan).assert_clean();\n}}\n",
            self.shrunk.to_string()
        )
    }
}

/// Two histories of one seed that differ.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "two histories of seed {seed} differ at step {step}: the first has\n  {first}\nand the second\n  {second}"
)]
#[non_exhaustive]
pub struct Divergence {
    /// The seed.
    pub seed: u64,
    /// The number of the first step that differs, from 1.
    pub step: usize,
    /// The step of the first run.
    pub first: String,
    /// The step of the second run.
    pub second: String,
}

impl Divergence {
    pub(super) fn between(seed: u64, first: &History, second: &History) -> Option<Self> {
        if first.hash == second.hash && first.records == second.records {
            return None;
        }
        let longer = first.records.len().max(second.records.len());
        let step = (0..longer).find(|step| first.records.get(*step) != second.records.get(*step));
        let text = |history: &History, step: usize| {
            history
                .records
                .get(step)
                .map_or_else(|| "its end".to_owned(), |record| format!("{record}   {:?}", record.what))
        };
        let step = step.unwrap_or(longer);
        Some(Self { seed, step: step + 1, first: text(first, step), second: text(second, step) })
    }
}
