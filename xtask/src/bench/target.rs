//! Targets of the benchmarks: the limits of their values.

/// The limit of a benchmark's value, as a multiple of a peer's value or as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Target {
    pub(super) bench: &'static str,
    /// `None` if the limit is for the value itself.
    pub(super) peer: Option<&'static str>,
    pub(super) limit: Limit,
}

/// A limit, which itself is within the target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

const fn relative(bench: &'static str, peer: &'static str, at_most: f64) -> Target {
    Target { bench, peer: Some(peer), limit: Limit::AtMost(at_most) }
}

const fn absolute(bench: &'static str, at_most: f64) -> Target {
    Target { bench, peer: None, limit: Limit::AtMost(at_most) }
}

const fn at_least(bench: &'static str, at_least: f64) -> Target {
    Target { bench, peer: None, limit: Limit::AtLeast(at_least) }
}

const fn relative_at_least(bench: &'static str, peer: &'static str, at_least: f64) -> Target {
    Target { bench, peer: Some(peer), limit: Limit::AtLeast(at_least) }
}

pub(super) const TARGETS: &[Target] = &[
    relative("informer/sync-cpu/view", "kube-runtime", 0.15),
    relative("informer/sync-cpu/view", "kube-runtime-view", 0.35),
    relative("informer/sync-cpu/view", "client-go-slim", 0.06),
    relative("informer/sync-rss/view", "kube-runtime", 0.04),
    relative("informer/sync-rss/view", "kube-runtime-view", 0.12),
    relative("informer/sync-rss/view", "client-go-slim", 0.4),
    relative("informer/sync-cpu/packed", "kube-runtime", 0.2),
    relative("informer/sync-rss/packed", "kube-runtime", 0.15),
    relative("informer/sync-cpu/whole", "kube-runtime", 0.8),
    relative("informer/sync-rss/whole", "kube-runtime", 0.8),
    relative("informer/follow-cpu/view", "kube-runtime", 0.15),
    relative("informer/follow-cpu/view", "kube-runtime-view", 0.35),
    relative("informer/follow-cpu/view", "limit", 1.5),
    relative("informer/follow-cpu/packed", "kube-runtime", 0.2),
    relative("informer/follow-cpu/whole", "kube-runtime", 0.8),
    relative("informer/list-cpu/view", "kube-runtime", 0.15),
    relative("informer/list-cpu/view", "kube-runtime-view", 0.35),
    relative("informer/list-cpu/view", "client-go-slim", 0.06),
    absolute("informer/list-peak/view", 1.2),
    absolute("informer/relist-peak/view", 1.2),
    absolute("informer/relist-peak/packed", 1.2),
    absolute("informer/relist-peak/whole", 1.2),
    relative("informer/latency-p50", "kube-runtime", 1.0),
    relative("informer/latency-p50", "kube-runtime-view", 1.0),
    relative("informer/latency-p50", "client-go", 1.0),
    relative("informer/latency-p50", "client-go-slim", 1.0),
    relative("informer/latency-p99", "kube-runtime", 1.0),
    relative("informer/latency-p99", "kube-runtime-view", 1.0),
    relative("informer/latency-p99", "client-go", 1.0),
    relative("informer/latency-p99", "client-go-slim", 1.0),
    relative("informer/real-cpu/view", "client-go-proto-slim", 0.4),
    absolute("informer/million-s", 30.0),
    absolute("informer/million-gib", 0.9),
    absolute("informer/million-flat", 1.3),
    relative("cache/update-3-indexes", "client-go", 0.33),
    relative("workqueue/backlog/1k", "client-go", 0.5),
    relative("workqueue/backlog/100k", "client-go", 0.25),
    relative("workqueue/backlog/1m", "client-go", 0.2),
    relative("workqueue/cycle/1x1/1k", "client-go", 0.7),
    relative("workqueue/cycle/1x1/100k", "client-go", 0.4),
    relative("workqueue/cycle/2x2/1k", "client-go", 0.8),
    relative("workqueue/cycle/2x2/100k", "client-go", 0.5),
    relative("workqueue/contention/8x8-threads", "client-go", 0.7),
    relative("workqueue/contention/8x8-add-p99.9", "client-go", 1.0),
    relative("workqueue/contention/8x8-tasks", "client-go", 0.7),
    relative("workqueue/contention/32x32-tasks", "client-go", 0.7),
    relative("workqueue/storm", "client-go", 0.9),
    relative("workqueue/storm-ref", "client-go", 0.6),
    relative("workqueue/delay-add/1m", "client-go", 0.25),
    relative("expectations/observe", "controller", 0.4),
    relative("expectations/ready", "controller", 0.3),
    absolute("expectations/ready", 50.0),
    absolute("expectations/wake-p99", 1_000.0),
    absolute("expectations/release-100k", 50.0),
    relative("ownership/claim", "controller", 0.3),
    absolute("ownership/adopt-1000", 1.5),
    relative("leaderelection/failover-term/watch", "client-go", 1.0),
    relative("leaderelection/failover-kill/watch", "client-go", 1.0),
    absolute("leaderelection/failover-kill-slowest/watch", 15.2),
    relative("leaderelection/requests/watch", "client-go", 1.0),
    absolute("leaderelection/valid", 30.0),
    absolute("leaderelection/valid-boot-time", 40.0),
    relative("leaderelection/thousand-cpu/shared-watch", "client-go", 0.25),
    relative("leaderelection/thousand-rss/shared-watch", "client-go", 0.25),
    absolute("leaderelection/warm", 10.0),
    relative("controller/latency-p50", "kube-runtime", 0.5),
    relative("controller/latency-p50", "controller-runtime", 0.5),
    relative("controller/latency-p99", "kube-runtime", 0.5),
    relative("controller/latency-p99", "controller-runtime", 0.5),
    relative("controller/loaded-p99", "kube-runtime", 0.5),
    relative("controller/loaded-p99", "controller-runtime", 0.5),
    relative_at_least("controller/throughput", "kube-runtime", 3.0),
    relative_at_least("controller/throughput", "controller-runtime", 3.0),
    absolute("controller/isolation-more", 5.0),
    relative("controller/many-s", "controller-runtime", 0.5),
    relative("controller/many-rss", "controller-runtime", 0.5),
    absolute("controller/idle-rss", 15.0),
    absolute("controller/binary", 12.0),
    relative("manager/rollout-cpu", "kube-controller-manager", 0.25),
    relative("manager/rollout-s", "kube-controller-manager", 0.9),
    relative("manager/rss", "kube-controller-manager", 0.2),
    relative("manager/failover-s", "kube-controller-manager", 1.0),
    relative("manager/image", "kube-controller-manager", 0.25),
    at_least("simulation/replicaset", 200.0),
    at_least("simulation/lease", 2_000.0),
    at_least("simulation/time", 500.0),
    at_least("apiserver/creates", 10_000.0),
    at_least("apiserver/patches", 10_000.0),
    relative("apiserver/create-cpu", "kube-apiserver", 0.05),
];

