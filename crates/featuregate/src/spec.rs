//! [`Spec`]: one step in a gate's life; and the rules of component-base that its steps keep.

use std::fmt;

use crate::Version;

/// How mature a gate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The gate does not exist yet at the version in question: it is off, and setting it is refused.
    PreAlpha,
    /// May change or go without notice; `AllAlpha` switches all of them.
    Alpha,
    /// Well tested; `AllBeta` switches all of them.
    Beta,
    /// Stable. What is left of the gate is usually a lock.
    Ga,
    /// On its way out; a gate never leaves this stage.
    Deprecated,
}

impl Stage {
    /// The stage as help texts and metrics spell it: `ALPHA`; of [`Stage::Ga`], nothing.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PreAlpha => "PRE-ALPHA",
            Self::Alpha => "ALPHA",
            Self::Beta => "BETA",
            Self::Ga => "",
            Self::Deprecated => "DEPRECATED",
        }
    }

    /// How much may rest on a gate of this stage: no gate may need one that ranks below it.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Deprecated => 0,
            Self::PreAlpha | Self::Alpha => 1,
            Self::Beta => 2,
            Self::Ga => 3,
        }
    }
}

/// The stage in words for a reader: as [`Stage::as_str`], but `GA` is spelt out.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Ga { "GA" } else { self.as_str() })
    }
}

/// What holds for a gate from one version on, until its next `Spec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    pub(crate) version: Version,
    pub(crate) min_compatibility: Option<Version>,
    pub(crate) stage: Stage,
    pub(crate) default: bool,
    pub(crate) locked: bool,
}

impl Spec {
    /// From `version` on the gate is in `stage`, and is `default` unless somebody sets it.
    pub const fn new(version: Version, stage: Stage, default: bool) -> Self {
        Self { version, min_compatibility: None, stage, default, locked: false }
    }

    /// Nobody may set the gate to anything but its default any more.
    #[must_use]
    pub const fn lock_to_default(mut self) -> Self {
        self.locked = true;
        self
    }

    /// Holds only where the component need not stay compatible with anything older than `version`.
    ///
    /// It follows a `Spec` of the same version and stage, with the other default, which holds until then.
    #[must_use]
    pub const fn with_min_compatibility(mut self, version: Version) -> Self {
        self.min_compatibility = Some(version);
        self
    }

    /// The first version for which this holds.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The oldest version that the component may have to be compatible with for this to hold.
    pub const fn min_compatibility(&self) -> Option<Version> {
        self.min_compatibility
    }

    /// The stage.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// The value of the gate when nobody sets it.
    pub const fn is_on_by_default(&self) -> bool {
        self.default
    }

    /// Whether the gate is locked to its default.
    pub const fn is_locked(&self) -> bool {
        self.locked
    }
}

/// The versions by which the step that holds is chosen.
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

/// The last step that the versions reach; none: the gate does not exist yet.
pub(crate) fn effective(specs: &[Spec], versions: Versions) -> Option<usize> {
    specs.iter().rposition(|spec| {
        spec.version <= versions.emulation
            && spec.min_compatibility.is_none_or(|needed| needed <= versions.min_compatibility)
    })
}

/// Each step inherits the compatibility that the steps before it asked for, so that it never sinks.
pub(crate) fn inherit_min_compatibility(specs: &mut [Spec]) {
    let mut last = None;
    for spec in specs {
        spec.min_compatibility = spec.min_compatibility.or(last);
        last = spec.min_compatibility;
    }
}

/// Why a gate's steps are no life, by the rules of upstream's `AddVersioned`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    Empty,
    MinCompatibilityAlone,
    MinCompatibilityTooNew,
    BornDeprecated,
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
            Self::BornDeprecated => "a gate introduced as deprecated must have an entry for its prior state",
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

/// The first flaw in a gate's steps, and at which step. A constant function, so that a gate declared
/// with [`gates!`](crate::gates) is checked by the compiler.
pub(crate) const fn flaw(specs: &[Spec]) -> Option<(usize, Flaw)> {
    if specs.is_empty() {
        return Some((0, Flaw::Empty));
    }
    let mut floor = None; // the min compatibility version inherited so far
    let mut highest = Stage::PreAlpha; // the most stable stage so far, `Deprecated` left out
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
            Some(last) if spec.version.is(last.version) => {}
            _ => return Some(Flaw::MinCompatibilityAlone),
        }
        if spec.version.is_before(needed) {
            return Some(Flaw::MinCompatibilityTooNew);
        }
    }
    let Some(last) = last else {
        let born_deprecated = matches!(spec.stage, Stage::Deprecated) && spec.version.minor() != 0;
        return if born_deprecated { Some(Flaw::BornDeprecated) } else { None };
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
    if spec.version.is(last.version) {
        let same_floor = match (spec.min_compatibility, floor) {
            (Some(needed), Some(floor)) => needed.is(floor),
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
