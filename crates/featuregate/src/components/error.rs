//! [`ComponentError`]: why components could not be registered or set.

use std::{error::Error, fmt};

use super::version::VersionError;
use crate::{
    error::{Problem, SetError},
    version::{ParseVersionError, Version},
};

/// A component could not be registered or set, or its versions or gates are invalid.
#[derive(Clone, PartialEq, Eq)]
pub struct ComponentError {
    component: Box<str>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Registered,
    Unknown,
    WithoutGates,
    Mapped,
    MappedTwice,
    NoMapping { from: Box<str>, version: Version },
    Circle,
    VersionTwice { first: Version, second: Version },
    ParseVersion(ParseVersionError),
    TwoNames,
    Version(VersionError),
    Gates(SetError),
}

impl ComponentError {
    fn new(component: &str, kind: Kind) -> Self {
        Self { component: component.into(), kind }
    }

    pub(super) fn registered(component: &str) -> Self {
        Self::new(component, Kind::Registered)
    }

    pub(super) fn unknown(component: &str) -> Self {
        Self::new(component, Kind::Unknown)
    }

    pub(super) fn without_gates(component: &str) -> Self {
        Self::new(component, Kind::WithoutGates)
    }

    pub(super) fn mapped(component: &str) -> Self {
        Self::new(component, Kind::Mapped)
    }

    pub(super) fn mapped_twice(component: &str) -> Self {
        Self::new(component, Kind::MappedTwice)
    }

    pub(super) fn no_mapping(component: &str, from: &str, version: Version) -> Self {
        Self::new(component, Kind::NoMapping { from: from.into(), version })
    }

    pub(super) fn circle(component: &str) -> Self {
        Self::new(component, Kind::Circle)
    }

    pub(super) fn version_twice(component: &str, first: Version, second: Version) -> Self {
        Self::new(component, Kind::VersionTwice { first, second })
    }

    pub(super) fn parse_version(component: &str, error: ParseVersionError) -> Self {
        Self::new(component, Kind::ParseVersion(error))
    }

    pub(super) fn two_names(component: &str) -> Self {
        Self::new(component, Kind::TwoNames)
    }

    pub(super) fn version(component: &str, error: VersionError) -> Self {
        Self::new(component, Kind::Version(error))
    }

    pub(super) fn gates(component: &str, error: SetError) -> Self {
        Self::new(component, Kind::Gates(error))
    }

    /// Returns the component's name.
    pub fn component(&self) -> &str {
        &self.component
    }

    /// Returns whether no component of this name is registered.
    pub fn is_unknown(&self) -> bool {
        self.kind == Kind::Unknown
    }

    /// Returns the problems of the component's gates, if the gates refused.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        let error = if let Kind::Gates(error) = &self.kind { Some(error) } else { None };
        error.into_iter().flat_map(SetError::problems)
    }
}

impl fmt::Display for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let component = &*self.component;
        match &self.kind {
            Kind::Registered => write!(f, "component {component} is already registered"),
            Kind::Unknown => write!(f, "component not registered: {component}"),
            Kind::WithoutGates => write!(f, "component {component} has no feature gates"),
            Kind::Mapped => write!(f, "the version of {component} is set by mapping, cannot set it by flag"),
            Kind::MappedTwice => {
                write!(f, "a mapping to the version of {component} already exists from another component")
            }
            Kind::NoMapping { from, version } => {
                write!(f, "the mapping of {from}={version} to {component} has no version")
            }
            Kind::Circle => {
                write!(f, "the version of {component} is set more than once, probably by a loop of mappings")
            }
            Kind::VersionTwice { first, second } => {
                write!(f, "duplicate version flag, {component}={first} and {component}={second}")
            }
            Kind::ParseVersion(_) => write!(f, "invalid version of component {component}"),
            Kind::TwoNames => write!(
                f,
                "set {component} feature gates with default empty prefix or {component}: prefix \
                 consistently, do not mix use"
            ),
            Kind::Version(_) => write!(f, "component {component} has invalid versions"),
            Kind::Gates(_) => write!(f, "cannot set the feature gates of component {component}"),
        }
    }
}

/// Prints the message and its cause, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source() {
            Some(cause) => write!(f, "{self}: {cause}"),
            None => fmt::Display::fmt(self, f),
        }
    }
}

impl Error for ComponentError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::ParseVersion(error) => Some(error),
            Kind::Version(error) => Some(error),
            Kind::Gates(error) => Some(error),
            _ => None,
        }
    }
}
