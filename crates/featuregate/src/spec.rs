//! [`Spec`]: the stage and default of a gate from one version on; and component-base's rules for a gate's
//! specs.

use std::fmt;

use crate::version::Version;

/// The maturity of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The gate does not exist yet at that version: it is off and cannot be set.
    PreAlpha,
    /// Experimental: may change or disappear without notice. `AllAlpha` sets all gates of this stage.
    Alpha,
    /// Well tested. `AllBeta` sets all gates of this stage.
    Beta,
    /// Stable. Usually the gate is locked.
    Ga,
    /// To be removed. A gate never leaves this stage.
    Deprecated,
}

impl Stage {
    /// Returns the stage as help texts and metrics print it: `ALPHA`; empty for [`Stage::Ga`].
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreAlpha => "PRE-ALPHA",
            Self::Alpha => "ALPHA",
            Self::Beta => "BETA",
            Self::Ga => "",
            Self::Deprecated => "DEPRECATED",
        }
    }

    /// Returns the rank of the stage: a gate may not depend on a gate of a lower rank.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Deprecated => 0,
            Self::PreAlpha | Self::Alpha => 1,
            Self::Beta => 2,
            Self::Ga => 3,
        }
    }
}

/// Prints the stage as [`Stage::as_str`] does, except that [`Stage::Ga`] is `GA`.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Ga { "GA" } else { self.as_str() })
    }
}

/// The stage, default and lock of a gate from one version on, until its next `Spec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    pub(crate) version: Version,
    pub(crate) min_compatibility: Option<Version>,
    pub(crate) stage: Stage,
    pub(crate) default: bool,
    pub(crate) locked: bool,
}

impl Spec {
    /// Creates a spec: from `version` on the gate is in `stage`, and is `default` unless a source sets it.
    pub const fn new(version: Version, stage: Stage, default: bool) -> Self {
        Self { version, min_compatibility: None, stage, default, locked: false }
    }

    /// Locks the gate: it can only be set to its default.
    #[must_use]
    pub const fn lock_to_default(mut self) -> Self {
        self.locked = true;
        self
    }

    /// Restricts the spec to components whose min compatibility version is at least `version`.
    ///
    /// It follows a `Spec` of the same version and stage with the other default, which holds otherwise.
    #[must_use]
    pub const fn with_min_compatibility(mut self, version: Version) -> Self {
        self.min_compatibility = Some(version);
        self
    }

    /// Returns the first version at which this spec holds.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the least min compatibility version at which this spec holds.
    pub const fn min_compatibility(&self) -> Option<Version> {
        self.min_compatibility
    }

    /// Returns the stage.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// Returns the value of the gate if no source sets it.
    pub const fn is_on_by_default(&self) -> bool {
        self.default
    }

    /// Returns whether the gate is locked to its default.
    pub const fn is_locked(&self) -> bool {
        self.locked
    }
}

/// The versions that decide which spec holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) emulation: Version,
    pub(crate) min_compatibility: Version,
}

impl Versions {
    pub(crate) const fn emulating(emulation: Version) -> Self {
        Self { emulation, min_compatibility: emulation.previous_minor() }
    }
}

/// Returns the last spec that holds at the versions; `None` if the gate does not exist yet.
pub(crate) fn effective(specs: &[Spec], versions: Versions) -> Option<usize> {
    specs.iter().rposition(|spec| {
        spec.version <= versions.emulation
            && spec.min_compatibility.is_none_or(|needed| needed <= versions.min_compatibility)
    })
}

/// Lets each spec inherit the min compatibility version of the specs before it, so that it never decreases.
pub(crate) fn inherit_min_compatibility(specs: &mut [Spec]) {
    let mut last = None;
    for spec in specs {
        spec.min_compatibility = spec.min_compatibility.or(last);
        last = spec.min_compatibility;
    }
}

/// The rule of upstream's `AddVersioned` that a gate's specs break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Empty,
    MinCompatibilityAlone,
    MinCompatibilityTooNew,
    StartsDeprecated,
    VersionsDecrease,
    MinCompatibilityDecreases,
    SameVersionTwice,
    StageWithinVersion,
    LockWithinVersion,
    NothingChanges,
    Unlocked,
    Resurrected,
    Regresses,
}

