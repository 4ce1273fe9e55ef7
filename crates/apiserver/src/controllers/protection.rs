//! Lets volumes and claims go that are no longer in use: takes the finalizer away that protects them from
//! their creation on.

use kube_client::Error;
use serde_json::{Value, json};

use super::{
    requests::{Requests, path},
    rounds::{self, Rounds},
};
use crate::{ChangeKind, Commit, Commits, api::object};

/// A protected kind: the resource, the version and name of its path, and the finalizer.
const PROTECTED: [(&str, &str, &str, &str); 3] = [
    ("persistentvolumeclaims", "v1", "persistentvolumeclaims", "kubernetes.io/pvc-protection"),
    ("persistentvolumes", "v1", "persistentvolumes", "kubernetes.io/pv-protection"),
    (
        "volumeattributesclasses.storage.k8s.io",
        "storage.k8s.io/v1",
        "volumeattributesclasses",
        "kubernetes.io/vac-protection",
    ),
];

/// Releases what is being deleted and not in use, until the server is dropped.
pub(crate) async fn run(requests: Requests, commits: Commits) {
    let round = |name: String| {
        let requests = &requests;
        async move { round(requests, &name).await }
    };
    rounds::go(Rounds::default(), commits, observe, round).await;
}

fn observe(rounds: &mut Rounds, commit: &Commit) {
    if let Some((_, version, plural, finalizer)) =
        PROTECTED.iter().find(|(known, ..)| commit.resource == *known)
    {
        let held = commit.change != ChangeKind::Deleted
            && object::is_being_deleted(&commit.object)
            && object::finalizers(&commit.object).any(|held| held == *finalizer);
        let path = path(version, commit.namespace.as_deref().unwrap_or_default(), plural, &commit.name);
        rounds.set(&path, held);
        rounds.touch(&path); // a volume that is released by its claim is no longer in use
    } else if commit.resource == "pods" && commit.change != ChangeKind::Added {
        rounds.touch_all();
    }
}

/// Takes the finalizer from the object at `path`, if nobody uses it.
async fn round(requests: &Requests, path: &str) -> Result<(), Error> {
    let Some(object) = requests.get(path).await? else { return Ok(()) };
    if is_in_use(requests, &object).await? {
        return Ok(()); // a Pod's end, or its volume's release, brings it back
    }
    let protects = |held: &&str| PROTECTED.iter().any(|(.., finalizer)| held == finalizer);
    let left: Vec<&str> = object::finalizers(&object).filter(|held| !protects(held)).collect();
    let metadata = &object["metadata"];
    let patch = json!({"metadata": {
        "finalizers": left, "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
    }});
    requests.merge(path, patch).await?;
    Ok(())
}

/// A claim by Pods that run, a volume by the claim that it is bound to.
async fn is_in_use(requests: &Requests, object: &Value) -> Result<bool, Error> {
    if object["kind"] == "PersistentVolume" {
        return Ok(object["status"]["phase"] == "Bound");
    }
    if object["kind"] != "PersistentVolumeClaim" {
        return Ok(false);
    }
    let pods = requests.get(&path("v1", object::namespace(object), "pods", "")).await?.unwrap_or_default();
    let has_ended = |pod: &Value| matches!(pod["status"]["phase"].as_str(), Some("Failed" | "Succeeded"));
    let uses = |pod: &&Value| {
        let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
        volumes
            .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str())
            .any(|claim| claim == object::name(object))
    };
    Ok(pods["items"].as_array().into_iter().flatten().filter(|pod| !has_ended(pod)).any(|pod| uses(&pod)))
}
