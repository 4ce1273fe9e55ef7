//! A handler learns of a deletion that nobody saw, with the last known state.

use std::{error::Error, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{from_value, json};
use tokio::time::sleep;
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_controller::{cache::Change, informer::InformerFactory};

#[tokio::main(flavor = "current_thread", start_paused = true)]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::start();
    let maps = Api::<ConfigMap>::default_namespaced(server.client());
    for (name, port) in [("web", "8080"), ("db", "5432")] {
        let map = from_value(json!({"metadata": {"name": name}, "data": {"port": port}}))?;
        maps.create(&PostParams::default(), &map).await?;
    }

    let informer = InformerFactory::new(server.client()).informer::<ConfigMap>();
    informer.on_change(|event| {
        if let Change::Deleted(tombstone) = &event.change {
            let port = tombstone.object.data.as_ref().and_then(|data| data.get("port"));
            println!(
                "{} is deleted: give back port {}, final state unknown: {}",
                tombstone.key,
                port.map_or("none", String::as_str),
                tombstone.final_state_unknown,
            );
        }
    });
    informer.start();
    informer.wait_for_sync().await;

    maps.delete("web", &DeleteParams::default()).await?;
    sleep(Duration::from_secs(1)).await;

    // For a minute there is no watch. Meanwhile db changes and is deleted, and the server compacts its history.
    let watches = Filter::any().verb(Verb::Watch);
    let outage = server.faults().refuse(watches.clone(), Refusal::unavailable(), usize::MAX);
    server.faults().cut_watches(&watches);
    let patch = Patch::Merge(json!({"data": {"port": "5433"}}));
    maps.patch("db", &PatchParams::default(), &patch).await?;
    maps.delete("db", &DeleteParams::default()).await?;
    server.faults().compact();
    println!("db had port 5433 and is gone; nobody was watching");
    sleep(Duration::from_secs(60)).await;
    outage.release();
    sleep(Duration::from_secs(300)).await; // the informer's backoff, and a list
    informer.stop().await;
    Ok(())
}
