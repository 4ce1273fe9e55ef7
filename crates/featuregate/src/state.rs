//! The rules: which value each gate has, given its life, the versions and what was asked for. A plain
//! value: the shell in `registry` locks, publishes and wakes.
//!
//! - S1: `rows` is sorted by name; a row's index never changes.
//! - S2: `accepted` is what the last successful judgement made of the requests; a request that is
//!   refused changes no gate, but stays and is judged again, as upstream's.
//! - S3: a row without an accepted value has the default of the step that holds at the versions.
//! - S4: an explicit request wins over `AllAlpha` and `AllBeta`, whichever came first.
//! - S5: nothing changes once frozen.

use std::{collections::HashMap, sync::Arc};

use crate::{
    Source, Spec, Stage, Version,
    error::Problem,
    spec::{Versions, effective},
    suggest,
};

/// The gates that switch all of a stage, and that every registry has (6a).
pub(crate) const ALL_GATES: [(&str, Stage); 2] = [("AllAlpha", Stage::Alpha), ("AllBeta", Stage::Beta)];

/// How much may still be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Open,
    /// The flag's help has been printed: defaults stay as they are.
    Closed,
    Frozen,
}

#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: Arc<str>,
    pub(crate) description: Arc<str>,
    pub(crate) specs: Vec<Spec>,
    /// Which of `specs` has another default than it was declared with.
    pub(crate) overridden: Vec<bool>,
    pub(crate) needs: Vec<usize>,
    /// The stage that this gate switches as a whole.
    pub(crate) all_of: Option<Stage>,
    pub(crate) requests: [Option<bool>; Source::LAYERS.len()],
    /// A test may set a locked gate.
    pub(crate) forced: bool,
    pub(crate) accepted: Option<Accepted>,
}

impl Row {
    /// What was asked for, by whom: the request of most precedence.
    fn requested(&self) -> Option<(bool, Source)> {
        Source::LAYERS.into_iter().rev().find_map(|source| Some((self.requests[source.layer()]?, source)))
    }

    /// The step that holds; none: not available yet.
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

/// A value that a request gave a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) value: bool,
    pub(crate) source: Source,
    /// The request was for `AllAlpha` or `AllBeta`.
    pub(crate) through_all: bool,
}

impl Accepted {
    fn explicit(value: bool, source: Source) -> Self {
        Self { value, source, through_all: false }
    }
}

/// What is accepted of each row.
type Judgement = Vec<Option<Accepted>>;

#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) rows: Vec<Row>,
    /// The row of each name. A search of the sorted rows took most of the time of a long flag.
    places: Arc<HashMap<Arc<str>, usize>>,
    pub(crate) binary: Version,
    pub(crate) versions: Versions,
    pub(crate) phase: Phase,
    /// Requests for names that no row has: kept as any other (S2).
    unknown: Vec<(Box<str>, Source, bool)>,
}

impl State {
    /// `rows` in any order, but with `needs` that fit the order by name.
    pub(crate) fn new(rows: Vec<Row>, binary: Version, versions: Versions) -> Self {
        debug_assert!(rows.is_sorted_by(|a, b| a.name < b.name), "S1");
        let places = rows.iter().enumerate().map(|(place, row)| (row.name.clone(), place)).collect();
        Self { rows, places: Arc::new(places), binary, versions, phase: Phase::Open, unknown: Vec::new() }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    pub(crate) fn enabled(&self, row: usize) -> bool {
        let row = &self.rows[row];
        row.accepted.map_or_else(|| row.default(self.versions), |accepted| accepted.value) // S3
    }

    /// Every row's value.
    pub(crate) fn values(&self) -> Vec<bool> {
        (0..self.rows.len()).map(|row| self.enabled(row)).collect()
    }

    /// Takes requests and judges all there are. Returns the rows that were set.
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
        let judgement = self.judge(self.versions)?;
        self.accept(judgement);
        Ok(rows)
    }