impl Target {
    /// Returns the value to compare with the limit; `None` if the peer has no value.
    pub(super) fn ratio(&self, ours: f64, theirs: Option<f64>) -> Option<f64> {
        match (self.peer, theirs) {
            (None, _) => Some(ours),
            (Some(_), Some(theirs)) if theirs > 0.0 => Some(ours / theirs),
            _ => None,
        }
    }

    /// Returns whether a value, or a multiple of the peer's value, is beyond the limit.
    pub(super) fn is_missed(&self, ratio: f64) -> bool {
        match self.limit {
            Limit::AtMost(most) => ratio > most,
            Limit::AtLeast(least) => ratio < least,
        }
    }

    /// Returns one line for the terminal.
    pub(super) fn describe(&self, ratio: f64) -> String {
        let Self { bench, peer, limit } = self;
        let value = peer.map_or_else(|| format!("{ratio:.2}"), |peer| format!("{ratio:.2}× {peer}"));
        let limit = match limit {
            Limit::AtMost(most) => format!("{most}"),
            Limit::AtLeast(least) => format!("at least {least}"),
        };
        let missed = if self.is_missed(ratio) { ": missed" } else { "" };
        format!("{bench}: {value}, target {limit}{missed}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_limits_the_value_or_its_ratio_to_a_peers_value() {
        let (alone, peer) = (absolute("queue/peak", 1.2), relative("queue/add", "client-go", 0.5));
        assert_eq!(alone.ratio(1.1, None), Some(1.1));
        assert_eq!(peer.ratio(1.0, Some(4.0)), Some(0.25));
        assert_eq!((peer.ratio(1.0, None), peer.ratio(1.0, Some(0.0))), (None, None));
    }

    #[test]
    fn a_missed_target_is_marked() {
        assert_eq!(
            relative("queue/add", "client-go", 0.5).describe(0.25),
            "queue/add: 0.25× client-go, target 0.5"
        );
        assert_eq!(absolute("queue/peak", 1.2).describe(1.3), "queue/peak: 1.30, target 1.2: missed");
        assert_eq!(at_least("queue/rate", 2.0).describe(1.5), "queue/rate: 1.50, target at least 2: missed");
        assert_eq!(at_least("queue/rate", 2.0).describe(2.5), "queue/rate: 2.50, target at least 2");
        assert_eq!(
            relative_at_least("queue/rate", "client-go", 3.0).describe(2.5),
            "queue/rate: 2.50× client-go, target at least 3: missed"
        );
    }
}
