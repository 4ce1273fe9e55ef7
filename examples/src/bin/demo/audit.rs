//! The demo's books: every change of a ReplicaSet or a Pod, in the order in which it was committed,
//! and whether a set ever had a Pod too many. It trusts neither caches nor the controller.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::api::apps::v1::ReplicaSet;
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};
use trimtab_controller::cache::{Metadata, Object, ObjectKey, Selector};
use trimtab_examples::replicaset::PodView;

/// A set may have as many active Pods as the largest `spec.replicas` of this time past.
const TOLERANCE: Duration = Duration::from_secs(10);

/// The books, shared by those who write and those who read them.
#[derive(Clone, Default)]
pub(crate) struct Audit {
    books: Arc<Mutex<Books>>,
    changed: Arc<watch::Sender<()>>,
}

#[derive(Default)]
struct Books {
    /// By UID, so that a set of the same name that came later has its own page.
    sets: HashMap<String, Page>,
    version: u64,
    changes: u64,
}

/// What the books say about one ReplicaSet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    pub(crate) key: Option<ObjectKey>,
    pub(crate) desired: usize,
    pub(crate) active: usize,
    pub(crate) ready: usize,
    pub(crate) created: usize,
    pub(crate) deleted: usize,
    pub(crate) adopted: usize,
    pub(crate) released: usize,
    /// The most Pods that the set ever had beyond what it was allowed.
    pub(crate) duplicates: usize,
    /// Pods that are being deleted.
    terminating: usize,
    /// Pods that the set controls and does not select: it has to release them.
    strangers: usize,
    selector: Option<Selector>,
    /// The status tells exactly this, of the present generation.
    told: bool,
    /// Earlier values of `spec.replicas`, and when each was replaced.
    earlier: VecDeque<(Instant, usize)>,
}

impl Audit {
    /// Books a change of a ReplicaSet.
    pub(crate) fn set(&self, old: Option<&ReplicaSet>, new: Option<&ReplicaSet>, version: u64) {
        self.book(version, |books, now| match (old, new) {
            (Some(old), None) => drop(books.sets.remove(old.metadata().uid())),
            (_, Some(new)) => books.page(new.metadata().uid()).set(new, now),
            (None, None) => {}
        });
    }

    /// Books a change of a Pod.
    pub(crate) fn pod(&self, old: Option<&PodView>, new: Option<&PodView>, version: u64) {
        self.book(version, |books, now| {
            if let (Some(pod), Some(page)) = (old, old.and_then(|pod| books.page_of(pod))) {
                page.count(pod, |count| *count -= 1);
            }
            if let (Some(pod), Some(page)) = (new, new.and_then(|pod| books.page_of(pod))) {
                page.count(pod, |count| *count += 1);
                page.judge(now);
            }
            let (was, is) = (old.and_then(set_of), new.and_then(set_of));
            if was != is {
                if let Some(page) = was.and_then(|uid| books.sets.get_mut(uid)) {
                    *(if new.is_none() { &mut page.deleted } else { &mut page.released }) += 1;
                }
                if let Some(page) = is.and_then(|uid| books.sets.get_mut(uid)) {
                    *(if old.is_none() { &mut page.created } else { &mut page.adopted }) += 1;
                }
            }
        });
    }

    fn book(&self, version: u64, entry: impl FnOnce(&mut Books, Instant)) {
        let mut books = self.books.lock();
        entry(&mut books, Instant::now());
        books.version = books.version.max(version);
        books.changes += 1;
        drop(books);
        self.changed.send_replace(());
    }

    /// A change that concerns neither sets nor Pods.
    pub(crate) fn other(&self, version: u64) {
        self.book(version, |_, _| {});
    }

    /// The pages of all sets that exist, by key.
    pub(crate) fn pages(&self) -> BTreeMap<ObjectKey, Page> {
        let books = self.books.lock();
        books.sets.values().filter_map(|page| Some((page.key.clone()?, page.clone()))).collect()
    }

    /// How many changes were booked.
    pub(crate) fn changes(&self) -> u64 {
        self.books.lock().changes
    }

    /// Waits until everything up to `version` is booked, and so many sets are there and as they should be.
    pub(crate) async fn converged(&self, version: u64, sets: usize) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            {
                let books = self.books.lock();
                let as_they_should_be = books.sets.values().filter(|page| page.is_converged()).count();
                if books.version >= version && as_they_should_be == books.sets.len().max(sets) {
                    return;
                }
            }
            if changed.changed().await.is_err() {
                return; // unreachable: `self` holds the sender
            }
        }
    }
}

impl Books {
    fn page(&mut self, uid: &str) -> &mut Page {
        self.sets.entry(uid.to_owned()).or_default()
    }

    fn page_of(&mut self, pod: &PodView) -> Option<&mut Page> {
        self.sets.get_mut(set_of(pod)?)
    }
}

