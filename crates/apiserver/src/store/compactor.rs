//! [`Compactor`]: which versions a list can no longer ask for, because time has passed. Upstream compacts etcd at
//! regular times, each time up to the version of the time before; what watches remember is another matter.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// kube-apiserver's default.
const PERIOD: Duration = Duration::from_secs(300);

/// Knows which version was the newest at the last two times of compaction, without a timer.
#[derive(Debug, Default)]
pub(super) struct Compactor {
    /// The time of the first commit: periods count from there.
    started: Option<Instant>,
    /// For each period with a commit, its number and the version before that commit; those that are still needed.
    firsts: VecDeque<(u64, u64)>,
}

impl Compactor {
    /// A commit is about to follow `version`.
    pub(super) fn commits(&mut self, now: Instant, version: u64) {
        let started = *self.started.get_or_insert(now);
        let period = number(started, now);
        if self.firsts.back().is_none_or(|(newest, _)| *newest < period) {
            self.firsts.push_back((period, version));
            while self.firsts.front().is_some_and(|(oldest, _)| oldest + 1 < period) {
                self.firsts.pop_front();
            }
        }
    }

    /// The oldest version that can be asked for now, when the newest is `version`: that of the last time of compaction but
    /// one. 0 before there were two.
    pub(super) fn oldest(&self, now: Instant, version: u64) -> u64 {
        let period = self.started.map_or(0, |started| number(started, now));
        if period < 2 {
            return 0;
        }
        let since = self.firsts.iter().find(|(first, _)| first + 1 >= period);
        since.map_or(version, |(_, before)| *before)
    }
}

fn number(started: Instant, now: Instant) -> u64 {
    now.saturating_duration_since(started).as_secs() / PERIOD.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_last_time_but_one_is_gone() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut compactor = Compactor::default();
        compactor.commits(at(0), 1); // makes 2
        assert_eq!(compactor.oldest(at(599), 2), 0, "one time of compaction has passed");
        assert_eq!(compactor.oldest(at(600), 2), 2, "2 was the newest at 300 s");
        compactor.commits(at(610), 2); // makes 3
        compactor.commits(at(620), 3); // makes 4
        assert_eq!(compactor.oldest(at(899), 4), 2);
        assert_eq!(compactor.oldest(at(900), 4), 2, "still the newest at 600 s");
        compactor.commits(at(950), 4); // makes 5
        assert_eq!(compactor.oldest(at(1200), 5), 4, "the newest at 900 s");
        assert_eq!(compactor.oldest(at(1500), 5), 5);
        assert!(compactor.firsts.len() <= 2);
    }
}
