//! [`ResourceVersion`]: the number by which an API server orders the states of one resource.

use std::{fmt, num::NonZeroU64, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A resource version that can be compared with others **of the same resource** (KEP-5504).
///
/// Its text has decimal digits without a leading zero, is not `0`, and fits in 128 bits; serialized, it is that string.
/// Versions of a server that hands out anything else cannot be compared. Parsing then fails, and the caller should go
/// on as if the version were reached, as the consistency store of Kubernetes' own controllers does (KEP-5647).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceVersion(u128);

/// A resource version that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("resource version {0:?} cannot be compared: expected decimal digits without a leading zero")]
pub struct ParseVersionError(String);

impl ResourceVersion {
    /// Returns the version as a number.
    pub fn get(self) -> u128 {
        self.0
    }
}

impl From<NonZeroU64> for ResourceVersion {
    fn from(version: NonZeroU64) -> Self {
        Self(version.get().into())
    }
}

/// Fails for 0, which stands for any version in a request.
impl TryFrom<u64> for ResourceVersion {
    type Error = ParseVersionError;

    fn try_from(version: u64) -> Result<Self, ParseVersionError> {
        NonZeroU64::new(version).map(Self::from).ok_or_else(|| ParseVersionError(version.to_string()))
    }
}

/// As a string, as in an object's metadata.
impl Serialize for ResourceVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From a string.
impl<'de> Deserialize<'de> for ResourceVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl FromStr for ResourceVersion {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        let refused = || ParseVersionError(text.to_owned());
        let well_formed = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        if well_formed { text.parse().map(Self).map_err(|_| refused()) } else { Err(refused()) }
    }
}

impl fmt::Display for ResourceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> ResourceVersion {
        text.parse().expect("a well-formed version")
    }

    #[test]
    fn versions_compare_as_numbers_not_as_text() {
        assert!(version("9") < version("10"));
        assert!(version("18446744073709551616") > version("18446744073709551615"));
        assert_eq!(version("340282366920938463463374607431768211455").to_string(), u128::MAX.to_string());
    }

    #[test]
    fn versions_convert_from_and_to_numbers_and_serialized_strings() {
        assert_eq!(ResourceVersion::try_from(7), Ok(version("7")));
        assert_eq!(version("7").get(), 7);
        ResourceVersion::try_from(0).unwrap_err();
        assert_eq!(serde_json::to_string(&version("7")).unwrap(), r#""7""#);
        assert_eq!(serde_json::from_str::<ResourceVersion>(r#""7""#).unwrap(), version("7"));
        serde_json::from_str::<ResourceVersion>(r#""07""#).unwrap_err();
    }

    #[test]
    fn malformed_versions_are_refused() {
        for text in ["", "0", "01", "+1", "-1", "1.0", "abc", "340282366920938463463374607431768211456"] {
            assert!(text.parse::<ResourceVersion>().is_err(), "{text:?}");
        }
    }
}
