//! Syncs on a server that answers every request.

use std::{collections::BTreeSet, time::Duration};

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use kube_client::{
    Api,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use tokio::time::sleep;
use trimtab_apiserver::Filter;
use trimtab_test_support::settle;

use crate::{
    Gates,
    world::{CONVERGED, World, set},
};

pub(super) async fn a_set_gets_its_replicas_and_says_so(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 25).await;
    settle(CONVERGED).await;
    assert_eq!(world.pods_of("web").await.len(), 25);
    assert_eq!(world.status("web").await, (25, 25, true));
    assert_eq!(world.created().await, 25);
    assert_eq!(world.tasks.len(), 2, "neither the kubelet nor the controller has ended");
}

pub(super) async fn scaling_creates_or_deletes_exactly_the_difference(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 10).await;
    settle(CONVERGED).await;
    world.scale("web", 15).await;
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((15, 15, true), 15));
    world.scale("web", 4).await;
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((4, 4, true), 0));
    assert_eq!(world.pods().list(&ListParams::default()).await.expect("listed").items.len(), 4);
}

/// CL-T7, OW-T1, OW-T5: orphans are adopted before Pods are created; a relabelled Pod is released and replaced.
pub(super) async fn orphans_are_adopted_and_relabelled_pods_released(gates: Gates) {
    let mut world = World::new(gates);
    world.create_pod("orphan-1", "web").await;
    world.create_pod("orphan-2", "web").await;
    world.create_pod("stranger", "other").await;
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let pods = world.pods_of("web").await;
    assert!(pods.contains(&"orphan-1".to_owned()) && pods.contains(&"orphan-2".to_owned()), "{pods:?}");
    assert_eq!((pods.len(), world.created().await), (3, 3 + 1), "three by hand, one by the controller");

    let relabel = Patch::Merge(json!({"metadata": {"labels": {"app": "debug"}}}));
    world.pods().patch("orphan-1", &PatchParams::default(), &relabel).await.expect("patched");
    settle(CONVERGED).await;
    let pods = world.pods_of("web").await;
    assert!(!pods.contains(&"orphan-1".to_owned()), "{pods:?}");
    assert_eq!((pods.len(), world.created().await), (3, 1));
    let released = world.pods().get("orphan-1").await.expect("still there");
    assert_eq!(released.metadata.owner_references, None);
}

/// CL-T11: the expectations of the old set do not block the new one.
pub(super) async fn a_set_that_is_recreated_starts_afresh(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 5).await;
    settle(CONVERGED).await;
    let watches = Filter::any().resource("pods").user_agent("controller");
    let stalled = world.server.faults().stall_watches(watches);
    world.scale("web", 8).await; // three creations that are not seen
    sleep(Duration::from_secs(1)).await;
    world.sets().delete("web", &DeleteParams::background()).await.expect("deleted");
    stalled.release();
    settle(CONVERGED).await;
    assert_eq!(world.pods_of("web").await.len(), 0, "the garbage collector took them");
    world.create_set("web", 2).await;
    settle(CONVERGED).await;
    assert_eq!(world.status("web").await, (2, 2, true));
    assert_eq!(world.created().await, 5 + 3 + 2);
}

/// CL-T9: 700 replicas come in two waves, and the second waits until the first is seen. Fails without
/// the limit, and when the set does not wait.
pub(super) async fn large_sets_come_in_waves(gates: Gates) {
    let mut world = World::new(gates);
    settle(CONVERGED).await;
    let pods = Filter::any().resource("pods").user_agent("controller");
    let lag = world.server.faults().lag_watches(pods, Duration::from_secs(5));
    world.create_set("web", 700).await;
    sleep(Duration::from_secs(3)).await;
    assert_eq!(world.created().await, 500);
    lag.release();
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, world.created().await), ((700, 700, true), 200));
}

/// CL-T17: a Pod is available after `minReadySeconds`, and the set is requeued for it.
pub(super) async fn pods_become_available_after_their_time(gates: Gates) {
    let world = World::new(gates);
    world.create_set("web", 3).await;
    let patch = Patch::Merge(json!({"spec": {"minReadySeconds": 60}}));
    world.sets().patch("web", &PatchParams::default(), &patch).await.expect("patched");
    settle(CONVERGED).await;
    let available = async || {
        let status = world.sets().get("web").await.expect("found").status.unwrap_or_default();
        (status.ready_replicas, status.available_replicas)
    };
    assert_eq!(available().await, (Some(3), None), "a kube-apiserver leaves out a number that is 0");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(available().await, (Some(3), Some(3)));
}

