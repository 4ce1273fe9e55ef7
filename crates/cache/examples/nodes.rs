//! Feeds a store by hand and looks Pods up by node, by label and in a snapshot. No cluster is needed.
//!
//! ```text
//! $ cargo run -p trimtab-cache --example nodes
//! node-1 runs default/web-0
//! app=web selects 2 Pods
//! after the list: deleted default/web-1
//! the snapshot still has 2 Pods, the store has 1
//! ```

use serde::Deserialize;
use trimtab_cache::{Change, MetaView, Metadata, Object, StoreWriter};

/// The fields of a Pod that this program reads.
#[derive(Deserialize)]
struct PodView {
    metadata: MetaView,
    spec: Spec,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(rename = "nodeName")]
    node: Option<String>,
}

impl Object for PodView {
    type Kind = k8s_openapi::api::core::v1::Pod;

    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

fn pod(name: &str, node: &str, version: &str) -> Result<PodView, serde_json::Error> {
    serde_json::from_value(serde_json::json!({
        "metadata": {"namespace": "default", "name": name, "resourceVersion": version, "labels": {"app": "web"}},
        "spec": {"nodeName": node},
    }))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut writer = StoreWriter::new();
    let store = writer.store().clone();
    let by_node = store.add_index("node", |pod: &PodView| pod.spec.node.clone());
    writer.replace(vec![pod("web-0", "node-1", "1")?, pod("web-1", "node-2", "2")?], "2");
    for key in by_node.keys("node-1") {
        println!("node-1 runs {key}");
    }
    println!("app=web selects {} Pods", store.select(None, &"app=web".parse()?).len());

    let snapshot = store.snapshot();
    let changes = writer.replace(vec![pod("web-0", "node-1", "1")?], "3");
    if let [Change::Deleted(tombstone)] = &changes[..] {
        println!("after the list: deleted {}", tombstone.key);
    }
    println!("the snapshot still has {} Pods, the store has {}", snapshot.len(), store.len());
    Ok(())
}
