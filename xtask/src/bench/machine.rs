//! The CPU use of the machine before a run: other programs make its figures worth less.

use crate::failure::{Failure, While};
use std::path::Path;
use std::time::Duration;

/// The time for which the use is read.
const WINDOW: Duration = Duration::from_secs(2);
/// The use, in percent, above which the rows of a run say so.
const IDLE: f64 = 10.0;

/// The jiffies of all processors since the start of the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Jiffies {
    idle: u64,
    all: u64,
}

/// Reads the CPU use for two seconds. Returns the percentage if it is above 10 %; `None` if the machine is idle, or is not
/// known to be busy because it has no `/proc/stat`.
///
/// # Errors
///
/// If `/proc/stat` has another format.
#[expect(clippy::disallowed_methods, reason = "nothing else runs meanwhile: that is what is measured")]
pub(super) fn busy_percent() -> Result<Option<f64>, Failure> {
    let file = Path::new("/proc/stat");
    if !file.exists() {
        return Ok(None);
    }
    let read = || {
        let text = std::fs::read_to_string(file).doing(file.display())?;
        Jiffies::read(&text)
            .ok_or_else(|| Failure::new("/proc/stat: its first line is not that of all processors"))
    };
    let before = read()?;
    std::thread::sleep(WINDOW);
    Ok(read()?.busy_percent_since(before).filter(|percent| is_busy(*percent)))
}

/// Whether a use, in percent, makes figures worth less.
fn is_busy(percent: f64) -> bool {
    percent > IDLE
}

impl Jiffies {
    /// Reads the line `cpu  USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL GUEST GUEST_NICE`. The guests' time is part of
    /// the user time.
    fn read(stat: &str) -> Option<Self> {
        let numbers = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace().take(8);
        let numbers = numbers.map(|number| number.parse().ok()).collect::<Option<Vec<u64>>>()?;
        let idle = numbers.get(3)? + numbers.get(4)?;
        Some(Self { idle, all: numbers.iter().sum() })
    }

    /// Returns `None` if no time has passed.
    fn busy_percent_since(self, earlier: Self) -> Option<f64> {
        let all = self.all.checked_sub(earlier.all).filter(|all| *all > 0)?;
        let idle = self.idle.saturating_sub(earlier.idle);
        Some(100.0 * all.saturating_sub(idle) as f64 / all as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_use_is_the_share_of_the_time_that_is_not_idle() {
        let before = Jiffies::read("cpu  100 0 50 800 50 0 0 0 7 7\ncpu0 1 1 1 1\n")
            .expect("a line of all processors");
        assert_eq!(before, Jiffies { idle: 850, all: 1000 });
        let after = Jiffies::read("cpu  160 0 60 1100 80 0 0 0 7 7\n").expect("a line of all processors");
        assert_eq!(after.busy_percent_since(before), Some(17.5));
        assert_eq!(before.busy_percent_since(before), None, "no time has passed");
    }

    #[test]
    fn a_machine_is_busy_above_ten_percent() {
        assert!(!is_busy(0.0) && !is_busy(10.0) && is_busy(10.1));
    }

    #[test]
    fn another_format_is_refused() {
        for text in ["", "cpu0 1 2 3 4 5\n", "cpu  1 2 x 4 5\n", "cpu  1 2 3 4\n"] {
            assert_eq!(Jiffies::read(text), None, "{text:?}");
        }
    }
}
