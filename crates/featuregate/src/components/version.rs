//! [`EffectiveVersion`]: the three versions of a component, and their lower bounds.

use std::fmt;

use crate::{error::SetError, registry::FeatureGates, version::Version};

/// The binary's version, the emulation version, and the min compatibility version of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveVersion {
    binary: Version,
    emulation: Version,
    min_compatibility: Version,
    emulation_floor: Version,
    min_compatibility_floor: Version,
}

impl EffectiveVersion {
    /// Creates a version that emulates the binary's version, with the minor version before it as the min
    /// compatibility version.
    pub const fn new(binary: Version) -> Self {
        Self {
            binary,
            emulation: binary,
            min_compatibility: binary.previous_minor(),
            emulation_floor: Version::ALWAYS,
            min_compatibility_floor: Version::ALWAYS,
        }
    }

    /// Sets lower bounds for the emulation version and the min compatibility version.
    #[must_use]
    pub const fn with_floors(mut self, emulation: Version, min_compatibility: Version) -> Self {
        self.emulation_floor = emulation;
        self.min_compatibility_floor = min_compatibility;
        self
    }

    /// Returns the version of the binary.
    pub const fn binary(&self) -> Version {
        self.binary
    }

    /// Returns the emulation version.
    pub const fn emulation(&self) -> Version {
        self.emulation
    }

    /// Returns the min compatibility version.
    pub const fn min_compatibility(&self) -> Version {
        self.min_compatibility
    }

    /// Sets the emulation version, and the min compatibility version to the minor version before it, but not
    /// below its lower bound.
    pub fn set_emulation(&mut self, version: Version) {
        self.emulation = version;
        self.min_compatibility = version.previous_minor().max(self.min_compatibility_floor);
    }

    /// Sets the min compatibility version. Call it after [`set_emulation`](Self::set_emulation), which
    /// changes it.
    pub fn set_min_compatibility(&mut self, version: Version) {
        self.min_compatibility = version;
    }

    /// Checks that floor ≤ emulation version ≤ binary version, and floor ≤ min compatibility version ≤
    /// emulation version.
    ///
    /// # Errors
    ///
    /// If one of the versions is out of its range.
    pub fn validate(&self) -> Result<(), VersionError> {
        let emulation = self.emulation_floor <= self.emulation && self.emulation <= self.binary;
        let floor = self.min_compatibility_floor;
        let compatibility = floor <= self.min_compatibility && self.min_compatibility <= self.emulation;
        if emulation && compatibility {
            Ok(())
        } else {
            Err(VersionError { version: *self, emulation, compatibility })
        }
    }

    /// Returns the range of emulation versions for the help of a flag: `1.31..1.35(default:1.35)`.
    pub fn emulation_range(&self) -> String {
        format!("{}..{}(default:{})", self.emulation_floor, self.binary, self.emulation)
    }

    /// Returns the range of min compatibility versions for the help of a flag.
    pub fn min_compatibility_range(&self) -> String {
        format!("{}..{}(default:{})", self.min_compatibility_floor, self.binary, self.min_compatibility)
    }

    pub(crate) fn apply_to(&self, gates: &FeatureGates) -> Result<(), SetError> {
        gates.set_versions(self.emulation, self.min_compatibility)
    }
}

/// A component's version is out of its range: [`EffectiveVersion::validate`].
#[derive(Clone, PartialEq, Eq)]
pub struct VersionError {
    version: EffectiveVersion,
    emulation: bool,
    compatibility: bool,
}

impl VersionError {
    /// Returns whether the emulation version is out of its range.
    pub fn is_emulation(&self) -> bool {
        !self.emulation
    }

    /// Returns whether the min compatibility version is out of its range.
    pub fn is_min_compatibility(&self) -> bool {
        !self.compatibility
    }
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EffectiveVersion {
            binary,
            emulation,
            min_compatibility,
            emulation_floor,
            min_compatibility_floor,
        } = self.version;
        if !self.emulation {
            write!(f, "emulation version {emulation} is not between [{emulation_floor}, {binary}]")?;
        }
        if !self.emulation && !self.compatibility {
            f.write_str("; ")?;
        }
        if !self.compatibility {
            write!(
                f,
                "min compatibility version {min_compatibility} is not between [{min_compatibility_floor}, {emulation}]"
            )?;
        }
        Ok(())
    }
}

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for VersionError {}

#[cfg(test)]
mod tests {
    use super::*;

    const V131: Version = Version::new(1, 31);

    /// `compatibility.TestValidate`.
    #[test]
    fn versions_are_held_between_the_floors_and_the_binary() {
        let floors = |emulation, compatibility| {
            EffectiveVersion::new(V131)
                .with_floors(Version::new(1, emulation), Version::new(1, compatibility))
        };
        for (emulation, min_compatibility, floors, emulation_ok, compatibility_ok) in [
            (31, 30, floors(0, 0), true, true),
            (32, 31, floors(0, 0), false, true),
            (31, 32, floors(0, 0), true, false),
            (30, 30, floors(30, 29), true, true),
            (29, 29, floors(30, 29), false, true),
            (30, 28, floors(30, 29), true, false),
        ] {
            let mut version = floors;
            version.set_emulation(Version::new(1, emulation));
            version.set_min_compatibility(Version::new(1, min_compatibility));
            let outcome = version.validate();
            let wrong =
                outcome.as_ref().err().map(|error| (error.is_emulation(), error.is_min_compatibility()));
            let expected = (!emulation_ok || !compatibility_ok).then_some((!emulation_ok, !compatibility_ok));
            assert_eq!(wrong, expected, "{version:?}");
        }
    }

    /// `compatibility.TestSetEmulationVersion`.
    #[test]
    fn compatibility_follows_the_emulated_version_down_to_its_floor() {
        let mut version = EffectiveVersion::new(V131).with_floors(Version::new(1, 28), Version::new(1, 29));
        version.set_emulation(Version::new(1, 31));
        assert_eq!(version.min_compatibility(), Version::new(1, 30));
        version.set_emulation(Version::new(1, 29));
        assert_eq!(version.min_compatibility(), Version::new(1, 29));
    }
}
