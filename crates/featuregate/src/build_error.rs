//! [`BuildError`] and its [`BuildProblem`]s: why a registry cannot be built.

use std::fmt;

use crate::{spec::Flaw, version::Version};

/// The gates of a builder are invalid: [`build`](crate::FeatureGatesBuilder::build).
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError {
    pub(crate) problems: Vec<BuildProblem>,
}

impl BuildError {
    /// Returns all problems.
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

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}

/// A problem with the declaration of a gate. Names the gate, and the version if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the gate, its dependency, and the version: see Display")]
pub enum BuildProblem {
    /// The gate's versioned specs break a rule.
    InvalidSpecs { gate: Box<str>, version: Option<Version>, flaw: SpecsFlaw },
    /// The gate is declared twice, with different specs.
    Conflict { gate: Box<str>, version: Version },
    /// Dependencies are declared for an unknown gate.
    UnknownGate { gate: Box<str> },
    /// The gate depends on an unknown gate.
    UnknownDependency { gate: Box<str>, dependency: Box<str> },
    /// The gate is more stable than its dependency.
    LessStable { gate: Box<str>, dependency: Box<str>, version: Version },
    /// The gate is on by default, and its dependency is not.
    OffByDefault { gate: Box<str>, dependency: Box<str>, version: Version },
    /// The gate is locked, and its dependency is not.
    Unlocked { gate: Box<str>, dependency: Box<str>, version: Version },
    /// The gate depends on itself, directly or through others.
    Cycle { gate: Box<str> },
    /// The emulation version is newer than the binary's version.
    NewerThanBinary { emulation: Version, binary: Version },
    /// The min compatibility version is newer than the emulation version.
    MinCompatibilityTooNew { min_compatibility: Version, emulation: Version },
}

impl fmt::Display for BuildProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidSpecs { gate, version: Some(version), flaw } => {
                write!(f, "feature {gate} at version {version}: {flaw}")
            }
            Self::InvalidSpecs { gate, version: None, flaw } => write!(f, "feature {gate}: {flaw}"),
            Self::Conflict { gate, version } => {
                write!(f, "feature gate {gate} with different spec already exists, at version {version}")
            }
            Self::UnknownGate { gate } => write!(f, "cannot add dependency for unknown feature {gate}"),
            Self::UnknownDependency { gate, dependency } => {
                write!(f, "cannot add dependency from {gate} to unknown feature {dependency}")
            }
            Self::LessStable { gate, dependency, version } => {
                write!(
                    f,
                    "feature {gate} cannot depend on less stable feature {dependency} at version {version}"
                )
            }
            Self::OffByDefault { gate, dependency, version } => write!(
                f,
                "default-enabled feature {gate} cannot depend on default-disabled feature {dependency} \
                 at version {version}"
            ),
            Self::Unlocked { gate, dependency, version } => write!(
                f,
                "locked-to-default feature {gate} cannot depend on unlocked feature {dependency} \
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

/// The rule that a gate's versioned specs break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecsFlaw(Flaw);

impl From<Flaw> for SpecsFlaw {
    fn from(flaw: Flaw) -> Self {
        Self(flaw)
    }
}

impl fmt::Display for SpecsFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}
