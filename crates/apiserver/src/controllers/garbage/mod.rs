//! The garbage collector: deletes what nobody owns any more, and sees foreground and orphaning
//! deletions through. The rules are in `graph`; here they are carried out.

mod graph;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use kube_client::Error;
use serde_json::{Value, json};
use tokio::time::sleep;

use self::graph::{Case, FOREGROUND, Graph, Node, ORPHAN, Task, references};
use super::requests::{Requests, path};
use crate::{Commits, api::object, handlers::core::Core};

/// How many objects are dealt with at the same time: upstream's default of
/// `--concurrent-gc-syncs`.
const WORKERS: usize = 20;
/// How long a failed attempt rests the first time; each time after that twice as long.
const REST: Duration = Duration::from_millis(10);
/// How long it rests at most.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// The result of a task.
enum Outcome {
    /// Nothing is left to do until something changes.
    Done,
    /// An owner's kind is not served, so that nobody can tell whether the owner exists.
    Unresolved,
    /// A request failed.
    Failed(Error),
}

/// Collects garbage until the server is dropped.
pub(crate) async fn run(core: Arc<Core>, requests: Requests, mut commits: Commits) {
    let mut graph = Graph::default();
    let mut attempts: HashMap<Arc<str>, u32> = HashMap::new();
    let mut running = FuturesUnordered::new();
    let mut resting = FuturesUnordered::new();
    loop {
        while running.len() < WORKERS
            && let Some((uid, task)) = graph.next()
        {
            running.push(async { (uid, perform(&core, &requests, task).await) });
        }
        tokio::select! {
            // Commits first: what is decided next shall be decided on the newest state.
            biased;
            commit = commits.next() => {
                let Some(commit) = commit else { return };
                graph.observe(&commit);
                while let Some(commit) = commits.try_next() {
                    graph.observe(&commit);
                }
            }
            Some((uid, outcome)) = running.next() => {
                graph.done(&uid);
                match outcome {
                    Outcome::Done => drop(attempts.remove(&uid)),
                    Outcome::Unresolved => graph.park(uid),
                    Outcome::Failed(error) => {
                        tracing::debug!(%uid, %error, "collecting garbage failed, and will be tried again");
                        let attempt = attempts.entry(uid.clone()).or_default();
                        let rest = REST.saturating_mul(1 << (*attempt).min(20)).min(LONGEST_REST);
                        *attempt += 1;
                        resting.push(async move { sleep(rest).await; uid });
                    }
                }
            }
            Some(uid) = resting.next() => {
                if graph.contains(&uid) {
                    graph.enqueue(&uid);
                } else {
                    attempts.remove(&uid);
                }
            }
        }
    }
}

async fn perform(core: &Core, requests: &Requests, task: Task) -> Outcome {
    let result = match task {
        Task::Release(node, finalizer) => release(requests, &node, finalizer).await,
        Task::Orphan(node, dependents) => orphan(requests, &node, &dependents).await,
        Task::Judge(case) => judge(core, requests, case).await,
    };
    match result {
        Ok(outcome) => outcome,
        Err(error) => Outcome::Failed(error),
    }
}

/// Takes a finalizer away.
async fn release(requests: &Requests, node: &Node, finalizer: &str) -> Result<Outcome, Error> {
    let left: Vec<&str> = object::finalizers(&node.object).filter(|held| *held != finalizer).collect();
    change(requests, node, "finalizers", json!(left)).await
}

/// Makes `dependents` forget their owner, then lets it go.
async fn orphan(requests: &Requests, node: &Node, dependents: &[Node]) -> Result<Outcome, Error> {
    let uid = object::uid(&node.object);
    for dependent in dependents {
        disown(requests, dependent, &[uid.to_owned()]).await?;
    }
    release(requests, node, ORPHAN).await
}