/// Terminating Pods are counted apart while they are there, and no longer.
pub(super) async fn terminating_pods_are_told_while_they_last(gates: Gates) {
    let world = World::new(gates);
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let name = world.pods_of("web").await.remove(0);
    let hold = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    world.pods().patch(&name, &PatchParams::default(), &hold).await.expect("patched");
    world.pods().delete(&name, &DeleteParams::default()).await.expect("marked");
    settle(CONVERGED).await;
    let terminating = async || {
        world.sets().get("web").await.expect("found").status.and_then(|status| status.terminating_replicas)
    };
    assert_eq!((world.status("web").await, terminating().await), ((3, 3, true), Some(1)));
    let let_go = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    world.pods().patch(&name, &PatchParams::default(), &let_go).await.expect("patched");
    settle(CONVERGED).await;
    assert_eq!((world.status("web").await, terminating().await), ((3, 3, true), Some(0)));
}

/// CL-T16: a set that is on its way out creates nothing.
pub(super) async fn a_set_that_is_being_deleted_creates_nothing(gates: Gates) {
    let mut world = World::new(gates);
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let hold = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/hold"]}}));
    world.sets().patch("web", &PatchParams::default(), &hold).await.expect("patched");
    world.sets().delete("web", &DeleteParams::background()).await.expect("marked");
    assert_eq!(world.created().await, 3);
    let name = world.pods_of("web").await.remove(0);
    world.pods().delete(&name, &DeleteParams::default()).await.expect("deleted");
    settle(CONVERGED).await;
    assert_eq!((world.pods_of("web").await.len(), world.created().await), (2, 0));
}

/// EX-T4: upstream's `CreatePods`. A Pod has the template's labels and spec, a generated name and a controller reference.
pub(super) async fn a_pod_is_made_of_the_template_with_a_generated_name_and_a_controller(gates: Gates) {
    let world = World::new(gates);
    let web = world.create_set("web", 1).await;
    settle(CONVERGED).await;
    let pods = world.pods().list(&ListParams::default()).await.expect("listed").items;
    let [pod] = &pods[..] else { panic!("one Pod: {pods:?}") };
    let template = web.spec.template.expect("a template");
    assert_eq!(pod.metadata.generate_name.as_deref(), Some("web-"));
    assert_eq!(pod.metadata.labels, template.metadata.and_then(|metadata| metadata.labels));
    let image = |spec: &Option<PodSpec>| spec.as_ref().map(|spec| spec.containers[0].image.clone());
    assert_eq!(image(&pod.spec), image(&template.spec));
    let owners = pod.metadata.owner_references.as_deref().expect("an owner");
    let [owner] = owners else { panic!("one owner: {owners:?}") };
    assert_eq!((&*owner.api_version, &*owner.kind, &*owner.name), ("apps/v1", "ReplicaSet", "web"));
    assert_eq!(Some(&owner.uid), web.metadata.uid.as_ref());
    assert_eq!((owner.controller, owner.block_owner_deletion), (Some(true), Some(true)));
}

/// Go reads this time, and the types of k8s-openapi do not. Such a Pod counts, before a restart and after it.
pub(super) async fn a_pod_with_a_condition_of_the_year_9999_counts_after_a_restart(gates: Gates) {
    let world = World::new(gates);
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    let pods = world.pods_of("web").await;
    let never = json!({"type": "Never", "status": "True", "lastTransitionTime": "9999-12-31T23:59:59Z"});
    let patch = Patch::Strategic(json!({"status": {"conditions": [never]}}));
    let api: Api<DynamicObject> =
        Api::namespaced_with(world.server.client(), "default", &ApiResource::erase::<Pod>(&()));
    let patched = api.patch_status(&pods[0], &PatchParams::default(), &patch).await.expect("patched");
    let times = patched.data["status"]["conditions"].as_array().expect("conditions").iter();
    assert!(times.clone().any(|one| one["lastTransitionTime"] == "9999-12-31T23:59:59Z"), "{patched:?}");
    settle(CONVERGED).await;
    let World { server, tasks, .. } = world;
    drop(tasks);
    let again = World::over(server, gates);
    settle(CONVERGED).await;
    // By their metadata: a list of whole Pods cannot be decoded.
    let list = again.pods().list_metadata(&ListParams::default()).await.expect("listed");
    let names: BTreeSet<_> = list.items.into_iter().filter_map(|pod| pod.metadata.name).collect();
    assert_eq!((names, again.status("web").await), (pods.into_iter().collect(), (3, 3, true)));
}

/// Upstream copies labels, annotations and finalizers. With a name, only the first Pod could be created.
pub(super) async fn a_name_in_the_template_does_not_reach_the_pods(gates: Gates) {
    let world = World::new(gates);
    let mut web = set("web", 3);
    if let Some(metadata) = web.spec.template.as_mut().and_then(|template| template.metadata.as_mut()) {
        metadata.name = Some("only-one".into());
        metadata.annotations = Some([("note".into(), "kept".into())].into());
    }
    world.sets().create(&PostParams::default(), &web).await.expect("created");
    settle(CONVERGED).await;
    assert_eq!(world.status("web").await, (3, 3, true));
    for pod in world.pods().list(&ListParams::default()).await.expect("listed").items {
        assert!(pod.metadata.name.is_some_and(|name| name.starts_with("web-")));
        assert_eq!(pod.metadata.annotations.expect("annotations")["note"], "kept");
    }
}