    /// Emulates other versions, if every request is right there too.
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
        let judgement = self.judge(versions)?;
        self.versions = versions;
        self.accept(judgement);
        Ok(())
    }

    /// What is wrong with the requests as they stand.
    pub(crate) fn validate(&self) -> Result<(), Vec<Problem>> {
        self.judge(self.versions).map(|_| ())
    }

    /// Gives the step that holds at `versions` another default.
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

    /// Forgets every request for one gate. Unlike upstream, a gate that followed `AllAlpha` or
    /// `AllBeta` no longer does once that is forgotten.
    pub(crate) fn reset(&mut self, name: &str) -> Result<(), Problem> {
        if self.phase == Phase::Frozen {
            return Err(Problem::frozen(name)); // S5
        }
        self.unknown.retain(|(other, ..)| **other != *name);
        let Some(row) = self.find(name) else { return Ok(()) };
        self.rows[row].requests = Default::default();
        self.rows[row].accepted = None;
        let mut judgement: Judgement =
            self.rows.iter().map(|row| row.accepted.filter(|accepted| !accepted.through_all)).collect();
        self.follow_all_gates(&mut judgement, self.versions);
        self.accept(judgement);
        Ok(())
    }

    /// Whether somebody asked for a value of this very gate.
    pub(crate) fn is_explicit(&self, row: usize) -> bool {
        self.rows[row].requested().is_some()
    }

    /// Forgets all requests; lives, defaults, versions and needs stay (upstream drops needs).
    pub(crate) fn forget_requests(&mut self) {
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

    /// Why a request would be refused now, other gates aside.
    pub(crate) fn refusal_of(&self, name: &str, value: bool) -> Option<Problem> {
        match self.find(name) {
            Some(row) => Self::refusal(&self.rows[row], value, self.versions),
            None => Some(self.unknown_name(name)),
        }
    }

    fn accept(&mut self, judgement: Judgement) {
        for (row, accepted) in self.rows.iter_mut().zip(judgement) {
            row.accepted = accepted;
        }
    }

    /// What becomes of every request at `versions`: values, or all that is wrong.
    fn judge(&self, versions: Versions) -> Result<Judgement, Vec<Problem>> {
        let mut problems: Vec<_> = self.unknown.iter().map(|(name, ..)| self.unknown_name(name)).collect();
        let mut judgement = vec![None; self.rows.len()];
        for (row, accepted) in self.rows.iter().zip(&mut judgement) {
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
        self.follow_all_gates(&mut judgement, versions);
        let problems = self.disabled_needs(&judgement, versions);
        if problems.is_empty() { Ok(judgement) } else { Err(problems) }
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

    /// `AllAlpha` and `AllBeta`: every gate of the stage that has no value of its own yet (S4).
    fn follow_all_gates(&self, judgement: &mut [Option<Accepted>], versions: Versions) {
        for (name, stage) in ALL_GATES {
            let Some(all) = self.find(name).and_then(|row| judgement[row]) else {
                continue;
            };
            for (row, accepted) in self.rows.iter().zip(&mut *judgement) {
                if accepted.is_none() && row.all_of.is_none() && row.stage(versions) == stage {
                    *accepted = Some(Accepted { through_all: true, ..all });
                }
            }
        }
    }

    fn disabled_needs(&self, judgement: &[Option<Accepted>], versions: Versions) -> Vec<Problem> {
        let enabled = |row: usize| {
            judgement[row].map_or_else(|| self.rows[row].default(versions), |accepted| accepted.value)
        };
        let with_needs = self.rows.iter().enumerate().filter(|(_, row)| !row.needs.is_empty());
        with_needs
            .filter(|(index, _)| enabled(*index))
            .filter_map(|(_, row)| {
                let disabled: Vec<Box<str>> = row
                    .needs
                    .iter()
                    .filter(|need| !enabled(**need))
                    .map(|need| (*self.rows[*need].name).into())
                    .collect();
                (!disabled.is_empty()).then(|| Problem::needs_disabled(&row.name, disabled))
            })
            .collect()
    }
}
