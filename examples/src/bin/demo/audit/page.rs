//! [`Page`]: the record of one ReplicaSet.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use k8s_openapi::api::apps::v1::ReplicaSet;
use tokio::time::Instant;
use trimtab_controller::cache::{Metadata, ObjectKey, Selector};
use trimtab_examples::replicaset::{PodState, PodView};

/// A set may have as many active Pods as the largest `spec.replicas` within this time.
pub(super) const TOLERANCE: Duration = Duration::from_secs(10);

/// One set and its Pods. It keeps the Pods instead of sums, so that an event may come twice, or before
/// the set's own.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) key: ObjectKey,
    /// `None` until the first event of the set itself.
    asked: Option<Asked>,
    /// Earlier values of `spec.replicas`, with the time of their replacement.
    earlier: VecDeque<(Instant, usize)>,
    /// By UID.
    pods: HashMap<String, PodView>,
    /// The counts of events; the numbers of Pods are computed.
    pub(super) counts: Row,
}

/// The set's spec and status.
#[derive(Debug)]
struct Asked {
    desired: usize,
    selector: Option<Selector>,
    /// Whether the status reports exactly the spec, for the current generation.
    told: bool,
}

/// The counts of a page.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row {
    pub(crate) desired: usize,
    pub(crate) ready: usize,
    pub(crate) created: usize,
    pub(crate) deleted: usize,
    pub(crate) adopted: usize,
    pub(crate) released: usize,
    /// The largest number of Pods beyond the allowed ones.
    pub(crate) duplicates: usize,
}

impl Page {
    pub(super) fn new(key: ObjectKey) -> Self {
        let (earlier, pods) = (VecDeque::new(), HashMap::new());
        Self { key, asked: None, earlier, pods, counts: Row::default() }
    }

    /// Records the current state of the set.
    pub(super) fn set(&mut self, set: &ReplicaSet, now: Instant) {
        let asked = Asked::by(set);
        if let Some(before) = self.asked.replace(asked).map(|before| before.desired) {
            self.earlier.push_back((now, before));
        }
        self.judge(now);
    }

    /// Records the current state of a Pod of the set.
    pub(super) fn hold(&mut self, pod: &PodView, now: Instant) {
        self.pods.insert(pod.metadata.uid.clone(), pod.clone());
        self.judge(now);
    }

    /// Records that the Pod does not belong to the set any more.
    pub(super) fn forget(&mut self, pod: &PodView) {
        self.pods.remove(&pod.metadata.uid);
    }

    /// Checks the number of Pods, at each commit.
    fn judge(&mut self, now: Instant) {
        self.earlier.retain(|(replaced, _)| now.duration_since(*replaced) <= TOLERANCE);
        let Some(asked) = &self.asked else {
            return; // Pods before the set's first event are checked with it
        };
        let allowed = self.earlier.iter().map(|(_, replicas)| *replicas).fold(asked.desired, usize::max);
        let surplus = self.count(PodView::is_active).saturating_sub(allowed);
        self.counts.duplicates = self.counts.duplicates.max(surplus);
    }

    /// Returns whether the set exists and has converged.
    pub(super) fn is_converged(&self) -> bool {
        let Some(asked) = &self.asked else {
            return false;
        };
        // A set must release Pods that it does not select.
        let settles = |pod: &PodView| {
            pod.metadata.is_being_deleted()
                || asked.selector.as_ref().is_some_and(|selector| !pod.metadata.matches(selector))
        };
        asked.told
            && self.count(PodView::is_active) == asked.desired
            && self.count(is_serving) == asked.desired
            && self.count(settles) == 0
    }

    /// Returns the counts of the page; `None` before the set's first event.
    pub(super) fn row(&self) -> Option<Row> {
        Some(Row { desired: self.asked.as_ref()?.desired, ready: self.count(is_serving), ..self.counts })
    }

    fn count(&self, counts: impl Fn(&PodView) -> bool) -> usize {
        self.pods.values().filter(|pod| counts(pod)).count()
    }
}

fn is_serving(pod: &PodView) -> bool {
    pod.is_active() && pod.is_ready()
}

impl Asked {
    fn by(set: &ReplicaSet) -> Self {
        let status = set.status.clone().unwrap_or_default();
        let all = set.spec.replicas.unwrap_or(1);
        let has_all = |count: Option<i32>| count.unwrap_or(0) == all;
        Self {
            desired: usize::try_from(all).unwrap_or(0),
            selector: Selector::try_from(&set.spec.selector).ok(),
            told: status.replicas == all
                && has_all(status.ready_replicas)
                && has_all(status.available_replicas)
                && has_all(status.fully_labeled_replicas)
                && status.observed_generation == set.metadata.generation,
        }
    }
}
