//! [`Time`] and [`MicroTime`]: points in time as Kubernetes' Go types read and write them.
//!
//! The types of `k8s_openapi` end at the last day of jiff's range, 9999-12-30; Go's do not, and users write
//! `9999-12-31T23:59:59Z` for *never*.

mod calendar;
mod parse;

use std::{fmt, str::FromStr};

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1 as meta,
    jiff::{SignedDuration, Timestamp},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// A point in time: upstream's `metav1.Time`.
///
/// Reads every text that Go reads, and refuses every text that Go refuses: RFC 3339 with `T` and `Z` in upper case, the
/// years 0000 to 9999, any number of decimals behind a point or a comma, and offsets up to 24 hours. Decimals after the
/// ninth are dropped. Printed in UTC, in whole seconds, as upstream prints it.
///
/// ```
/// use trimtab_cache::Time;
///
/// let never: Time = "9999-12-31T23:59:59Z".parse()?;
/// let midnight: Time = "2024-02-29T00:00:00.5+01:00".parse()?;
/// assert!(midnight < never);
/// assert_eq!(midnight.to_string(), "2024-02-28T23:00:00Z");
/// # Ok::<(), trimtab_cache::ParseTimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    seconds: i64,
    nanos: u32,
}

/// A point in time with microseconds: upstream's `metav1.MicroTime`, which Leases and Events have.
///
/// Reads what Go reads: as [`Time`], but with exactly six decimals. Printed in UTC with six decimals.
///
/// ```
/// use trimtab_cache::{MicroTime, Time};
///
/// let renewed: MicroTime = "2024-02-29T00:00:00.000001Z".parse()?;
/// assert!(Time::from(renewed) > "2024-02-29T00:00:00Z".parse()?);
/// "2024-02-29T00:00:00Z".parse::<MicroTime>().unwrap_err();
/// # Ok::<(), trimtab_cache::ParseTimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(Time);

/// A text is not a time that Kubernetes accepts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a time: expected {expected}")]
pub struct ParseTimeError {
    text: String,
    expected: &'static str,
}

impl Time {
    /// Returns the time that many seconds after 1970-01-01T00:00:00Z.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// Returns the whole seconds since 1970-01-01T00:00:00Z, rounded down.
    pub fn unix_seconds(&self) -> i64 {
        self.seconds
    }

    /// Returns the nanoseconds after the whole second.
    pub fn subsec_nanos(&self) -> u32 {
        self.nanos
    }

    /// Returns the time of the `k8s_openapi` type; `None` outside of its range, which ends a day before the year
    /// 10000.
    pub fn to_timestamp(&self) -> Option<Timestamp> {
        Timestamp::new(self.seconds, self.nanos as i32).ok()
    }

    /// Returns the time from `earlier` until this one; negative if `earlier` is later.
    pub fn duration_since(&self, earlier: impl Into<Self>) -> SignedDuration {
        let earlier = earlier.into();
        SignedDuration::new(self.seconds - earlier.seconds, self.nanos as i32 - earlier.nanos as i32)
    }
}

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        // jiff counts the part of a second towards zero, and this type always upwards.
        let nanos = time.as_nanosecond();
        let seconds = nanos.div_euclid(1_000_000_000) as i64;
        Self { seconds, nanos: nanos.rem_euclid(1_000_000_000) as u32 }
    }
}

impl From<&meta::Time> for Time {
    fn from(time: &meta::Time) -> Self {
        time.0.into()
    }
}

impl From<&meta::MicroTime> for MicroTime {
    fn from(time: &meta::MicroTime) -> Self {
        Self::from(Time::from(time.0))
    }
}

impl From<MicroTime> for Time {
    fn from(time: MicroTime) -> Self {
        time.0
    }
}

/// Truncates to microseconds.
impl From<Time> for MicroTime {
    fn from(time: Time) -> Self {
        Self(Time { nanos: time.nanos / 1_000 * 1_000, ..time })
    }
}

/// Fails outside of the range of the `k8s_openapi` type.
impl TryFrom<Time> for meta::Time {
    type Error = ParseTimeError;

    fn try_from(time: Time) -> Result<Self, ParseTimeError> {
        time.to_timestamp().map(Self).ok_or_else(|| out_of_range(&time))
    }
}

/// Fails outside of the range of the `k8s_openapi` type.
impl TryFrom<MicroTime> for meta::MicroTime {
    type Error = ParseTimeError;

    fn try_from(time: MicroTime) -> Result<Self, ParseTimeError> {
        time.0.to_timestamp().map(Self).ok_or_else(|| out_of_range(&time))
    }
}

fn out_of_range(time: &impl fmt::Display) -> ParseTimeError {
    ParseTimeError { text: time.to_string(), expected: "one in the range of `jiff::Timestamp`" }
}

impl FromStr for Time {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let expected = "RFC 3339, as in 2006-01-02T15:04:05Z";
        let (seconds, nanos) = parse::time(text, parse::decimals)
            .ok_or_else(|| ParseTimeError { text: text.to_owned(), expected })?;
        Ok(Self { seconds, nanos })
    }
}

impl FromStr for MicroTime {
    type Err = ParseTimeError;

    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let expected = "RFC 3339 with six decimals, as in 2006-01-02T15:04:05.000000Z";
        let (seconds, nanos) = parse::time(text, parse::six_decimals)
            .ok_or_else(|| ParseTimeError { text: text.to_owned(), expected })?;
        Ok(Self(Time { seconds, nanos }))
    }
}

/// In UTC, in whole seconds.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}Z", calendar::DateTime::of(self.seconds))
    }
}

/// In UTC, with six decimals.
impl fmt::Display for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}Z", calendar::DateTime::of(self.0.seconds), self.0.nanos / 1_000)
    }
}

/// In UTC, with the decimals that are not zero.
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", calendar::DateTime::of(self.seconds))?;
        if self.nanos > 0 {
            write!(f, ".{}", format!("{:09}", self.nanos).trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! as_text {
    ($($time:ident)*) => {
        $(
            /// As a string, as it is printed.
            impl Serialize for $time {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.collect_str(self)
                }
            }

            /// From a string. A field that may be `null` is an `Option`.
            impl<'de> Deserialize<'de> for $time {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    #[derive(Deserialize)]
                    struct Text<'a>(#[serde(borrow)] std::borrow::Cow<'a, str>);
                    Text::deserialize(deserializer)?.0.parse().map_err(D::Error::custom)
                }
            }
        )*
    };
}

as_text! { Time MicroTime }
