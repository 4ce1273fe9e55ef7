//! A ReplicaSet adopts the Pods of its predecessor, releases one, and takes the other with it.

use std::{error::Error, sync::Arc, time::Duration};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{from_value, json};
use tokio::time::sleep;
use trimtab_apiserver::ApiServer;
use trimtab_controller::{
    cache::{Metadata, Object},
    ownership::{Claims, set_controller_reference},
};

#[tokio::main(flavor = "current_thread", start_paused = true)]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::start();
    let (sets, pods) = (
        Api::<ReplicaSet>::default_namespaced(server.client()),
        Api::<Pod>::default_namespaced(server.client()),
    );
    let web: ReplicaSet = from_value(json!({"metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}}))?;
    let first = sets.create(&PostParams::default(), &web).await?;
    for name in ["web-1", "web-2"] {
        let mut pod: Pod =
            from_value(json!({"metadata": {"namespace": "default", "name": name, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}}))?;
        set_controller_reference(&first, &mut pod.metadata)?;
        pods.create(&PostParams::default(), &pod).await?;
    }
    show("created", &pods).await?;

    sets.delete("web", &DeleteParams::orphan()).await?;
    sleep(Duration::from_secs(1)).await; // the garbage collector
    show("web is deleted with --cascade=orphan", &pods).await?;

    let second = sets.create(&PostParams::default(), &web).await?;
    let claims = Claims::new(server.client(), &second, "app=web".parse()?)?;
    claims.claim(pods.list(&ListParams::default()).await?.into_iter().map(Arc::new)).await?;
    show("a new web claims", &pods).await?;

    let patch = Patch::Merge(json!({"metadata": {"labels": {"app": "debug"}}}));
    pods.patch("web-2", &PatchParams::default(), &patch).await?;
    claims.claim(pods.list(&ListParams::default()).await?.into_iter().map(Arc::new)).await?;
    show("web-2 no longer matches, and web claims again", &pods).await?;

    sets.delete("web", &DeleteParams::background()).await?;
    sleep(Duration::from_secs(60)).await; // the Pod has its grace period
    show("web is deleted", &pods).await
}

/// Prints the controller of each Pod.
async fn show(when: &str, pods: &Api<Pod>) -> Result<(), Box<dyn Error>> {
    println!("{when}:");
    for pod in pods.list(&ListParams::default()).await? {
        let owner = pod.metadata().controller().map(|owner| format!("{}/{}", owner.kind, owner.name));
        println!("  {}: {}", pod.metadata().name(), owner.as_deref().unwrap_or("no controller"));
    }
    Ok(())
}
