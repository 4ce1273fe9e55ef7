//! What the informer's benches are to reach, beside what they did.

/// A bench's value, as a multiple of a peer's or by itself, and the most that it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reach {
    pub(super) bench: &'static str,
    /// `None` where the value itself is limited.
    pub(super) peer: Option<&'static str>,
    pub(super) at_most: f64,
}

const fn beside(bench: &'static str, peer: &'static str, at_most: f64) -> Reach {
    Reach { bench, peer: Some(peer), at_most }
}

const fn itself(bench: &'static str, at_most: f64) -> Reach {
    Reach { bench, peer: None, at_most }
}

pub(super) const REACHES: &[Reach] = &[
    beside("informer/sync-cpu/view", "kube-runtime", 0.15),
    beside("informer/sync-cpu/view", "kube-runtime-view", 0.35),
    beside("informer/sync-cpu/view", "client-go-slim", 0.06),
    beside("informer/sync-rss/view", "kube-runtime", 0.04),
    beside("informer/sync-rss/view", "kube-runtime-view", 0.12),
    beside("informer/sync-rss/view", "client-go-slim", 0.4),
    beside("informer/sync-cpu/packed", "kube-runtime", 0.2),
    beside("informer/sync-rss/packed", "kube-runtime", 0.15),
    beside("informer/sync-cpu/whole", "kube-runtime", 0.8),
    beside("informer/sync-rss/whole", "kube-runtime", 0.8),
    beside("informer/follow-cpu/view", "kube-runtime", 0.15),
    beside("informer/follow-cpu/view", "kube-runtime-view", 0.35),
    beside("informer/follow-cpu/view", "limit", 1.5),
    beside("informer/follow-cpu/packed", "kube-runtime", 0.2),
    beside("informer/follow-cpu/whole", "kube-runtime", 0.8),
    beside("informer/list-cpu/view", "kube-runtime", 0.15),
    beside("informer/list-cpu/view", "kube-runtime-view", 0.35),
    beside("informer/list-cpu/view", "client-go-slim", 0.06),
    itself("informer/list-peak/view", 1.2),
    itself("informer/relist-peak/view", 1.2),
    itself("informer/relist-peak/packed", 1.2),
    itself("informer/relist-peak/whole", 1.2),
    beside("informer/latency-p50", "kube-runtime", 1.0),
    beside("informer/latency-p50", "kube-runtime-view", 1.0),
    beside("informer/latency-p50", "client-go", 1.0),
    beside("informer/latency-p50", "client-go-slim", 1.0),
    beside("informer/latency-p99", "kube-runtime", 1.0),
    beside("informer/latency-p99", "kube-runtime-view", 1.0),
    beside("informer/latency-p99", "client-go", 1.0),
    beside("informer/latency-p99", "client-go-slim", 1.0),
    beside("informer/real-cpu/view", "client-go-proto-slim", 0.4),
    itself("informer/million-s", 60.0),
    itself("informer/million-gib", 2.5),
    itself("informer/million-flat", 1.3),
];

impl Reach {
    /// What the bench came to, of ours and the peer's value; `None` if the peer has none.
    pub(super) fn ratio(&self, ours: f64, theirs: Option<f64>) -> Option<f64> {
        match (self.peer, theirs) {
            (None, _) => Some(ours),
            (Some(_), Some(theirs)) if theirs > 0.0 => Some(ours / theirs),
            _ => None,
        }
    }

    /// One line for people.
    pub(super) fn describe(&self, ratio: f64) -> String {
        let Self { bench, peer, at_most } = self;
        let what = peer.map_or_else(|| format!("{ratio:.2}"), |peer| format!("{ratio:.2}× {peer}"));
        let missed = if ratio > *at_most { ": missed" } else { "" };
        format!("{bench}: {what}, to reach {at_most}{missed}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reach_is_of_the_value_or_of_its_multiple_of_a_peers() {
        let (alone, peer) = (itself("queue/peak", 1.2), beside("queue/add", "client-go", 0.5));
        assert_eq!(alone.ratio(1.1, None), Some(1.1));
        assert_eq!(peer.ratio(1.0, Some(4.0)), Some(0.25));
        assert_eq!((peer.ratio(1.0, None), peer.ratio(1.0, Some(0.0))), (None, None));
    }

    #[test]
    fn what_is_missed_says_so() {
        assert_eq!(
            beside("queue/add", "client-go", 0.5).describe(0.25),
            "queue/add: 0.25× client-go, to reach 0.5"
        );
        assert_eq!(itself("queue/peak", 1.2).describe(1.3), "queue/peak: 1.30, to reach 1.2: missed");
    }
}
