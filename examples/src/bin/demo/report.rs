//! The end of the demo: the cluster held against the manifests, object by object, and the table.

use std::collections::{BTreeMap, BTreeSet};

use comfy_table::{Cell, CellAlignment, Table, presets};
use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{Api, Client, api::ListParams};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use trimtab_controller::cache::{Metadata, Object, ObjectKey, Selector};
use trimtab_examples::replicaset::PodView;

use crate::{audit::Page, manifests::Manifest};

/// What the disturbances have changed on purpose.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Sets that were scaled.
    pub(crate) replicas: BTreeMap<ObjectKey, i32>,
    /// Pods that were relabelled, and must be nobody's.
    pub(crate) released: BTreeSet<ObjectKey>,
}

/// Every way in which the cluster differs from the manifests, or was wrong on the way; empty if all is
/// exactly right.
pub(crate) async fn differences(
    client: &Client,
    manifests: &[Manifest],
    wanted: &Wanted,
    pages: &BTreeMap<ObjectKey, Page>,
) -> Result<Vec<String>, kube_client::Error> {
    let mut wrong = Vec::new();
    let mut sets = Vec::new();
    for manifest in manifests {
        let name = manifest.object.metadata.name.as_deref().unwrap_or_default();
        let Some(found) = manifest.api(client.clone()).get_opt(name).await? else {
            wrong.push(format!("{} is missing", manifest.describe()));
            continue;
        };
        let mut expected = manifest.object.data["spec"].clone();
        if let Some(replicas) = wanted.replicas.get(&found.key()) {
            expected["replicas"] = (*replicas).into();
        }
        if let Some(path) = not_within(&expected, &found.data["spec"], "spec") {
            wrong.push(format!("{}: {path} is not as in the manifest", manifest.describe()));
        }
        if manifest.resource.kind == "ReplicaSet" {
            sets.extend(convert::<ReplicaSet>(&found));
        }
    }
    let declared: Vec<_> = manifests.iter().filter(|manifest| manifest.resource.kind == "Pod").collect();
    let namespaces: BTreeSet<_> = manifests.iter().filter_map(Manifest::namespace).collect();
    for namespace in namespaces {
        let pods = Api::<Pod>::namespaced(client.clone(), namespace).list(&ListParams::default()).await?;
        let pods: Vec<PodView> = pods.items.iter().filter_map(convert).collect();
        let sets: Vec<_> = sets.iter().filter(|set| set.metadata().namespace() == Some(namespace)).collect();
        check_pods(&pods, &sets, wanted, &declared, &mut wrong);
        sets.iter().for_each(|set| check_set(set, &pods, &mut wrong));
    }
    for set in &sets {
        let page = pages.get(&set.key()).cloned().unwrap_or_default();
        check_book(set, &page, &declared, &mut wrong);
    }
    Ok(wrong)
}

/// The same object in another type.
fn convert<T: DeserializeOwned>(object: &impl Serialize) -> Option<T> {
    serde_json::to_value(object).and_then(serde_json::from_value).ok()
}

/// Never a Pod too many, and every declared Pod that the set selects was adopted.
fn check_book(set: &ReplicaSet, page: &Page, declared: &[&Manifest], wrong: &mut Vec<String>) {
    let key = set.key();
    if page.duplicates > 0 {
        wrong.push(format!("ReplicaSet {key}: {} Pods too many at once", page.duplicates));
    }
    let orphans = declared
        .iter()
        .filter(|pod| pod.namespace() == key.namespace() && selects(set, &pod.object.metadata));
    let orphans = orphans.count();
    if page.adopted != orphans {
        wrong.push(format!("ReplicaSet {key}: {} Pods adopted, {orphans} to adopt", page.adopted));
    }
}

