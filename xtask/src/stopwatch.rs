//! [`Stopwatch`]: measures the real time of a step. No other file of these commands reads a clock.

use std::fmt;
use std::time::Duration;

/// A measurement of time from its start.
#[derive(Debug)]
#[expect(
    clippy::disallowed_types,
    reason = "steps are programs that run in real time, not tasks under a paused clock"
)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_types, reason = "see `Stopwatch`")]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Elapsed {
        Elapsed(self.0.elapsed())
    }
}

/// The duration of a step, formatted as `0.4 s`, `12.0 s` or `2 min 05 s`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elapsed(pub(crate) Duration);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if seconds < 59.95 {
            write!(f, "{seconds:.1} s")
        } else {
            let whole = self.0.as_secs();
            write!(f, "{} min {:02} s", whole / 60, whole % 60)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_have_tenths_and_long_times_have_minutes() {
        assert_eq!(Elapsed(Duration::from_millis(420)).to_string(), "0.4 s");
        assert_eq!(Elapsed(Duration::from_secs(125)).to_string(), "2 min 05 s");
    }
}
