//! An informer over an API server in the process, without a cluster.
//!
//! `cargo run -p trimtab-informer --example follow` prints the two `ConfigMap`s that exist at the start, then an update
//! and a deletion:
//!
//! ```text
//! added default/blue (initial)
//! added default/green (initial)
//! updated default/blue
//! deleted default/green
//! 1 ConfigMap is left, with colour navy
//! ```

use std::{error::Error, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use trimtab_apiserver::ApiServer;
use trimtab_informer::InformerFactory;

fn config_map(name: &str) -> Result<ConfigMap, serde_json::Error> {
    serde_json::from_value(json!({"metadata": {"name": name}, "data": {"colour": name}}))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::start();
    let maps: Api<ConfigMap> = Api::namespaced(server.client(), "default");
    for name in ["blue", "green"] {
        maps.create(&PostParams::default(), &config_map(name)?).await?;
    }

    let factory = InformerFactory::new(server.client());
    let informer = factory.informer::<ConfigMap>();
    let mut events = informer.subscribe();
    factory.start();
    factory.wait_for_sync(Duration::from_secs(5)).await?;
    for _ in 0..2 {
        println!("{:?}", events.next().await.ok_or("the informer has ended")?);
    }

    let patch: Patch<Value> = Patch::Merge(json!({"data": {"colour": "navy"}}));
    maps.patch("blue", &PatchParams::default(), &patch).await?;
    println!("{:?}", events.next().await.ok_or("the informer has ended")?);
    maps.delete("green", &DeleteParams::default()).await?;
    println!("{:?}", events.next().await.ok_or("the informer has ended")?);

    let left = informer.store().list();
    let colour = left[0].data.as_ref().and_then(|data| data.get("colour")).map_or("none", String::as_str);
    println!("{} ConfigMap is left, with colour {colour}", left.len());
    factory.shut_down().await;
    Ok(())
}
