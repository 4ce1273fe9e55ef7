//! [`BuildError`] and its [`BuildProblem`]s: why gates make no registry.

use std::fmt;

use crate::{Version, spec::Flaw};

/// Gates from which no registry can be made: [`build`](crate::FeatureGatesBuilder::build).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildError {
    pub(crate) problems: Vec<BuildProblem>,
}

impl BuildError {
    /// All problems.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = &BuildProblem> {
        self.problems.iter()
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}

/// What is wrong with a gate's declaration. Each names the gate, and the version where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the gate, what it needs, and the version: see Display")]
pub enum BuildProblem {
    /// The steps of the gate's life break a rule.
    Life { gate: Box<str>, version: Option<Version>, flaw: LifeFlaw },
    /// The gate is declared twice, with different lives.
    Conflict { gate: Box<str>, version: Version },
    /// Needs were declared for a gate that is not.
    UnknownGate { gate: Box<str> },
    /// The gate needs one that is not declared.
    UnknownNeed { gate: Box<str>, need: Box<str> },
    /// The gate is more stable than what it needs.
    LessStable { gate: Box<str>, need: Box<str>, version: Version },
    /// The gate is on by default and needs one that is not.
    OffByDefault { gate: Box<str>, need: Box<str>, version: Version },
    /// The gate is locked and needs one that is not.
    Unlocked { gate: Box<str>, need: Box<str>, version: Version },
    /// The gate needs itself, if not directly.
    Cycle { gate: Box<str> },
    /// The version to emulate is newer than the binary's.
    NewerThanBinary { emulation: Version, binary: Version },
    /// The min compatibility version is newer than the version to emulate.
    MinCompatibilityTooNew { min_compatibility: Version, emulation: Version },
}

impl fmt::Display for BuildProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Life { gate, version: Some(version), flaw } => {
                write!(f, "feature {gate} at version {version}: {flaw}")
            }
            Self::Life { gate, version: None, flaw } => write!(f, "feature {gate}: {flaw}"),
            Self::Conflict { gate, version } => {
                write!(f, "feature gate {gate} with different spec already exists, at version {version}")
            }
            Self::UnknownGate { gate } => write!(f, "cannot add dependency for unknown feature {gate}"),
            Self::UnknownNeed { gate, need } => {
                write!(f, "cannot add dependency from {gate} to unknown feature {need}")
            }
            Self::LessStable { gate, need, version } => {
                write!(f, "feature {gate} cannot depend on less stable feature {need} at version {version}")
            }
            Self::OffByDefault { gate, need, version } => write!(
                f,
                "default-enabled feature {gate} cannot depend on default-disabled feature {need} \
                 at version {version}"
            ),
            Self::Unlocked { gate, need, version } => write!(
                f,
                "locked-to-default feature {gate} cannot depend on unlocked feature {need} \
                 at version {version}"
            ),
            Self::Cycle { gate } => write!(f, "cycle detected with feature {gate}"),
            Self::NewerThanBinary { emulation, binary } => {
                write!(f, "emulation version {emulation} is newer than the binary's {binary}")
            }
            Self::MinCompatibilityTooNew { min_compatibility, emulation } => write!(
                f,
                "min compatibility version {min_compatibility} is newer than the emulation version {emulation}"
            ),
        }
    }
}

/// The rule that a gate's life breaks, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifeFlaw(Flaw);

impl From<Flaw> for LifeFlaw {
    fn from(flaw: Flaw) -> Self {
        Self(flaw)
    }
}

impl fmt::Display for LifeFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}
