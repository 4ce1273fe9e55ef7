//! One watch fills a store and a queue; reads cost the server nothing.

use std::{error::Error, time::Duration};

use k8s_openapi::api::core::v1::ConfigMap;
use kube_client::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{from_value, json};
use tokio::time::sleep;
use trimtab_apiserver::{ApiServer, Filter};
use trimtab_controller::{cache::ObjectKey, informer::InformerFactory, workqueue::WorkQueue};

#[tokio::main(flavor = "current_thread", start_paused = true)]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let server = ApiServer::builder().request_log(true).start();
    let maps = Api::<ConfigMap>::default_namespaced(server.client());
    for name in ["blue", "green"] {
        maps.create(&PostParams::default(), &from_value(json!({"metadata": {"name": name}}))?).await?;
    }

    let factory = InformerFactory::new(server.client_as("informer"));
    let informer = factory.informer::<ConfigMap>();
    let queue = WorkQueue::new();
    let keys = queue.clone();
    informer.on_change(move |event| _ = keys.add(event.key()));
    factory.start();
    factory.wait_for_sync(Duration::from_secs(5)).await?;
    take(&queue, "after the first list");

    for size in 1..=5 {
        let patch = Patch::Merge(json!({"data": {"size": size.to_string()}}));
        maps.patch("blue", &PatchParams::default(), &patch).await?;
    }
    sleep(Duration::from_millis(1)).await;
    take(&queue, "after 5 updates of blue");

    server.faults().cut_watches(&Filter::any());
    maps.delete("green", &DeleteParams::default()).await?;
    sleep(Duration::from_secs(5)).await;
    take(&queue, "green was deleted while the watch was cut");

    let blue = ObjectKey::namespaced("default", "blue");
    let found = (0..10_000).filter(|_| informer.store().get(&blue).is_some()).count();
    println!("{found} reads; the requests of the informer:");
    for request in server.request_log().matching(&Filter::any().user_agent("informer")) {
        println!("  {} {}", request.verb.word(), request.resource);
    }
    factory.shut_down().await;
    Ok(())
}

/// Takes every key, as a worker does.
fn take(queue: &WorkQueue<ObjectKey>, when: &str) {
    let keys: Vec<_> = std::iter::from_fn(|| queue.try_get()).map(|item| item.to_string()).collect();
    println!("{when}: {}", keys.join(", "));
}
