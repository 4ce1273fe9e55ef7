//! The rules: the value of each gate, given its specs, the versions and the requests. A plain value;
//! `registry` locks it, publishes the values and wakes the watches.
//!
//! - S1: `rows` is sorted by name; a row's index never changes.
//! - S2: `accepted` is the result of the last successful evaluation of the requests. A refused request
//!   changes no gate, but it is kept and evaluated again, as upstream does.
//! - S3: a row without an accepted value has the default of the spec that holds at the versions.
//! - S4: an explicit request takes precedence over `AllAlpha` and `AllBeta`, in any order.
//! - S5: nothing changes once the gates are frozen.

use std::{collections::HashMap, sync::Arc};

use crate::{
    error::Problem,
    source::Source,
    spec::{Spec, Stage, Versions, effective},
    suggest,
    version::Version,
};

/// The gates that set all gates of a stage. Every registry has them.
pub(crate) const ALL_GATES: [(&str, Stage); 2] = [("AllAlpha", Stage::Alpha), ("AllBeta", Stage::Beta)];

/// The changes that are still allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Open,
    /// The flag's help has shown the defaults: they cannot be overridden.
    Closed,
    Frozen,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: Arc<str>,
    pub(crate) description: Arc<str>,
    pub(crate) specs: Vec<Spec>,
    /// Whether the default of each spec was overridden.
    pub(crate) overridden: Vec<bool>,
    pub(crate) dependencies: Vec<usize>,
    /// The stage whose gates this gate sets.
    pub(crate) all_of: Option<Stage>,
    pub(crate) requests: [Option<bool>; Source::LAYERS.len()],
    /// A test may set the gate although it is locked.
    pub(crate) forced: bool,
    pub(crate) accepted: Option<Accepted>,
}

impl Row {
    /// Returns the request with the highest precedence.
    fn requested(&self) -> Option<(bool, Source)> {
        Source::LAYERS.into_iter().rev().find_map(|source| Some((self.requests[source.layer()]?, source)))
    }

    /// Returns the spec that holds; `None` if the gate does not exist yet.
    pub(crate) fn spec(&self, versions: Versions) -> Option<&Spec> {
        effective(&self.specs, versions).map(|step| &self.specs[step])
    }

    pub(crate) fn stage(&self, versions: Versions) -> Stage {
        self.spec(versions).map_or(Stage::PreAlpha, Spec::stage)
    }

    pub(crate) fn default(&self, versions: Versions) -> bool {
        self.spec(versions).is_some_and(Spec::is_on_by_default)
    }
}

/// The accepted value of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) value: bool,
    pub(crate) source: Source,
    /// The request was for `AllAlpha` or `AllBeta`.
    pub(crate) via_all: bool,
}

impl Accepted {
    fn explicit(value: bool, source: Source) -> Self {
        Self { value, source, via_all: false }
    }
}

/// The accepted value of each row.
type Evaluation = Vec<Option<Accepted>>;

#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) rows: Vec<Row>,
    /// The row of each name. A binary search of the rows took most of the time of a long flag.
    rows_by_name: Arc<HashMap<Arc<str>, usize>>,
    pub(crate) binary: Version,
    pub(crate) versions: Versions,
    pub(crate) phase: Phase,
    /// Requests for unknown names. They are kept like any other (S2).
    unknown: Vec<(Box<str>, Source, bool)>,
}

