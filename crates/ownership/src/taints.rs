//! Taints of Nodes: upstream's `AddOrUpdateTaintOnNode` and `RemoveTaintOffNode`.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Taint};
use kube_client::{
    Api, Client, Error,
    api::{GetParams, Patch, PatchParams},
};
use serde_json::json;
use tokio::time::sleep;

/// The number of attempts, as upstream's.
const ATTEMPTS: u32 = 5;
/// The time between two attempts, as upstream's.
const BETWEEN: Duration = Duration::from_millis(100);

/// Adds `taints` to the Node `name`, or updates the taints of the same key and effect. No write is sent if the Node has
/// them already.
///
/// The first read may come from the server's cache. The patch names the version that was read; after a conflict the
/// Node is read and patched again, up to five times in all.
///
/// # Errors
///
/// A request failed, or there was a conflict each time.
///
/// # Cancel safety
///
/// Dropped early, the patch may have been carried out. Calling it again does no harm.
pub async fn add_or_update_taints(client: &Client, name: &str, taints: &[Taint]) -> Result<(), Error> {
    change(client, name, taints, |present, taint| {
        match present.iter_mut().find(|other| is_same(other, taint)) {
            Some(other) => *other = taint.clone(),
            None => present.push(taint.clone()),
        }
    })
    .await
}

/// Removes the taints with the key and effect of any of `taints` from the Node `name`. No write is sent if it has none.
///
/// `cached` is the Node as a cache shows it: if it has none of the taints, no request is sent at all. Otherwise the same
/// as [`add_or_update_taints`].
///
/// # Errors
///
/// A request failed, or there was a conflict each time.
///
/// # Cancel safety
///
/// As [`add_or_update_taints`].
pub async fn remove_taints(
    client: &Client,
    name: &str,
    cached: Option<&Node>,
    taints: &[Taint],
) -> Result<(), Error> {
    let has_any = |node: &Node| {
        let present = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        present.iter().any(|other| taints.iter().any(|taint| is_same(other, taint)))
    };
    if cached.is_some_and(|node| !has_any(node)) {
        return Ok(());
    }
    change(client, name, taints, |present, taint| present.retain(|other| !is_same(other, taint))).await
}

async fn change(
    client: &Client,
    name: &str,
    taints: &[Taint],
    apply: impl Fn(&mut Vec<Taint>, &Taint),
) -> Result<(), Error> {
    if taints.is_empty() {
        return Ok(());
    }
    let nodes: Api<Node> = Api::all(client.clone());
    let mut attempt = 1;
    loop {
        // The server's cache is new enough for the first attempt: the patch names the version.
        let params = if attempt == 1 { GetParams::any() } else { GetParams::default() };
        let node = nodes.get_with(name, &params).await?;
        let before = node.spec.and_then(|spec| spec.taints).unwrap_or_default();
        let mut after = before.clone();
        taints.iter().for_each(|taint| apply(&mut after, taint));
        if after == before {
            return Ok(());
        }
        let version = node.metadata.resource_version;
        let patch = json!({"metadata": {"resourceVersion": version}, "spec": {"taints": after}});
        match nodes.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await {
            Err(Error::Api(status)) if status.code == 409 && attempt < ATTEMPTS => {
                attempt += 1;
                sleep(BETWEEN).await;
            }
            patched => return patched.map(drop),
        }
    }
}

/// Whether two taints have the same key and effect: a Node has one of them.
fn is_same(one: &Taint, other: &Taint) -> bool {
    one.key == other.key && one.effect == other.effect
}