/// Removes the references to `owners`.
async fn disown(requests: &Requests, node: &Node, owners: &[String]) -> Result<Outcome, Error> {
    let left: Vec<&Value> = references(&node.object)
        .filter(|reference| !owners.iter().any(|owner| reference["uid"] == owner.as_str()))
        .collect();
    change(requests, node, "ownerReferences", json!(left)).await
}

/// Deletes the object if nobody owns it, or if all who own it wait for that.
async fn judge(core: &Core, requests: &Requests, mut case: Case) -> Result<Outcome, Error> {
    for reference in std::mem::take(&mut case.unknown) {
        match exists(core, requests, &reference, &case.node).await? {
            Some(true) => case.solid = true,
            Some(false) => case.dangling.push(reference["uid"].as_str().unwrap_or_default().to_owned()),
            None => return Ok(Outcome::Unresolved),
        }
    }
    let Case { node, solid, mut dangling, waiting, has_dependents, is_in_cycle, .. } = case;
    if solid {
        dangling.extend(waiting);
        return if dangling.is_empty() {
            Ok(Outcome::Done)
        } else {
            disown(requests, &node, &dangling).await
        };
    }
    let policy = if !waiting.is_empty() && has_dependents {
        if is_in_cycle {
            // Each would wait for the other. This object's owners wait no longer for it.
            return unblock(requests, &node).await;
        }
        "Foreground"
    } else {
        let held_by = |finalizer| object::finalizers(&node.object).any(|held| held == finalizer);
        match () {
            () if held_by(ORPHAN) => "Orphan",
            () if held_by(FOREGROUND) => "Foreground",
            () => "Background",
        }
    };
    requests.delete(&node.path, &node.object, policy).await?;
    Ok(Outcome::Done)
}

/// Lets the object's owners go without it, then deletes it with its dependents.
async fn unblock(requests: &Requests, node: &Node) -> Result<Outcome, Error> {
    let mut free: Vec<Value> = references(&node.object).cloned().collect();
    free.iter_mut().for_each(|reference| reference["blockOwnerDeletion"] = false.into());
    let unblocked = requests.merge(&node.path, patch(node, "ownerReferences", json!(free))).await?;
    if let Some(unblocked) = unblocked {
        requests.delete(&node.path, &unblocked, "Foreground").await?;
    }
    Ok(Outcome::Done)
}

/// Whether the owner that `reference` names exists, says the server; `None` if it serves no such kind.
async fn exists(
    core: &Core,
    requests: &Requests,
    reference: &Value,
    dependent: &Node,
) -> Result<Option<bool>, Error> {
    let [api_version, kind, name] =
        ["apiVersion", "kind", "name"].map(|field| reference[field].as_str().unwrap_or_default());
    let Some(kind) = core.registry.kinds.of_kind(api_version, kind) else {
        return Ok(None);
    };
    let namespace = if kind.namespaced { object::namespace(&dependent.object) } else { "" };
    if kind.namespaced && namespace.is_empty() {
        return Ok(None); // a cluster-scoped object cannot be owned by one in a namespace: which namespace?
    }
    let owner = requests.get(&path(api_version, namespace, &kind.plural, name)).await?;
    Ok(Some(owner.is_some_and(|owner| owner["metadata"]["uid"] == reference["uid"])))
}

/// Changes one field of an object's metadata if the object is still as it was.
async fn change(requests: &Requests, node: &Node, field: &str, value: Value) -> Result<Outcome, Error> {
    requests.merge(&node.path, patch(node, field, value)).await?;
    Ok(Outcome::Done)
}

/// A merge patch of a list in the metadata that only this very state of the object takes. An empty
/// list is none.
fn patch(node: &Node, field: &str, value: Value) -> Value {
    let before = &node.object["metadata"];
    let value = if value == json!([]) { Value::Null } else { value };
    json!({"metadata": {
        "uid": before["uid"], "resourceVersion": before["resourceVersion"], field: value,
    }})
}
