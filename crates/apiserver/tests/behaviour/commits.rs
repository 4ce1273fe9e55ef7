//! The stream of all commits.

use kube_client::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use trimtab_apiserver::{ApiServer, ChangeKind};

use crate::fixtures::{config_map, config_maps};

/// Guarantee 3.
#[tokio::test(start_paused = true)]
async fn every_commit_is_told_once_in_order_with_the_state_before_and_after() {
    let server = ApiServer::builder().controllers(false).start();
    let maps = config_maps(&server.client());
    let mut commits = server.commits();
    let first = server.resource_version() + 1;
    maps.create(&PostParams::default(), &config_map("one")).await.unwrap();
    let patch = Patch::Merge(json!({"data": {"key": "2"}}));
    maps.patch("one", &PatchParams::default(), &patch).await.unwrap();
    server.faults().compact(); // takes nothing from who follows all commits
    maps.delete("one", &DeleteParams::default()).await.unwrap();

    let added = commits.next().await.unwrap();
    assert_eq!((added.version, added.change), (first, ChangeKind::Added));
    assert_eq!((added.resource.as_str(), added.name.as_str()), ("configmaps", "one"));
    assert_eq!(added.namespace.as_deref(), Some("default"));
    assert!(added.previous.is_none());
    let modified = commits.next().await.unwrap();
    assert_eq!((modified.version, modified.change), (first + 1, ChangeKind::Modified));
    assert_eq!(modified.previous.as_deref(), Some(&*added.object));
    assert_eq!(modified.object["data"]["key"], "2");
    let deleted = commits.next().await.unwrap();
    assert_eq!((deleted.version, deleted.change), (first + 2, ChangeKind::Deleted));
    assert_eq!(deleted.object["metadata"]["resourceVersion"], (first + 2).to_string());
    assert!(commits.try_next().is_none());
    drop(server);
    assert!(commits.next().await.is_none());
}
