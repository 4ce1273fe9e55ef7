//! The namespace controller: empties namespaces that are being deleted, Pods first, and then lets
//! them go.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use k8s_openapi::jiff::Timestamp;
use kube_client::Error;
use serde_json::{Value, json};

use super::{
    requests::{Requests, path},
    rounds::{self, Rounds},
};
use crate::{
    ChangeKind, Commit, Commits,
    api::{clock, object},
    handlers::core::Core,
    registry::Kind,
};

/// The remaining objects of a namespace.
#[derive(Debug, Default, PartialEq)]
struct Remains {
    /// Resources with how many objects.
    content: BTreeMap<String, usize>,
    /// Finalizers with on how many objects.
    finalizers: BTreeMap<String, usize>,
}

/// Empties namespaces until the server is dropped.
pub(crate) async fn run(core: Arc<Core>, requests: Requests, commits: Commits) {
    let round = |name: String| {
        let (core, requests) = (&core, &requests);
        async move { round(core, requests, &name).await }
    };
    rounds::go(Rounds::default(), commits, observe, round).await;
}

fn observe(rounds: &mut Rounds, commit: &Commit) {
    if commit.resource == "namespaces" {
        let held = commit.change != ChangeKind::Deleted
            && object::is_being_deleted(&commit.object)
            && spec_finalizers(&commit.object).any(|finalizer| finalizer == "kubernetes");
        rounds.set(&commit.name, held);
    } else if commit.change == ChangeKind::Deleted
        && let Some(namespace) = &commit.namespace
    {
        rounds.touch(namespace);
    }
}

/// Deletes what is in the namespace, tells in its status what remains, and lets it go if nothing does.
async fn round(core: &Core, requests: &Requests, name: &str) -> Result<(), Error> {
    let kinds = kinds(core);
    let (pods, others): (Vec<_>, Vec<_>) = kinds.iter().partition(|kind| kind.resource() == "pods");
    let mut remains = Remains::default();
    for stage in [pods, others] {
        for kind in &stage {
            remove(requests, name, kind, &mut remains).await?;
        }
        if !remains.content.is_empty() {
            break; // what Pods may still use stays as long as they do
        }
    }
    let path = path("v1", "", "namespaces", name);
    let Some(namespace) = requests.get(&path).await? else {
        return Ok(());
    };
    let conditions = conditions(&namespace, &remains, core.registry.clock.now());
    let mut namespace = namespace;
    if namespace["status"]["conditions"] != conditions {
        let patch =
            json!({"metadata": {"uid": namespace["metadata"]["uid"]}, "status": {"conditions": conditions}});
        let Some(changed) = requests.merge(&format!("{path}/status"), patch).await? else {
            return Ok(());
        };
        namespace = changed;
    }
    if remains.content.is_empty() {
        let left: Vec<String> =
            spec_finalizers(&namespace).filter(|held| *held != "kubernetes").map(str::to_owned).collect();
        namespace["spec"]["finalizers"] = json!(left);
        requests.put(&format!("{path}/finalize"), namespace).await?;
    }
    Ok(())
}

/// The namespaced kinds, each in one version.
fn kinds(core: &Core) -> Vec<Arc<Kind>> {
    let mut by_resource: HashMap<String, Arc<Kind>> = HashMap::new();
    for kind in core.registry.kinds.all() {
        if kind.namespaced && kind.verbs.contains(&"deletecollection") {
            by_resource.entry(kind.resource()).or_insert(kind);
        }
    }
    let mut kinds: Vec<_> = by_resource.into_values().collect();
    kinds.sort_by_key(|kind| kind.resource());
    kinds
}

/// Deletes all objects of one kind, and counts those that are still there.
async fn remove(
    requests: &Requests,
    namespace: &str,
    kind: &Kind,
    remains: &mut Remains,
) -> Result<(), Error> {
    let path = path(&kind.api_version(), namespace, &kind.plural, "");
    if items(requests, &path, "?limit=1").await?.is_empty() {
        return Ok(());
    }
    requests.delete_collection(&path).await?;
    let left = items(requests, &path, "").await?;
    if !left.is_empty() {
        remains.content.insert(kind.resource(), left.len());
    }
    for finalizer in left.iter().flat_map(object::finalizers) {
        *remains.finalizers.entry(finalizer.to_owned()).or_default() += 1;
    }
    Ok(())
}

async fn items(requests: &Requests, path: &str, query: &str) -> Result<Vec<Value>, Error> {
    let list = requests.get(&format!("{path}{query}")).await?;
    let items = list.map(|mut list| list["items"].take());
    Ok(match items {
        Some(Value::Array(items)) => items,
        _ => Vec::new(), // the kind is no longer served
    })
}

fn spec_finalizers(namespace: &Value) -> impl Iterator<Item = &str> {
    namespace["spec"]["finalizers"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The conditions of a namespace in which `remains` is left: upstream's words, which kubectl prints
/// and people search for.
fn conditions(namespace: &Value, remains: &Remains, now: Timestamp) -> Value {
    let content: Vec<String> = remains
        .content
        .iter()
        .map(|(resource, count)| format!("{} has {count} resource instances", dotted(resource)))
        .collect();
    let finalizers: Vec<String> = remains
        .finalizers
        .iter()
        .map(|(finalizer, count)| format!("{finalizer} in {count} resource instances"))
        .collect();
    let content = match content.is_empty() {
        true => (false, "ContentRemoved", "All content successfully removed".to_owned()),
        false => {
            (true, "SomeResourcesRemain", format!("Some resources are remaining: {}", content.join(", ")))
        }
    };
    let finalizers = match finalizers.is_empty() {
        true => (false, "ContentHasNoFinalizers", "All content-preserving finalizers finished".to_owned()),
        false => {
            let message =
                format!("Some content in the namespace has finalizers remaining: {}", finalizers.join(", "));
            (true, "SomeFinalizersRemain", message)
        }
    };
    let fine = |reason, message: &str| (false, reason, message.to_owned());
    let all = [
        (
            "NamespaceDeletionDiscoveryFailure",
            fine("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            fine("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        (
            "NamespaceDeletionContentFailure",
            fine("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        ("NamespaceContentRemaining", content),
        ("NamespaceFinalizersRemaining", finalizers),
    ];
    let before = namespace["status"]["conditions"].as_array();
    let conditions = all.into_iter().map(|(kind, (holds, reason, message))| {
        let status = if holds { "True" } else { "False" };
        let before = before.into_iter().flatten().find(|one| one["type"] == kind && one["status"] == status);
        let since = before.map_or_else(|| clock::seconds(now).into(), |one| one["lastTransitionTime"].clone());
        json!({"type": kind, "status": status, "lastTransitionTime": since, "reason": reason, "message": message})
    });
    conditions.collect()
}

/// Upstream ends a core resource with the dot behind which its group would stand.
fn dotted(resource: &str) -> String {
    if resource.contains('.') { resource.to_owned() } else { format!("{resource}.") }
}
