//! Functions that map events of other kinds to primary objects.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube_client::api::{Patch, PatchParams};
use serde_json::json;
use trimtab_controller::{Controller, cache::Selector, keys_by_selector};
use trimtab_test_support::settle;

use crate::world::{Log, SECOND, World, during, owned_by};

/// kubernetes: `TestGetPodReplicaSets`, `TestGetDeploymentsForReplicaSet`.
#[tokio::test(start_paused = true)]
async fn an_orphan_wakes_the_primaries_of_its_namespace_that_select_it() {
    let world = World::new();
    world.namespace("elsewhere").await;
    for (name, namespace, selector) in [
        ("web", "default", "app=web"),
        ("all", "default", ""),
        ("db", "default", "app=db"),
        ("broken", "default", "app in"),
        ("away", "elsewhere", "app=web"),
    ] {
        let annotations = json!({"selector": selector});
        world
            .map_of(json!({"metadata": {"name": name, "namespace": namespace, "annotations": annotations}}))
            .await;
    }
    let pods = world.informers.informer::<Pod>();
    let log = Log::default();
    let selector = |map: &ConfigMap| map.metadata.annotations.as_ref()?["selector"].parse::<Selector>().ok();
    let controller = Controller::new("test", &world.maps)
        .watches(&pods, keys_by_selector(world.maps.store(), selector))
        .reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        log.clear();
        world.pod(json!({"name": "orphan", "labels": {"app": "web"}})).await;
        settle(SECOND).await;
        assert_eq!(log.names(), ["web"], "an empty selector selects nothing");
        let relabel = Patch::Merge(json!({"metadata": {"labels": {"app": "db"}}}));
        world.api::<Pod>().patch("orphan", &PatchParams::default(), &relabel).await.expect("patched");
        settle(SECOND).await;
        assert_eq!(log.names(), ["web", "db"]);
        log.clear();
        let owner = world.maps.store().get(&("default", "db").into()).expect("cached");
        let labels = json!({"app": "web"});
        world.pod(json!({"name": "owned", "labels": labels, "ownerReferences": owned_by(&owner)})).await;
        settle(SECOND).await;
        assert!(log.names().is_empty(), "it has a controller: {:?}", log.names());
    })
    .await;
}
