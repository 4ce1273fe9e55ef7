//! Faults as text: `operator@120+2w lose-reply`, so that a plan can be pasted into a test.

use std::{fmt, str::FromStr, time::Duration};

use super::{Fault, PlannedFault, Requests};

/// The text of a plan is malformed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no part of a plan: {problem}")]
pub struct ParsePlanError {
    pub(crate) text: String,
    pub(crate) problem: String,
}

impl ParsePlanError {
    pub(crate) fn new(text: &str, problem: impl Into<String>) -> Self {
        Self { text: text.to_owned(), problem: problem.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match *self {
            Self::Refuse(code) => write!(f, " {code}"),
            Self::SetClock(by) => write!(f, " {by}"),
            Self::Drift { rate, lasts } => write!(f, " {rate} {}", lasts.as_millis()),
            Self::TakeLease(pick)
            | Self::Delete(pick)
            | Self::Recreate(pick)
            | Self::Rival(pick)
            | Self::TerminateNamespace(pick) => write!(f, " {pick}"),
            mut other => other.durations().iter().try_for_each(|time| write!(f, " {}", time.as_millis())),
        }
    }
}

impl fmt::Display for PlannedFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.process, self.at.as_millis())?;
        if self.skip > 0 {
            write!(f, "+{}", self.skip)?;
        }
        f.write_str(match self.requests {
            Requests::Any => "",
            Requests::Reads => "r",
            Requests::Writes => "w",
        })?;
        write!(f, " {}", self.fault)
    }
}

impl FromStr for PlannedFault {
    type Err = ParsePlanError;

    fn from_str(text: &str) -> Result<Self, ParsePlanError> {
        let error = |problem: &str| ParsePlanError::new(text, problem);
        let (place, fault) = text.trim().split_once(' ').ok_or_else(|| error("a fault is missing"))?;
        let (process, time) = place.rsplit_once('@').ok_or_else(|| error("`@` and a time are missing"))?;
        let (time, requests) = match (time.strip_suffix('r'), time.strip_suffix('w')) {
            (Some(time), _) => (time, Requests::Reads),
            (_, Some(time)) => (time, Requests::Writes),
            _ => (time, Requests::Any),
        };
        let (at, skip) = time.split_once('+').unwrap_or((time, "0"));
        let at = at.parse().map_err(|_| error("the time is no number of milliseconds"))?;
        let skip = skip.parse().map_err(|_| error("the number of requests to skip is none"))?;
        let fault = fault.parse()?;
        Ok(Self { at: Duration::from_millis(at), process: process.into(), skip, requests, fault })
    }
}

impl FromStr for Fault {
    type Err = ParsePlanError;

    fn from_str(text: &str) -> Result<Self, ParsePlanError> {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let numbers: Vec<i64> = words
            .map(|word| word.parse().map_err(|_| ParsePlanError::new(text, format!("{word:?} is no number"))))
            .collect::<Result<Vec<i64>, ParsePlanError>>()?;
        let number = |index: usize| {
            let number = numbers.get(index).copied();
            number.ok_or_else(|| ParsePlanError::new(text, format!("{name} takes {} numbers", index + 1)))
        };
        let time = |index: usize| -> Result<Duration, ParsePlanError> {
            Ok(Duration::from_millis(u64::try_from(number(index)?).unwrap_or(0)))
        };
        let pick =
            |index: usize| -> Result<u32, ParsePlanError> { Ok(u32::try_from(number(index)?).unwrap_or(0)) };
        Ok(match name {
            "lose-request" => Self::LoseRequest,
            "lose-reply" => Self::LoseReply,
            "late-commit" => Self::LateCommit(time(0)?),
            "delay" => Self::Delay(time(0)?),
            "refuse" => Self::Refuse(u16::try_from(number(0)?).unwrap_or(500)),
            "hang" => Self::Hang,
            "crash-before" => Self::CrashBefore(time(0)?),
            "crash-after" => Self::CrashAfter(time(0)?),
            "stale-read" => Self::StaleRead(time(0)?),
            "crash" => Self::Crash(time(0)?),
            "time-travel" => Self::TimeTravel { lag: time(0)?, lasts: time(1)? },
            "lag" => Self::Lag { lag: time(0)?, lasts: time(1)? },
            "unobserved" => Self::Unobserved(time(0)?),
            "cut-watches" => Self::CutWatches,
            "drop-bookmarks" => Self::DropBookmarks(time(0)?),
            "duplicate-events" => Self::DuplicateEvents(time(0)?),
            "partition" => Self::Partition(time(0)?),
            "pause" => Self::Pause(time(0)?),
            "suspend" => Self::Suspend(time(0)?),
            "drift" => Self::Drift { rate: pick(0)?, lasts: time(1)? },
            "set-clock" => Self::SetClock(number(0)?),
            "compact" => Self::Compact,
            "take-lease" => Self::TakeLease(pick(0)?),
            "delete" => Self::Delete(pick(0)?),
            "recreate" => Self::Recreate(pick(0)?),
            "rival" => Self::Rival(pick(0)?),
            "terminate-namespace" => Self::TerminateNamespace(pick(0)?),
            _ => return Err(ParsePlanError::new(text, "no fault has this name")),
        })
    }
}
