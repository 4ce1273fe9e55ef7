//! Event handlers: they report writes that arrive in the cache to the ledger, and find the sets that may adopt an orphan.

use k8s_openapi::api::apps::v1::ReplicaSet;
use trimtab_controller::{
    cache::{Change, Metadata, Object, ObjectKey, Selector, Store},
    informer::{Event, Informer},
    ownership::{pods::PodView, resolve_controller_ref},
};

use super::own_writes::{OwnWrites, Pods};

/// Clears the writes of a set that was deleted, or was replaced by another set of the same name.
pub(super) fn sets(sets: &Informer<ReplicaSet>, ledger: OwnWrites) {
    sets.on_change(move |event| match &event.change {
        Change::Deleted(tombstone) => ledger.clear(&tombstone.key, Some(tombstone.object.metadata().uid())),
        Change::Updated { old, new } if old.metadata().uid() != new.metadata().uid() => {
            ledger.clear(&new.key(), Some(old.metadata().uid()));
        }
        Change::Added(_) | Change::Updated { .. } => {}
    });
}

/// Reports created and deleted Pods and the version of the cache to the ledger. A Pod that is being deleted counts as
/// deleted, even if it is seen for the first time.
pub(super) fn pods(pods: &Informer<PodView>, sets: Store<ReplicaSet>, ledger: OwnWrites) {
    let progress = ledger.clone();
    pods.on_progress(move |version| {
        if let Ok(version) = version.parse() {
            progress.reached(&Pods, version);
        }
    });
    let set_of = move |pod: &PodView| Some(resolve_controller_ref(pod, |key| sets.get(key))?.key());
    let went = {
        let (set_of, ledger) = (set_of.clone(), ledger.clone());
        move |pod: &PodView| {
            if let Some(key) = set_of(pod) {
                ledger.deletion_observed(&key, &Pods, &pod.metadata.uid);
            }
        }
    };
    let came = move |pod: &PodView| match set_of(pod) {
        Some(key) if !pod.metadata.is_being_deleted() => ledger.creation_observed(&key, &Pods),
        _ => {}
    };
    pods.on_change(move |event| match &event.change {
        Change::Deleted(tombstone) => went(&tombstone.object),
        Change::Added(pod) if pod.metadata.is_being_deleted() => went(pod),
        Change::Added(pod) => came(pod),
        Change::Updated { old, new } => {
            if old.metadata.uid != new.metadata.uid {
                went(old);
                came(new);
            }
            if new.metadata.is_being_deleted() {
                went(new);
            }
        }
    });
}

/// Returns the sets that may adopt the event's Pod: the Pod has no controller, and its labels match their selectors.
pub(super) fn sets_that_select(sets: &Store<ReplicaSet>, event: &Event<PodView>) -> Vec<ObjectKey> {
    let orphan = match &event.change {
        Change::Added(pod) | Change::Updated { new: pod, .. } if pod.metadata.controller().is_none() => pod,
        _ => return Vec::new(),
    };
    let selects = |set: &ReplicaSet| {
        Selector::try_from(&set.spec.selector).is_ok_and(|selector| orphan.metadata.matches(&selector))
    };
    let nearby = sets.in_namespace(orphan.metadata.namespace().unwrap_or_default());
    nearby.iter().filter(|set| selects(set)).map(|set| set.key()).collect()
}
