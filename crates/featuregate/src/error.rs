//! [`SetError`] and its [`Problem`]s: why gates could not be set. The messages are upstream's where upstream
//! has one.

use std::{error::Error, fmt};

use crate::{spec::Versions, version::Version};

/// A problem with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    gate: Box<str>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    MissingValue,
    InvalidValue(Box<str>),
    Unknown { suggestion: Option<Box<str>> },
    Locked { to: bool, unlocked_at: Option<Version> },
    NotAvailable { wanted: bool, emulation: Version, min_compatibility: Version },
    DependenciesDisabled(Vec<Box<str>>),
    NoDefaultYet(Version),
    DefaultLocked(bool),
    DefaultsClosed,
    Frozen,
    NewerThanBinary { emulation: Version, binary: Version },
    MinCompatibilityTooNew { min_compatibility: Version, emulation: Version },
}

impl Problem {
    fn new(gate: &str, kind: Kind) -> Self {
        Self { gate: gate.into(), kind }
    }

    pub(crate) fn missing_value(gate: &str) -> Self {
        Self::new(gate, Kind::MissingValue)
    }

    pub(crate) fn invalid_value(gate: &str, value: &str) -> Self {
        Self::new(gate, Kind::InvalidValue(value.into()))
    }

    pub(crate) fn unknown(gate: &str, suggestion: Option<&str>) -> Self {
        Self::new(gate, Kind::Unknown { suggestion: suggestion.map(Into::into) })
    }

    pub(crate) fn locked(gate: &str, to: bool, unlocked_at: Option<Version>) -> Self {
        Self::new(gate, Kind::Locked { to, unlocked_at })
    }

    pub(crate) fn not_available(gate: &str, wanted: bool, versions: Versions) -> Self {
        let Versions { emulation, min_compatibility } = versions;
        Self::new(gate, Kind::NotAvailable { wanted, emulation, min_compatibility })
    }

    pub(crate) fn dependencies_disabled(gate: &str, disabled: Vec<Box<str>>) -> Self {
        Self::new(gate, Kind::DependenciesDisabled(disabled))
    }

    pub(crate) fn no_default_yet(gate: &str, version: Version) -> Self {
        Self::new(gate, Kind::NoDefaultYet(version))
    }

    pub(crate) fn default_locked(gate: &str, to: bool) -> Self {
        Self::new(gate, Kind::DefaultLocked(to))
    }

    pub(crate) fn defaults_closed(gate: &str) -> Self {
        Self::new(gate, Kind::DefaultsClosed)
    }

    pub(crate) fn frozen(gate: &str) -> Self {
        Self::new(gate, Kind::Frozen)
    }

    pub(crate) fn newer_than_binary(emulation: Version, binary: Version) -> Self {
        Self::new("", Kind::NewerThanBinary { emulation, binary })
    }

    pub(crate) fn min_compatibility_too_new(min_compatibility: Version, emulation: Version) -> Self {
        Self::new("", Kind::MinCompatibilityTooNew { min_compatibility, emulation })
    }

    /// Returns the gate that the problem is about; `None` if it is about the versions or about all gates.
    pub fn gate(&self) -> Option<&str> {
        (!self.gate.is_empty()).then_some(&*self.gate)
    }

    /// Returns whether the text is malformed: it has no `=`, or its value is not a boolean.
    pub fn is_malformed(&self) -> bool {
        matches!(self.kind, Kind::MissingValue | Kind::InvalidValue(_))
    }

    /// Returns whether no gate has this name.
    pub fn is_unknown(&self) -> bool {
        matches!(self.kind, Kind::Unknown { .. })
    }

    /// Returns whether the gate is locked to its default.
    pub fn is_locked(&self) -> bool {
        matches!(self.kind, Kind::Locked { .. } | Kind::DefaultLocked(_))
    }

    /// Returns whether the gate does not exist yet at the emulation version.
    pub fn is_not_available(&self) -> bool {
        matches!(self.kind, Kind::NotAvailable { .. } | Kind::NoDefaultYet(_))
    }

    /// Returns the dependencies that are off although the gate is on.
    pub fn disabled_dependencies(&self) -> impl Iterator<Item = &str> {
        let disabled =
            if let Kind::DependenciesDisabled(disabled) = &self.kind { disabled.as_slice() } else { &[] };
        disabled.iter().map(|name| &**name)
    }

    /// Returns whether the gates are frozen or their defaults closed.
    pub fn is_frozen(&self) -> bool {
        matches!(self.kind, Kind::Frozen | Kind::DefaultsClosed)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gate = &*self.gate;
        match &self.kind {
            Kind::MissingValue => write!(f, "missing bool value for {gate}"),
            Kind::InvalidValue(value) => write!(f, "invalid value of {gate}={value}: expected true or false"),
            Kind::Unknown { suggestion: None } => write!(f, "unrecognized feature gate: {gate}"),
            Kind::Unknown { suggestion: Some(name) } => {
                write!(f, "unrecognized feature gate: {gate} (did you mean {name}?)")
            }
            Kind::Locked { to, unlocked_at } => {
                write!(f, "cannot set feature gate {gate} to {}, feature is locked to {to}", !to)?;
                match unlocked_at {
                    Some(version) => write!(f, " (it is not locked at version {version})"),
                    None => Ok(()),
                }
            }
            Kind::NotAvailable { wanted, emulation, min_compatibility } => write!(
                f,
                "cannot set feature gate {gate} to {wanted}, feature is PreAlpha at emulated version \
                 {emulation}, min compatibility version {min_compatibility}"
            ),
            Kind::DependenciesDisabled(names) => {
                write!(
                    f,
                    "{gate} is enabled, but depends on features that are disabled: [{}]",
                    names.join(" ")
                )
            }
            Kind::NoDefaultYet(version) => {
                write!(f, "cannot override default: feature {gate} is not available before version {version}")
            }
            Kind::DefaultLocked(to) => {
                write!(f, "cannot override default: feature {gate} default is locked to {to}")
            }
            Kind::DefaultsClosed => {
                write!(f, "cannot override default for feature {gate}: gates already added to a flag")
            }
            Kind::Frozen if gate.is_empty() => f.write_str("cannot emulate a version: the gates are frozen"),
            Kind::Frozen => write!(f, "cannot set feature gate {gate}: the gates are frozen"),
            Kind::NewerThanBinary { emulation, binary } => {
                write!(f, "emulation version {emulation} is newer than the binary's {binary}")
            }
            Kind::MinCompatibilityTooNew { min_compatibility, emulation } => write!(
                f,
                "min compatibility version {min_compatibility} is newer than the emulation version {emulation}"
            ),
        }
    }
}

/// The gates could not be set. Contains all problems of one input.
///
/// No gate's value has changed. The request is nevertheless kept, unless the text was malformed or the gates
/// are frozen: it is evaluated again whenever gates are set or another version is emulated, because flags may
/// be read before the emulation version is known.
#[derive(Clone, PartialEq, Eq)]
pub struct SetError {
    problems: Vec<Problem>,
}

impl SetError {
    /// Expects at least one problem.
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
        debug_assert!(!problems.is_empty(), "an error has a problem");
        Self { problems }
    }

    /// Returns `Ok` if there is no problem.
    pub(crate) fn check(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Returns all problems: malformed settings first, then the others by gate.
    pub fn problems(&self) -> impl ExactSizeIterator<Item = &Problem> {
        self.problems.iter()
    }
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for SetError {}
