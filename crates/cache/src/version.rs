//! [`ResourceVersion`]: the numbers by which an API server orders the states of one resource.

use std::{fmt, str::FromStr};

/// A resource version that can be compared with others **of the same resource** (KEP-5504).
///
/// Well formed are decimal digits without a leading zero, other than `0`, of at most 128 bit. A
/// server that hands out anything else cannot be compared: parsing fails, and whoever asked should
/// fail open, as the consistency store of Kubernetes' own controllers does (KEP-5647).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceVersion(u128);

/// A resource version that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("resource version {0:?} cannot be compared: expected decimal digits without a leading zero")]
pub struct ParseVersionError(String);

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
    fn malformed_versions_are_refused() {
        for text in ["", "0", "01", "+1", "-1", "1.0", "abc", "340282366920938463463374607431768211456"] {
            assert!(text.parse::<ResourceVersion>().is_err(), "{text:?}");
        }
    }
}