impl Flaw {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "a gate needs at least one version",
            Self::MinCompatibilityAlone => {
                "a min compatibility version needs a preceding entry of the same version without one"
            }
            Self::MinCompatibilityTooNew => "the min compatibility version is greater than the version",
            Flaw::StartsDeprecated => {
                "a gate introduced as deprecated must have an entry for its prior state"
            }
            Self::VersionsDecrease => "version transitions are in decreasing order",
            Self::MinCompatibilityDecreases => {
                "min compatibility version transitions are in decreasing order"
            }
            Self::SameVersionTwice => "there are two entries with the same versions",
            Self::StageWithinVersion => "the stage changes within one version",
            Self::LockWithinVersion => "the lock changes within one version",
            Self::NothingChanges => "the transition changes neither stage nor default nor lock",
            Self::Unlocked => "a gate must not unlock after it was locked to its default",
            Self::Resurrected => "a deprecated gate must not return from its terminal state",
            Self::Regresses => "the stage regresses to a less stable one",
        }
    }
}

/// Returns the first flaw of a gate's specs, with the index of the spec. A constant function, so that the
/// compiler checks gates declared with [`gates!`](crate::gates).
pub(crate) const fn flaw(specs: &[Spec]) -> Option<(usize, Flaw)> {
    if specs.is_empty() {
        return Some((0, Flaw::Empty));
    }
    let mut floor = None; // the min compatibility version inherited so far
    let mut highest = Stage::PreAlpha; // the most stable stage so far, except `Deprecated`
    let mut at = 0;
    while at < specs.len() {
        let spec = &specs[at];
        let last = if at == 0 { None } else { Some(&specs[at - 1]) };
        if let Some(found) = step_flaw(spec, last, floor, highest) {
            return Some((at, found));
        }
        if spec.min_compatibility.is_some() {
            floor = spec.min_compatibility;
        }
        if spec.stage.rank() > highest.rank() {
            highest = spec.stage;
        }
        at += 1;
    }
    None
}

const fn step_flaw(spec: &Spec, last: Option<&Spec>, floor: Option<Version>, highest: Stage) -> Option<Flaw> {
    if let Some(needed) = spec.min_compatibility {
        match last {
            Some(last) if spec.version.equals(last.version) => {}
            _ => return Some(Flaw::MinCompatibilityAlone),
        }
        if spec.version.is_before(needed) {
            return Some(Flaw::MinCompatibilityTooNew);
        }
    }
    let Some(last) = last else {
        let starts_deprecated = matches!(spec.stage, Stage::Deprecated) && spec.version.minor() != 0;
        return if starts_deprecated { Some(Flaw::StartsDeprecated) } else { None };
    };
    if spec.version.is_before(last.version) {
        return Some(Flaw::VersionsDecrease);
    }
    if let (Some(needed), Some(floor)) = (spec.min_compatibility, floor)
        && needed.is_before(floor)
    {
        return Some(Flaw::MinCompatibilityDecreases);
    }
    let same_stage = spec.stage as u8 == last.stage as u8;
    if spec.version.equals(last.version) {
        let same_floor = match (spec.min_compatibility, floor) {
            (Some(needed), Some(floor)) => needed.equals(floor),
            (None, None) => true,
            _ => false,
        };
        if same_floor {
            return Some(Flaw::SameVersionTwice);
        } else if !same_stage {
            return Some(Flaw::StageWithinVersion);
        } else if spec.locked != last.locked {
            return Some(Flaw::LockWithinVersion);
        }
    }
    if same_stage && spec.default == last.default && spec.locked == last.locked {
        return Some(Flaw::NothingChanges);
    }
    if last.locked && !spec.locked {
        return Some(Flaw::Unlocked);
    }
    if matches!(last.stage, Stage::Deprecated) && !same_stage {
        return Some(Flaw::Resurrected);
    }
    let regresses = matches!(spec.stage, Stage::Alpha | Stage::Beta) && spec.stage.rank() < highest.rank();
    if regresses { Some(Flaw::Regresses) } else { None }
}

#[cfg(test)]
mod tests;
