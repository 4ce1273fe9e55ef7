//! [`Version`]: the major and minor version of a component.

use std::{fmt, str::FromStr};

/// A major and a minor version, as in gate declarations and for emulation: `1.35`.
///
/// ```
/// use trimtab_featuregate::Version;
///
/// let version: Version = "1.35".parse()?;
/// assert_eq!(version, Version::new(1, 35));
/// assert!(version > Version::new(1, 9)); // numbers, not text
/// # Ok::<(), trimtab_featuregate::ParseVersionError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u16,
    minor: u16,
}

impl Version {
    /// The lowest version. A gate whose spec starts at it exists at every version.
    pub const ALWAYS: Self = Self::new(0, 0);

    /// Creates the version `major.minor`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Returns the major version.
    pub const fn major(self) -> u16 {
        self.major
    }

    /// Returns the minor version.
    pub const fn minor(self) -> u16 {
        self.minor
    }

    /// Returns the minor version before this one, within the same major version; `.0` stays `.0`. It is the
    /// default min compatibility version.
    pub const fn previous_minor(self) -> Self {
        Self { major: self.major, minor: self.minor.saturating_sub(1) }
    }

    /// Returns whether `self < other`, in a constant expression.
    pub(crate) const fn is_before(self, other: Self) -> bool {
        self.major < other.major || (self.major == other.major && self.minor < other.minor)
    }

    /// Returns whether `self == other`, in a constant expression.
    pub(crate) const fn equals(self, other: Self) -> bool {
        self.major == other.major && self.minor == other.minor
    }

    /// Parses the version literals of [`gates!`](crate::gates).
    #[doc(hidden)]
    pub const fn literal(text: &str) -> Self {
        match Self::parse(text.as_bytes()) {
            Some(version) => version,
            None => panic!("a gate's version has the form `major.minor`"),
        }
    }

    const fn parse(text: &[u8]) -> Option<Self> {
        let mut numbers = [0u16; 2];
        let (mut which, mut digits, mut at) = (0, 0, 0);
        while at < text.len() {
            match text[at] {
                b'.' if which == 0 && digits > 0 => (which, digits) = (1, 0),
                // Five digits could overflow 16 bits; no version has so many.
                digit @ b'0'..=b'9' if digits < 4 => {
                    numbers[which] = numbers[which] * 10 + (digit - b'0') as u16;
                    digits += 1;
                }
                _ => return None,
            }
            at += 1;
        }
        if which == 1 && digits > 0 { Some(Self::new(numbers[0], numbers[1])) } else { None }
    }
}

/// A text that is not a version: it is not `major.minor`, or it has a patch version.
#[derive(Clone, PartialEq, Eq)]
pub struct ParseVersionError(String);

impl fmt::Display for ParseVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid version {:?}: expected `major.minor` without a patch version", self.0)
    }
}

/// Prints the message, so that a `main` that returns the error with `?` is readable.
impl fmt::Debug for ParseVersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ParseVersionError {}

impl FromStr for Version {
    type Err = ParseVersionError;

    /// Parses `1.35`, `v1.35` or `1.35.0`, the forms that `--emulated-version` accepts.
    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let number = text.strip_prefix('v').unwrap_or(text);
        let number = number.strip_suffix(".0").filter(|rest| rest.contains('.')).unwrap_or(number);
        Self::parse(number.as_bytes()).ok_or_else(|| ParseVersionError(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_a_v_or_a_zero_patch_and_nothing_else() {
        for text in ["1.35", "v1.35", "1.35.0", "v1.35.0"] {
            assert_eq!(text.parse(), Ok(Version::new(1, 35)), "{text}");
        }
        assert_eq!("1.0".parse(), Ok(Version::new(1, 0)));
        for text in
            ["", "1", "v", "1.", ".1", "1.35.1", "1.35.0.0", "1.-3", "1.35-alpha", "1.123456", "vv1.2"]
        {
            assert!(text.parse::<Version>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_previous_minor_version_stays_within_the_major_version() {
        assert_eq!(Version::new(1, 35).previous_minor(), Version::new(1, 34));
        assert_eq!(Version::new(2, 0).previous_minor(), Version::new(2, 0));
    }
}