impl State {
    /// Creates a state. `rows` must be sorted by name (S1), and dependencies are indexes into it.
    pub(crate) fn new(rows: Vec<Row>, binary: Version, versions: Versions) -> Self {
        debug_assert!(rows.is_sorted_by(|a, b| a.name < b.name), "S1");
        let rows_by_name = rows.iter().enumerate().map(|(place, row)| (row.name.clone(), place)).collect();
        Self {
            rows,
            rows_by_name: Arc::new(rows_by_name),
            binary,
            versions,
            phase: Phase::Open,
            unknown: Vec::new(),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.rows_by_name.get(name).copied()
    }

    pub(crate) fn enabled(&self, row: usize) -> bool {
        let row = &self.rows[row];
        row.accepted.map_or_else(|| row.default(self.versions), |accepted| accepted.value) // S3
    }

    /// Returns the value of every row.
    pub(crate) fn values(&self) -> Vec<bool> {
        (0..self.rows.len()).map(|row| self.enabled(row)).collect()
    }

    /// Records requests and evaluates all requests. Returns the rows that were set.
    pub(crate) fn request<'a>(
        &mut self,
        source: Source,
        settings: impl IntoIterator<Item = (&'a str, bool)>,
    ) -> Result<Vec<usize>, Vec<Problem>> {
        if self.phase == Phase::Frozen {
            let frozen: Vec<_> = settings.into_iter().map(|(name, _)| Problem::frozen(name)).collect();
            return if frozen.is_empty() { Ok(Vec::new()) } else { Err(frozen) }; // S5
        }
        let settings = settings.into_iter();
        let mut rows = Vec::with_capacity(settings.size_hint().0);
        for (name, value) in settings {
            match self.find(name) {
                Some(row) => {
                    self.rows[row].requests[source.layer()] = Some(value);
                    rows.push(row);
                }
                None => {
                    self.unknown.retain(|(other, by, _)| (&**other, *by) != (name, source));
                    self.unknown.push((name.into(), source, value));
                }
            }
        }
        let evaluation = self.evaluate(self.versions)?;
        self.accept(evaluation);
        Ok(rows)
    }

    /// Emulates other versions, if all requests are valid at them.
    pub(crate) fn emulate(&mut self, versions: Versions) -> Result<(), Vec<Problem>> {
        if versions == self.versions {
            return Ok(());
        }
        let mut problems = Vec::new();
        if self.phase == Phase::Frozen {
            problems.push(Problem::frozen(""));
        }
        if versions.emulation > self.binary {
            problems.push(Problem::newer_than_binary(versions.emulation, self.binary));
        }
        if versions.min_compatibility > versions.emulation {
            let Versions { min_compatibility, emulation } = versions;
            problems.push(Problem::min_compatibility_too_new(min_compatibility, emulation));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let evaluation = self.evaluate(versions)?;
        self.versions = versions;
        self.accept(evaluation);
        Ok(())
    }

    /// Returns the problems of the present requests.
    pub(crate) fn validate(&self) -> Result<(), Vec<Problem>> {
        self.evaluate(self.versions).map(|_| ())
    }

    /// Overrides the default of the spec that holds at `at`.
    pub(crate) fn override_default(&mut self, name: &str, value: bool, at: Versions) -> Result<(), Problem> {
        match self.phase {
            Phase::Open => {}
            Phase::Closed => return Err(Problem::defaults_closed(name)),
            Phase::Frozen => return Err(Problem::frozen(name)), // S5
        }
        let row = self.find(name).ok_or_else(|| self.unknown_name(name))?;
        let row = &mut self.rows[row];
        let step = effective(&row.specs, at).ok_or_else(|| Problem::no_default_yet(name, at.emulation))?;
        let spec = &mut row.specs[step];
        if spec.stage == Stage::PreAlpha {
            return Err(Problem::no_default_yet(name, at.emulation));
        }
        if spec.locked {
            return Err(Problem::default_locked(name, spec.default));
        }
        spec.default = value;
        row.overridden[step] = true;
        Ok(())
    }

    /// Drops all requests for one gate. Unlike upstream, if `AllAlpha` or `AllBeta` is reset, the gates that
    /// followed it do so no longer.
    pub(crate) fn reset(&mut self, name: &str) -> Result<(), Problem> {
        if self.phase == Phase::Frozen {
            return Err(Problem::frozen(name)); // S5
        }
        self.unknown.retain(|(other, ..)| **other != *name);
        let Some(row) = self.find(name) else { return Ok(()) };
        self.rows[row].requests = Default::default();
        self.rows[row].accepted = None;
        let mut evaluation: Evaluation =
            self.rows.iter().map(|row| row.accepted.filter(|accepted| !accepted.via_all)).collect();
        self.apply_all_gates(&mut evaluation, self.versions);
        self.accept(evaluation);
        Ok(())
    }

    /// Returns whether a value of this gate itself was requested.
    pub(crate) fn is_explicit(&self, row: usize) -> bool {
        self.rows[row].requested().is_some()
    }

    /// Drops all requests. Specs, defaults, versions and dependencies are kept (upstream drops dependencies).
    pub(crate) fn clear_requests(&mut self) {
        self.unknown.clear();
        self.phase = Phase::Open;
        for row in &mut self.rows {
            row.requests = Default::default();
            row.forced = false;
            row.accepted = None;
        }
    }

    pub(crate) fn unknown_name(&self, name: &str) -> Problem {
        let names = self.rows.iter().map(|row| &*row.name);
        Problem::unknown(name, suggest::nearest(name, names))
    }

    /// Returns why a request would be refused now, apart from dependencies.
    pub(crate) fn refusal_of(&self, name: &str, value: bool) -> Option<Problem> {
        match self.find(name) {
            Some(row) => Self::refusal(&self.rows[row], value, self.versions),
            None => Some(self.unknown_name(name)),
        }
    }

    fn accept(&mut self, evaluation: Evaluation) {
        for (row, accepted) in self.rows.iter_mut().zip(evaluation) {
            row.accepted = accepted;
        }
    }

    /// Evaluates all requests at `versions`: returns the accepted values, or all problems.
    fn evaluate(&self, versions: Versions) -> Result<Evaluation, Vec<Problem>> {
        let mut problems: Vec<_> = self.unknown.iter().map(|(name, ..)| self.unknown_name(name)).collect();
        let mut evaluation = vec![None; self.rows.len()];
        for (row, accepted) in self.rows.iter().zip(&mut evaluation) {
            let Some((value, source)) = row.requested() else {
                continue;
            };
            match Self::refusal(row, value, versions) {
                Some(problem) => problems.push(problem),
                None => *accepted = Some(Accepted::explicit(value, source)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        self.apply_all_gates(&mut evaluation, versions);
        let problems = self.disabled_dependencies(&evaluation, versions);
        if problems.is_empty() { Ok(evaluation) } else { Err(problems) }
    }

    fn refusal(row: &Row, value: bool, versions: Versions) -> Option<Problem> {
        let spec = row.spec(versions);
        if let Some(spec) = spec
            && spec.locked
            && spec.default != value
            && !row.forced
        {
            let was_unlocked = row.specs.first().is_some_and(|first| !first.locked);
            let unlocked_at = was_unlocked.then(|| spec.version.previous_minor());
            return Some(Problem::locked(&row.name, spec.default, unlocked_at));
        }
        let missing = row.stage(versions) == Stage::PreAlpha;
        missing.then(|| Problem::not_available(&row.name, value, versions))
    }

    /// Applies `AllAlpha` and `AllBeta` to every gate of the stage that has no accepted value yet (S4).
    fn apply_all_gates(&self, evaluation: &mut [Option<Accepted>], versions: Versions) {
        for (name, stage) in ALL_GATES {
            let Some(all) = self.find(name).and_then(|row| evaluation[row]) else {
                continue;
            };
            for (row, accepted) in self.rows.iter().zip(&mut *evaluation) {
                if accepted.is_none() && row.all_of.is_none() && row.stage(versions) == stage {
                    *accepted = Some(Accepted { via_all: true, ..all });
                }
            }
        }
    }

    fn disabled_dependencies(&self, evaluation: &[Option<Accepted>], versions: Versions) -> Vec<Problem> {
        let enabled = |row: usize| {
            evaluation[row].map_or_else(|| self.rows[row].default(versions), |accepted| accepted.value)
        };
        let with_dependencies = self.rows.iter().enumerate().filter(|(_, row)| !row.dependencies.is_empty());
        with_dependencies
            .filter(|(index, _)| enabled(*index))
            .filter_map(|(_, row)| {
                let disabled: Vec<Box<str>> = row
                    .dependencies
                    .iter()
                    .filter(|dependency| !enabled(**dependency))
                    .map(|dependency| (*self.rows[*dependency].name).into())
                    .collect();
                (!disabled.is_empty()).then(|| Problem::dependencies_disabled(&row.name, disabled))
            })
            .collect()
    }
}