/// Every Pod is either a set's, by reference and by label, or nobody's and declared.
fn check_pods(
    pods: &[PodView],
    sets: &[&ReplicaSet],
    wanted: &Wanted,
    declared: &[&Manifest],
    wrong: &mut Vec<String>,
) {
    for pod in pods {
        let key = pod.key();
        let matching: Vec<_> = sets.iter().filter(|set| selects(set, &pod.metadata)).collect();
        match (pod.metadata.controller(), matching.as_slice()) {
            (Some(owner), [set]) if owner.uid == set.metadata().uid() => {}
            (Some(owner), _) => wrong.push(format!("Pod {key} belongs to {} and should not", owner.name)),
            (None, [set]) => wrong.push(format!("Pod {key} was not adopted by {}", set.metadata().name())),
            (None, _) if declared.iter().any(|manifest| manifest.object.key() == key) => {}
            (None, _) => wrong.push(format!("Pod {key} belongs to nobody and is in no manifest")),
        }
        if wanted.released.contains(&key) && pod.metadata.controller().is_some() {
            wrong.push(format!("Pod {key} was not released"));
        }
    }
}

/// A set has exactly its replicas, ready, and says so.
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
    let told =
        (status.replicas, status.ready_replicas, status.available_replicas, status.observed_generation);
    if told != (desired, Some(desired), Some(desired), set.metadata.generation) {
        wrong.push(format!("ReplicaSet {key}: status {status:?} does not say what is there"));
    }
}

fn selects(set: &ReplicaSet, pod: &impl Metadata) -> bool {
    Selector::try_from(&set.spec.selector).is_ok_and(|selector| selector.matches_object(pod))
}

/// The first path of `expected` that `found` does not have with the same value; what `found` has
/// beyond that is the server's defaulting.
fn not_within(expected: &Value, found: &Value, path: &str) -> Option<String> {
    match (expected, found) {
        (Value::Null, _) => None,
        (Value::Object(expected), Value::Object(found)) => expected.iter().find_map(|(key, value)| {
            not_within(value, found.get(key).unwrap_or(&Value::Null), &format!("{path}.{key}"))
        }),
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let pairs = expected.iter().zip(found).enumerate();
            pairs
                .into_iter()
                .find_map(|(n, (value, found))| not_within(value, found, &format!("{path}[{n}]")))
        }
        (expected, found) => (expected != found).then(|| path.to_owned()),
    }
}

/// One row a set, and how long the cluster took to converge after each step.
pub(crate) fn table(pages: &BTreeMap<ObjectKey, Page>, steps: &[(&str, f64)]) -> String {
    let mut sets = Table::new();
    sets.load_preset(presets::UTF8_BORDERS_ONLY).set_header([
        "replicaset",
        "desired",
        "ready",
        "created",
        "deleted",
        "adopted",
        "released",
        "duplicates",
    ]);
    for (key, page) in pages {
        let counts = [
            page.desired,
            page.ready,
            page.created,
            page.deleted,
            page.adopted,
            page.released,
            page.duplicates,
        ];
        sets.add_row([Cell::new(key)].into_iter().chain(counts.map(number)));
    }
    let mut times = Table::new();
    times.load_preset(presets::UTF8_BORDERS_ONLY).set_header(["step", "converged after"]);
    for (step, seconds) in steps {
        times.add_row([Cell::new(step), number(format!("{seconds:.2} s"))]);
    }
    format!("{sets}\n{times}")
}

fn number(value: impl ToString) -> Cell {
    Cell::new(value).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_server_adds_is_no_difference_and_what_it_lost_is() {
        let expected = json!({"replicas": 3, "template": {"containers": [{"name": "web"}]}});
        let defaulted =
            json!({"replicas": 3, "template": {"containers": [{"name": "web", "image": "x"}]}, "more": 1});
        assert_eq!(not_within(&expected, &defaulted, "spec"), None);
        let lost = json!({"replicas": 3, "template": {"containers": [{"image": "x"}]}});
        assert_eq!(not_within(&expected, &lost, "spec").as_deref(), Some("spec.template.containers[0].name"));
    }
}
