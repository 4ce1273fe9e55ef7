//! [`Explanation`] and [`Snapshot`]: the state of gates and its reasons, for users and debug pages.

use std::{fmt, sync::Arc};

use crate::{
    gate::{Gate, GateSet},
    registry::FeatureGates,
    source::Source,
    spec::{Spec, Stage, Versions, effective},
    state::{ALL_GATES, Row, State},
    version::Version,
};

/// The state of a gate at the emulation version, and the reason for it.
///
/// Its `Display` is a paragraph with the value, its source, and the gate's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Explanation {
    /// The gate's name.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub gate: Arc<str>,
    /// The gate's documentation.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub description: Arc<str>,
    /// Whether the gate is on.
    pub enabled: bool,
    /// The stage at the emulated version.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub stage: Stage,
    /// The version at which the gate's present spec starts; `None` while the gate does not exist yet.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_optional_text"))]
    pub since: Option<Version>,
    /// The value if no source sets it.
    pub default: bool,
    /// Whether the gate is locked to its default.
    pub locked: bool,
    /// The source of the value.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub source: Source,
    /// `AllAlpha` or `AllBeta`, if that was set instead of the gate itself.
    pub through: Option<&'static str>,
    /// All requests for the gate itself, in order of precedence, whether accepted or not.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_texts"))]
    pub requests: Vec<(Source, bool)>,
    /// The gates that must be on for this gate to be on, and whether they are on.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_names"))]
    pub dependencies: Vec<(Arc<str>, bool)>,
    /// The gates that can only be on if this gate is on, and whether they are on.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_names"))]
    pub dependents: Vec<(Arc<str>, bool)>,
}

/// All gates of a registry at one moment, sorted by name.
///
/// Its `Display` is a table, for a component's debug page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Snapshot {
    /// The component's name.
    pub component: Box<str>,
    /// The version of the binary.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub binary: Version,
    /// The emulation version.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub emulation: Version,
    /// The oldest version that the component may have to be compatible with.
    #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
    pub min_compatibility: Version,
    /// Every gate, including those that do not exist yet at the emulation version.
    pub gates: Vec<Explanation>,
}

impl Snapshot {
    /// Returns the gate called `name`.
    pub fn gate(&self, name: impl AsRef<str>) -> Option<&Explanation> {
        let found = self.gates.binary_search_by(|gate| (*gate.gate).cmp(name.as_ref()));
        found.ok().map(|at| &self.gates[at])
    }
}

impl FeatureGates {
    /// Returns the state of a gate and the reason for it; `None` if there is no such gate.
    pub fn explain(&self, gate: impl AsRef<str>) -> Option<Explanation> {
        let gates = self.scoped();
        let locked = gates.lock();
        let row = locked.state.find(gate.as_ref())?;
        Some(explain(&locked.state, row))
    }

    /// Returns all gates at this moment. No change is visible in part.
    pub fn snapshot(&self) -> Snapshot {
        let gates = self.scoped();
        let state = &gates.lock().state;
        Snapshot {
            component: gates.name().into(),
            binary: state.binary,
            emulation: state.versions.emulation,
            min_compatibility: state.versions.min_compatibility,
            gates: (0..state.rows.len()).map(|row| explain(state, row)).collect(),
        }
    }

    /// Returns the lines of a flag's help, sorted: `StreamingLists=true|false (BETA - default=true)`.
    ///
    /// Stable and deprecated gates are left out, and so are gates that do not exist yet. If a gate's spec
    /// depends on the min compatibility version, its line says so.
    pub fn known(&self) -> Vec<String> {
        let gates = self.scoped();
        let state = &gates.lock().state;
        let mut lines: Vec<_> = state.rows.iter().filter_map(|row| help(row, state.versions)).collect();
        lines.sort_unstable();
        lines
    }
}

impl<S: GateSet> Gate<S> {
    /// Returns the state of the gate and the reason for it.
    pub fn explain(self) -> Explanation {
        let explained = S::gates().explain(self);
        explained.expect("a set's registry has all of the set's gates")
    }
}

fn explain(state: &State, index: usize) -> Explanation {
    let row = &state.rows[index];
    let step = effective(&row.specs, state.versions);
    let spec = step.map(|step| &row.specs[step]);
    let default_source =
        if step.is_some_and(|step| row.overridden[step]) { Source::Override } else { Source::Default };
    let named = |row: usize| (state.rows[row].name.clone(), state.enabled(row));
    let dependents = state.rows.iter().enumerate().filter(|(_, other)| other.dependencies.contains(&index));
    let stage = row.stage(state.versions);
    let all = ALL_GATES.into_iter().find(|(_, all)| *all == stage).map(|(name, _)| name);
    Explanation {
        gate: row.name.clone(),
        description: row.description.clone(),
        enabled: state.enabled(index),
        stage,
        since: spec.map(Spec::version),
        default: row.default(state.versions),
        locked: spec.is_some_and(Spec::is_locked),
        source: row.accepted.map_or(default_source, |accepted| accepted.source),
        through: all.filter(|_| row.accepted.is_some_and(|accepted| accepted.via_all)),
        requests: Source::LAYERS
            .into_iter()
            .filter_map(|source| Some((source, row.requests[source.layer()]?)))
            .collect(),
        dependencies: row.dependencies.iter().map(|dependency| named(*dependency)).collect(),
        dependents: dependents.map(|(row, _)| named(row)).collect(),
    }
}

