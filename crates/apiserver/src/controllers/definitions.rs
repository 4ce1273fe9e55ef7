//! The end of custom kinds: a definition that is deleted stays until the objects of its kind are gone,
//! which happens here. Its beginning needs no controller: it is served from the moment of its creation.

use std::{collections::BTreeSet, sync::Arc};

use kube_client::Error;
use serde_json::json;

use super::{
    requests::{Requests, path},
    rounds::{self, Rounds},
};
use crate::{
    ChangeKind, Commit, Commits,
    api::object,
    handlers::core::Core,
    registry::{Kind, custom::CLEANUP},
};

/// Where definitions are stored.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

/// Removes what deleted definitions leave behind, until the server is dropped.
pub(crate) async fn run(core: Arc<Core>, requests: Requests, commits: Commits) {
    let round = |name: String| {
        let (core, requests) = (&core, &requests);
        async move { round(core, requests, &name).await }
    };
    rounds::go(Rounds::default(), commits, observe, round).await;
}

fn observe(rounds: &mut Rounds, commit: &Commit) {
    if commit.resource == DEFINITIONS {
        let held = commit.change != ChangeKind::Deleted
            && object::is_being_deleted(&commit.object)
            && object::finalizers(&commit.object).any(|finalizer| finalizer == CLEANUP);
        rounds.set(&commit.name, held);
    } else if commit.change == ChangeKind::Deleted {
        rounds.touch(&commit.resource); // a definition is named after its resource
    }
}

/// Deletes the objects of a definition's kind, and lets the definition go if none is left.
async fn round(core: &Core, requests: &Requests, name: &str) -> Result<(), Error> {
    let definition = path("apiextensions.k8s.io/v1", "", "customresourcedefinitions", name);
    let Some(present) = requests.get(&definition).await? else { return Ok(()) };
    let is_its_own = |kind: &Arc<Kind>| kind.is_custom() && kind.resource() == name;
    let served = core.registry.kinds.all().into_iter().find(is_its_own);
    if let Some(kind) = served {
        let all = path(&kind.api_version(), "", &kind.plural, "");
        for namespace in namespaces(requests, &all).await? {
            requests.delete_collection(&path(&kind.api_version(), &namespace, &kind.plural, "")).await?;
        }
        if !namespaces(requests, &all).await?.is_empty() {
            return Ok(()); // finalizers hold the rest; when they are gone, this runs again
        }
    }
    let left: Vec<&str> = object::finalizers(&present).filter(|held| *held != CLEANUP).collect();
    let metadata = &present["metadata"];
    let patch = json!({"metadata": {
        "finalizers": left, "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
    }});
    requests.merge(&definition, patch).await?;
    Ok(())
}

/// In which namespaces the collection has objects; the empty one for cluster-scoped objects.
async fn namespaces(requests: &Requests, path: &str) -> Result<BTreeSet<String>, Error> {
    let list = requests.get(path).await?.unwrap_or_default();
    let items = list["items"].as_array().into_iter().flatten();
    Ok(items.map(|item| object::namespace(item).to_owned()).collect())
}
