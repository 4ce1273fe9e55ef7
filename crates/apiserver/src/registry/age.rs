//! Ages and durations as `kubectl` prints them. Apart from tables, because cells of many kinds show some.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// How long ago `time` was, as `kubectl` prints it.
pub(crate) fn ago(time: Timestamp, now: Timestamp) -> String {
    human_duration(now.duration_since(time))
}

/// A duration in two or three digits of its larger units: `119s`, `9m30s`, `3h`, `7d23h`, `2y`.
///
/// Upstream's `duration.HumanDuration`: a clock that is two seconds off or more shows as `<invalid>`.
pub(crate) fn human_duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let (days, years) = (hours / 24, hours / 24 / 365);
    let two = |large: i64, unit: &str, small: i64, below: &str| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit}{small}{below}"),
    };
    match () {
        () if seconds < -1 => "<invalid>".to_owned(),
        () if seconds < 0 => "0s".to_owned(),
        () if seconds < 120 => format!("{seconds}s"),
        () if minutes < 10 => two(minutes, "m", seconds % 60, "s"),
        () if minutes < 180 => format!("{minutes}m"),
        () if hours < 8 => two(hours, "h", minutes % 60, "m"),
        () if hours < 48 => format!("{hours}h"),
        () if days < 8 => two(days, "d", hours % 24, "h"),
        () if years < 2 => format!("{days}d"),
        () if years < 8 => two(years, "y", days % 365, "d"),
        () => format!("{years}y"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Upstream's `TestHumanDuration`.
    #[test]
    fn durations_are_printed_as_kubectl_prints_them() {
        const HOUR: i64 = 3600;
        const DAY: i64 = 24 * HOUR;
        for (seconds, text) in [
            (-5, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (119, "119s"),
            (120, "2m"),
            (9 * 60 + 30, "9m30s"),
            (10 * 60, "10m"),
            (179 * 60 + 59, "179m"),
            (3 * HOUR, "3h"),
            (7 * HOUR + 59 * 60, "7h59m"),
            (8 * HOUR, "8h"),
            (47 * HOUR, "47h"),
            (48 * HOUR, "2d"),
            (7 * DAY + 23 * HOUR, "7d23h"),
            (8 * DAY + 23 * HOUR, "8d"),
            (2 * 365 * DAY - 1, "729d"),
            (2 * 365 * DAY, "2y"),
            (3 * 365 * DAY + DAY, "3y1d"),
            (9 * 365 * DAY, "9y"),
        ] {
            assert_eq!(human_duration(SignedDuration::from_secs(seconds)), text, "{seconds}");
        }
    }
}