/// The UID of the set that controls the Pod.
fn set_of(pod: &PodView) -> Option<&str> {
    let owner = pod.metadata.controller()?;
    (owner.kind == "ReplicaSet").then_some(owner.uid.as_str())
}

impl Page {
    fn set(&mut self, set: &ReplicaSet, now: Instant) {
        let desired = usize::try_from(set.spec.replicas.unwrap_or(1)).unwrap_or(0);
        if self.key.is_some() && desired != self.desired {
            self.earlier.push_back((now, self.desired));
        }
        self.key = Some(set.key());
        self.desired = desired;
        self.selector = Selector::try_from(&set.spec.selector).ok();
        let status = set.status.clone().unwrap_or_default();
        let all = i32::try_from(desired).unwrap_or(i32::MAX);
        self.told = status.replicas == all
            && status.ready_replicas.unwrap_or(0) == all
            && status.available_replicas.unwrap_or(0) == all
            && status.fully_labeled_replicas.unwrap_or(0) == all
            && status.observed_generation == set.metadata.generation;
    }

    fn count(&mut self, pod: &PodView, by_one: impl Fn(&mut usize)) {
        if self.selector.as_ref().is_some_and(|selector| !selector.matches_object(&pod.metadata)) {
            by_one(&mut self.strangers);
        }
        if pod.is_active() {
            by_one(&mut self.active);
            if pod.is_ready() {
                by_one(&mut self.ready);
            }
        } else if pod.metadata.is_being_deleted() {
            by_one(&mut self.terminating);
        }
    }

    /// Not one Pod too many, at any commit.
    fn judge(&mut self, now: Instant) {
        self.earlier.retain(|(replaced, _)| now.duration_since(*replaced) <= TOLERANCE);
        let allowed = self.earlier.iter().map(|(_, replicas)| *replicas).fold(self.desired, usize::max);
        self.duplicates = self.duplicates.max(self.active.saturating_sub(allowed));
    }

    fn is_converged(&self) -> bool {
        let settled = self.terminating == 0 && self.strangers == 0;
        self.told && settled && self.active == self.desired && self.ready == self.desired
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(replicas: usize) -> ReplicaSet {
        serde_json::from_value(serde_json::json!({
            "metadata": {"namespace": "shop", "name": "web", "uid": "set", "generation": 1},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas,
                       "fullyLabeledReplicas": replicas, "observedGeneration": 1},
        }))
        .expect("a ReplicaSet")
    }

    fn pod(name: &str, owned: bool) -> PodView {
        let owner = serde_json::json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web",
                                       "uid": "set", "controller": true});
        serde_json::from_value(serde_json::json!({
            "metadata": {"name": name, "uid": name, "labels": {"app": "web"}, "ownerReferences": if owned { vec![owner] } else { vec![] }},
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
        }))
        .expect("a Pod")
    }

    fn page(audit: &Audit) -> Page {
        audit.pages().into_values().next().expect("a page")
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_beyond_the_replicas_of_the_last_ten_seconds_is_a_duplicate() {
        let audit = Audit::default();
        audit.set(None, Some(&set(2)), 1);
        for name in ["a", "b"] {
            audit.pod(None, Some(&pod(name, true)), 2);
        }
        audit.set(Some(&set(2)), Some(&set(1)), 3);
        tokio::time::advance(Duration::from_secs(9)).await;
        audit.pod(Some(&pod("b", true)), Some(&pod("b", true)), 4);
        assert_eq!(page(&audit).duplicates, 0, "the set was larger a moment ago");
        tokio::time::advance(Duration::from_secs(2)).await;
        audit.pod(Some(&pod("b", true)), Some(&pod("b", true)), 5);
        assert_eq!(page(&audit).duplicates, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn creations_adoptions_releases_and_deletions_are_told_apart() {
        let audit = Audit::default();
        audit.set(None, Some(&set(2)), 1);
        audit.pod(None, Some(&pod("a", true)), 2);
        audit.pod(None, Some(&pod("b", false)), 3);
        audit.pod(Some(&pod("b", false)), Some(&pod("b", true)), 4);
        audit.converged(4, 1).await;
        let mut relabelled = pod("b", true);
        relabelled.metadata.labels.clear();
        audit.pod(Some(&pod("b", true)), Some(&relabelled), 5);
        assert!(!page(&audit).is_converged(), "a set has to release what it does not select");
        audit.pod(Some(&relabelled), Some(&pod("b", true)), 6);
        audit.pod(Some(&pod("b", true)), Some(&pod("b", false)), 5);
        audit.pod(Some(&pod("a", true)), None, 6);
        let page = page(&audit);
        assert_eq!((page.created, page.adopted, page.released, page.deleted), (1, 1, 1, 1));
        assert_eq!((page.active, page.duplicates, page.is_converged()), (0, 0, false));
    }
}
