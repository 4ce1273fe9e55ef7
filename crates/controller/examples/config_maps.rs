//! A controller of the kind `ConfigMap` against an API server in the same process. No cluster is needed.
//!
//! Run with `cargo run -p trimtab-controller --example config_maps`. Output:
//!
//! ```text
//! default/settings: 1 entries (attempt 0)
//! default/settings: 2 entries (attempt 0)
//! default/settings: deleted
//! reconciles: 3, failures: 0
//! ```

use std::{error::Error, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{from_value, json};
use tokio::time::sleep;
use trimtab_apiserver::ApiServer;
use trimtab_controller::{Action, Controller, informer::InformerFactory};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::start();
    let maps = InformerFactory::new(server.client()).informer::<ConfigMap>();
    let store = maps.store().clone();
    let controller = Controller::new("config-maps", &maps).reconciler(move |request| {
        match store.get(&request.key) {
            None => println!("{}: deleted", request.key),
            Some(map) => {
                let entries = map.data.iter().flatten().count();
                println!("{}: {entries} entries (attempt {})", request.key, request.attempt);
            }
        }
        std::future::ready(Ok(Action::done()))
    });

    let client = server.client();
    let changes = async {
        let api = Api::<ConfigMap>::namespaced(client, "default");
        let map = from_value(json!({"metadata": {"name": "settings"}, "data": {"color": "blue"}}))?;
        api.create(&PostParams::default(), &map).await?;
        sleep(Duration::from_millis(200)).await;
        let patch = Patch::Merge(json!({"data": {"size": "large"}}));
        api.patch("settings", &PatchParams::default(), &patch).await?;
        sleep(Duration::from_millis(200)).await;
        api.delete("settings", &DeleteParams::default()).await?;
        sleep(Duration::from_millis(200)).await;
        Ok::<_, Box<dyn Error>>(())
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = controller.run(async { _ = stopped.await });
    let changes = async { (changes.await, drop(stop)).0 };
    let (ran, changed) = tokio::join!(run, changes);
    ran?;
    changed?;
    let status = controller.status();
    println!("reconciles: {}, failures: {}", status.reconciles, status.failures);
    Ok(())
}
