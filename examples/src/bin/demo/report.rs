//! The final check: compares the cluster with the manifests, object by object.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{
    Api, Client,
    api::{DynamicObject, ListParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use trimtab_controller::cache::{Metadata, Object, ObjectKey, Selector};
use trimtab_examples::replicaset::{PodState, PodView};

use crate::{audit::Row, manifests::Manifest, preflight::Foreign};

/// Top-level fields of a manifest that a server changes.
const NOT_KEPT: [&str; 2] = ["status", "stringData"];

/// The intended changes of the disturbances.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Sets that were scaled.
    pub(crate) replicas: BTreeMap<ObjectKey, usize>,
    /// Pods that got this label and must have no controller.
    pub(crate) relabelled: BTreeMap<ObjectKey, (String, String)>,
}

/// The expected state of the cluster.
pub(crate) struct Expected<'a> {
    pub(crate) manifests: &'a [Manifest],
    pub(crate) wanted: &'a Wanted,
    pub(crate) foreign: &'a Foreign,
}

impl Expected<'_> {
    /// Lists all differences between the cluster and the manifests, and all violations on the way.
    pub(crate) async fn differences(
        &self,
        client: &Client,
        books: &BTreeMap<ObjectKey, Row>,
    ) -> Result<Vec<String>, kube_client::Error> {
        let mut wrong = Vec::new();
        let mut sets = Vec::new();
        for manifest in self.manifests {
            let Some(found) = manifest.find(client.clone()).await? else {
                wrong.push(format!("{} is missing", manifest.describe()));
                continue;
            };
            if let Some(path) = not_within(&self.declared(manifest), &kept(&found), "") {
                wrong.push(format!("{}: {path} is not as in the manifest", manifest.describe()));
            }
            if manifest.is_a::<ReplicaSet>() {
                sets.extend(convert::<ReplicaSet>(&found));
            }
        }
        let namespaces: BTreeSet<_> = self.manifests.iter().filter_map(Manifest::namespace).collect();
        for namespace in namespaces {
            let pods = Api::<Pod>::namespaced(client.clone(), namespace).list(&ListParams::default()).await?;
            let mut pods: Vec<PodView> = pods.items.iter().filter_map(convert).collect();
            pods.retain(|pod| !self.foreign.contains(&pod.metadata.uid));
            let sets: Vec<_> =
                sets.iter().filter(|set| set.metadata().namespace() == Some(namespace)).collect();
            self.check_pods(&pods, &sets, &mut wrong);
            sets.iter().for_each(|set| check_set(set, &pods, &mut wrong));
        }
        for set in &sets {
            self.check_book(set, &books.get(&set.key()).copied().unwrap_or_default(), &mut wrong);
        }
        Ok(wrong)
    }

    /// Returns the fields of the manifest that must be on the server, with the intended changes.
    fn declared(&self, manifest: &Manifest) -> Value {
        let mut declared = kept(&manifest.object);
        if let (true, Some(replicas)) =
            (manifest.is_a::<ReplicaSet>(), self.wanted.replicas.get(&manifest.key()))
        {
            declared["spec"]["replicas"] = json!(replicas);
        }
        if let (true, Some((label, value))) =
            (manifest.is_a::<Pod>(), self.wanted.relabelled.get(&manifest.key()))
        {
            declared["metadata"]["labels"][label] = json!(value);
        }
        declared
    }

    fn pods(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().filter(|manifest| manifest.is_a::<Pod>())
    }

    /// Checks that the set never had too many Pods and adopted every declared Pod that it selects.
    fn check_book(&self, set: &ReplicaSet, row: &Row, wrong: &mut Vec<String>) {
        let key = set.key();
        if row.duplicates > 0 {
            wrong.push(format!("ReplicaSet {key}: {} Pods too many at once", row.duplicates));
        }
        let orphans = self
            .pods()
            .filter(|pod| pod.namespace() == key.namespace() && selects(set, &pod.object.metadata))
            .count();
        if row.adopted != orphans {
            wrong.push(format!("ReplicaSet {key}: {} Pods adopted, {orphans} to adopt", row.adopted));
        }
    }

    /// Checks that every Pod belongs to a set, by reference and by label, or is declared and has no controller.
    fn check_pods(&self, pods: &[PodView], sets: &[&ReplicaSet], wrong: &mut Vec<String>) {
        for pod in pods {
            let key = pod.key();
            let matching: Vec<_> = sets.iter().filter(|set| selects(set, &pod.metadata)).collect();
            match (pod.metadata.controller(), matching.as_slice()) {
                (Some(owner), [set]) if owner.uid == set.metadata().uid() => {}
                (Some(owner), _) => wrong.push(format!("Pod {key} belongs to {} and should not", owner.name)),
                (None, [set]) => {
                    wrong.push(format!("Pod {key} was not adopted by {}", set.metadata().name()))
                }
                (None, _) if self.pods().any(|manifest| manifest.key() == key) => {}
                (None, _) => wrong.push(format!("Pod {key} has no controller and is in no manifest")),
            }
            if self.wanted.relabelled.contains_key(&key) && pod.metadata.controller().is_some() {
                wrong.push(format!("Pod {key} was not released"));
            }
        }
    }
}

