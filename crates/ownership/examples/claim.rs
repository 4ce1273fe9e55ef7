//! A set adopts an orphan, releases a Pod that no longer matches, and leaves another set's Pod alone.
//!
//! No cluster is needed. Run with `cargo run -p trimtab-ownership --example claim`. Output:
//!
//! ```text
//! claimed: orphan
//! orphan: ReplicaSet/web
//! relabelled: no owner
//! foreign: ReplicaSet/db
//! ```

use std::{error::Error, sync::Arc};

use k8s_openapi::api::{apps::v1::ReplicaSet, core::v1::Pod};
use kube_client::{Api, api::PostParams};
use serde_json::json;
use trimtab_apiserver::ApiServer;
use trimtab_cache::{Metadata, Object};
use trimtab_ownership::{Claims, set_controller_reference};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::builder().controllers(false).start();
    let (sets, pods) = (
        Api::<ReplicaSet>::default_namespaced(server.client()),
        Api::<Pod>::default_namespaced(server.client()),
    );
    let create = PostParams::default();
    let mut owners = Vec::new();
    for name in ["web", "db"] {
        let set = json!({"metadata": {"name": name}, "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
        owners.push(sets.create(&create, &serde_json::from_value(set)?).await?);
    }
    let mut cached = Vec::new();
    for (name, app, owner) in
        [("orphan", "web", None), ("relabelled", "old", Some(0)), ("foreign", "web", Some(1))]
    {
        let pod = json!({"metadata": {"namespace": "default", "name": name, "labels": {"app": app}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let mut pod: Pod = serde_json::from_value(pod)?;
        if let Some(owner) = owner {
            set_controller_reference::<ReplicaSet>(&owners[owner], &mut pod.metadata)?;
        }
        cached.push(Arc::new(pods.create(&create, &pod).await?));
    }

    let claims = Claims::new(server.client(), &owners[0], "app=web".parse()?)?;
    for pod in claims.claim(cached).await? {
        println!("claimed: {}", pod.metadata().name());
    }
    for name in ["orphan", "relabelled", "foreign"] {
        let pod = pods.get(name).await?;
        let owner = pod.metadata().controller().map(|owner| format!("{}/{}", owner.kind, owner.name));
        println!("{name}: {}", owner.as_deref().unwrap_or("no owner"));
    }
    Ok(())
}