fn help(row: &Row, versions: Versions) -> Option<String> {
    if row.all_of.is_some() {
        return row.specs.first().map(|spec| help_of(&row.name, spec, false));
    }
    let raised = Versions { min_compatibility: versions.emulation, ..versions };
    let (now, then) = (effective(&row.specs, versions), effective(&row.specs, raised));
    let shown = |step: Option<usize>| {
        step.map(|step| &row.specs[step]).filter(|spec| matches!(spec.stage, Stage::Alpha | Stage::Beta))
    };
    let now_line = shown(now).map(|spec| help_of(&row.name, spec, false));
    let then_line = shown(then).filter(|_| then != now).map(|spec| help_of(&row.name, spec, true));
    match (now_line, then_line) {
        (Some(now), Some(then)) => Some([now, then].join(", or ")),
        (now, then) => now.or(then),
    }
}

fn help_of(name: &str, spec: &Spec, with_compatibility: bool) -> String {
    let line = format!("{name}=true|false ({} - default={})", spec.stage.as_str(), spec.default);
    match spec.min_compatibility.filter(|_| with_compatibility) {
        Some(version) => format!("{line} if --min-compatibility-version>={version}"),
        None => line,
    }
}

fn on_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: ", self.gate, on_off(self.enabled))?;
        match (self.source, self.through) {
            (Source::Default, _) => f.write_str("the default")?,
            (Source::Override, _) => f.write_str("the default, which the program overrode")?,
            (source, Some(all)) => write!(f, "{all}, from {source}")?,
            (source, None) => write!(f, "from {source}")?,
        }
        write!(f, "\n  stage: {}", self.stage)?;
        if let Some(since) = self.since.filter(|since| *since != Version::ALWAYS) {
            write!(f, " since {since}")?;
        }
        let locked = if self.locked { ", locked" } else { "" };
        write!(f, ", default {}{locked}", on_off(self.default))?;
        list(f, "requested", self.requests.iter().map(|(source, value)| (source.as_str(), *value)))?;
        list(f, "depends on", self.dependencies.iter().map(|(gate, value)| (&**gate, *value)))?;
        list(f, "required by", self.dependents.iter().map(|(gate, value)| (&**gate, *value)))?;
        for line in self.description.lines() {
            write!(f, "\n  {}", line.trim())?;
        }
        Ok(())
    }
}

fn list<'a>(
    f: &mut fmt::Formatter<'_>,
    title: &str,
    items: impl Iterator<Item = (&'a str, bool)>,
) -> fmt::Result {
    for (i, (name, value)) in items.enumerate() {
        if i == 0 {
            write!(f, "\n  {title}: ")?;
        } else {
            f.write_str(", ")?;
        }
        write!(f, "{name} {}", on_off(value))?;
    }
    Ok(())
}

impl fmt::Display for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { component, binary, emulation, min_compatibility, gates } = self;
        writeln!(
            f,
            "{component} {binary}, emulating {emulation}, compatible with {min_compatibility} and later"
        )?;
        let width = gates.iter().map(|gate| gate.gate.len()).max().unwrap_or(0).max("GATE".len());
        writeln!(f, "{:width$}  VALUE  STAGE       DEFAULT  LOCKED  SOURCE", "GATE")?;
        for gate in gates {
            let (value, default) = (on_off(gate.enabled), on_off(gate.default));
            let locked = if gate.locked { "yes" } else { "" };
            let (stage, source) = (gate.stage, gate.source);
            write!(f, "{:width$}  {value:5}  {stage:10}  {default:7}  {locked:6}  {source}", gate.gate)?;
            match gate.through {
                Some(all) => writeln!(f, " ({all})")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

#[cfg(feature = "serde")]
fn as_text<T: fmt::Display, S: serde::Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[cfg(feature = "serde")]
#[expect(clippy::ref_option, reason = "the signature that serde calls")]
fn as_optional_text<S: serde::Serializer>(value: &Option<Version>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(version) => serializer.collect_str(version),
        None => serializer.serialize_none(),
    }
}

#[cfg(feature = "serde")]
fn as_names<S: serde::Serializer>(gates: &[(Arc<str>, bool)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(gates.iter().map(|(name, value)| (&**name, value)))
}

#[cfg(feature = "serde")]
fn as_texts<S: serde::Serializer>(requests: &[(Source, bool)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(requests.iter().map(|(source, value)| (source.as_str(), value)))
}