/// Checks that a set has exactly its replicas, that they are ready, and that its status says so.
fn check_set(set: &ReplicaSet, pods: &[PodView], wrong: &mut Vec<String>) {
    let key = set.key();
    let own = pods
        .iter()
        .filter(|pod| pod.metadata.controller().is_some_and(|owner| owner.uid == set.metadata().uid()));
    let (active, ready) = own.fold((0, 0), |(active, ready), pod| {
        (active + i32::from(pod.is_active()), ready + i32::from(pod.is_active() && pod.is_ready()))
    });
    let desired = set.spec.replicas.unwrap_or(1);
    if (active, ready) != (desired, desired) {
        wrong.push(format!("ReplicaSet {key}: {active} active and {ready} ready Pods, {desired} desired"));
    }
    let status = set.status.clone().unwrap_or_default();
    let said = [Some(status.replicas), status.ready_replicas, status.available_replicas];
    let is_true = said.iter().all(|said| said.unwrap_or(0) == desired);
    if !is_true || status.observed_generation != set.metadata.generation {
        wrong.push(format!("ReplicaSet {key}: status {status:?} differs from its Pods"));
    }
}

/// Returns whether the set's selector matches the Pod's labels.
pub(crate) fn selects(set: &ReplicaSet, pod: &impl Metadata) -> bool {
    Selector::try_from(&set.spec.selector).is_ok_and(|selector| pod.matches(&selector))
}

/// Converts an object to another type.
pub(crate) fn convert<T: DeserializeOwned>(object: &impl Serialize) -> Option<T> {
    serde_json::to_value(object).and_then(serde_json::from_value).ok()
}

/// Returns the fields that a server keeps as declared: labels, annotations, and the kind's own fields.
fn kept(object: &DynamicObject) -> Value {
    let mut kept = object.data.clone();
    if let Some(fields) = kept.as_object_mut() {
        fields.retain(|field, _| !NOT_KEPT.contains(&field.as_str()));
    }
    let metadata = &object.metadata;
    kept["metadata"] = json!({"labels": metadata.labels, "annotations": metadata.annotations});
    kept
}

/// Finds the first path of `expected` that `found` lacks or has with another value. Further fields of
/// `found` are defaults of the server.
fn not_within(expected: &Value, found: &Value, path: &str) -> Option<String> {
    match (expected, found) {
        (Value::Null, _) => None,
        (Value::Object(expected), Value::Object(found)) => expected.iter().find_map(|(key, value)| {
            let dot = if path.is_empty() { "" } else { "." };
            not_within(value, found.get(key).unwrap_or(&Value::Null), &format!("{path}{dot}{key}"))
        }),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.find_map(|(n, (value, found))| not_within(value, found, &format!("{path}[{n}]")))
        }
        (expected, found) => (expected != found).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests;
