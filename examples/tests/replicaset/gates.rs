//! The gates of upstream's two controllers, and the order in which surplus Pods go.

use std::collections::BTreeMap;

use clap::{CommandFactory, Parser};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube_client::{
    Api, ResourceExt,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use trimtab_controller::ownership::controller_reference;
use trimtab_examples::{
    controller_manager::{Options, features, run},
    replicaset::gates,
};
use trimtab_test_support::settle;

use crate::{
    Gates,
    deployments::cluster::{Cluster, deployment},
    world::{CONVERGED, World, set},
};

#[derive(Debug, Parser)]
#[command(name = "trimtab-controller-manager")]
struct Args {
    #[command(flatten)]
    options: Options,
}

/// The gates are set before anything is read, so the kubeconfig may be missing.
#[tokio::test]
async fn the_flag_sets_upstreams_gates_and_its_help_lists_them() {
    let all = features().expect("the gates");
    all.install();
    let help = Args::command().render_long_help().to_string();
    let names = [
        "StaleControllerConsistencyReplicaSet",
        "DeploymentReplicaSetTerminatingReplicas",
        "PodDeletionCost",
    ];
    for name in names {
        assert!(help.contains(&format!("{name}=true|false (BETA - default=true)")), "{help}");
    }
    let off = names.map(|name| format!("--feature-gates={name}=false"));
    let arguments = ["test", "--kubeconfig=/nowhere"].into_iter().chain(off.iter().map(String::as_str));
    let options = Args::try_parse_from(arguments).expect("known gates").options;
    let copy = all.deep_copy();
    run(options, &copy).await.expect_err("there is no kubeconfig");
    for name in names {
        assert_eq!((copy.is_enabled(name), all.is_enabled(name)), (Some(false), Some(true)), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_gate_no_terminating_pod_is_reported() {
    let cluster = Cluster::start();
    cluster.create(2, &json!({})).await;
    settle(CONVERGED).await;
    let terminating = async || {
        let sets = cluster.sets().list(&ListParams::default()).await.expect("listed").items;
        let of_sets = sets[0].status.as_ref().and_then(|status| status.terminating_replicas);
        (of_sets, cluster.web().await.status.and_then(|status| status.terminating_replicas))
    };
    let delete_one = async || {
        let pods: Api<Pod> = Api::default_namespaced(cluster.server.client());
        let all = pods.list(&ListParams::default()).await.expect("listed").items;
        let live = all.into_iter().find(|pod| pod.metadata.deletion_timestamp.is_none()).expect("a Pod");
        let held = Patch::Merge(json!({"metadata": {"finalizers": ["example.com/hold"]}}));
        pods.patch(&live.name_any(), &PatchParams::default(), &held).await.expect("patched");
        pods.delete(&live.name_any(), &DeleteParams::default()).await.expect("marked");
        settle(CONVERGED).await;
        live
    };
    let first = delete_one().await;
    assert_eq!(terminating().await, (Some(1), Some(1)));
    // Upstream counts the Pods that the selector matches.
    let relabel = Patch::Merge(json!({"metadata": {"labels": {"app": "other"}}}));
    let pods: Api<Pod> = Api::default_namespaced(cluster.server.client());
    pods.patch(&first.name_any(), &PatchParams::default(), &relabel).await.expect("patched");
    settle(CONVERGED).await;
    assert_eq!(terminating().await, (Some(0), Some(0)));
    let _off = gates::DEPLOYMENT_REPLICA_SET_TERMINATING_REPLICAS.set_for_test(false);
    delete_one().await;
    assert_eq!(terminating().await, (None, None), "numbers that were reported before are removed");
}

/// The Pod with the highest UID goes last, unless its deletion cost is lower than that of the others.
#[tokio::test(start_paused = true)]
async fn without_its_gate_the_deletion_cost_does_not_count() {
    for is_on in [true, false] {
        let _gate = gates::POD_DELETION_COST.set_for_test(is_on);
        let world = World::new(Gates::Default);
        world.create_set("web", 3).await;
        settle(CONVERGED).await;
        let mut pods = world.pods().list(&ListParams::default()).await.expect("listed").items;
        pods.sort_by_key(ResourceExt::uid);
        let (low, high) = (pods[0].name_any(), pods[2].name_any());
        let cheap =
            json!({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "-1"}}});
        world.pods().patch(&high, &PatchParams::default(), &Patch::Merge(cheap)).await.expect("patched");
        settle(CONVERGED).await;
        world.scale("web", 2).await;
        settle(CONVERGED).await;
        let left = world.pods_of("web").await;
        let gone = if is_on { &high } else { &low };
        assert!(left.len() == 2 && !left.contains(gone), "{is_on}: {gone} of {left:?}");
    }
}

/// Creates Pods with these labels on these nodes. Returns their names by UID.
async fn create_pods(world: &World, app: &str, nodes: &[&str]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for (number, node) in nodes.iter().enumerate() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": format!("{app}-{number}-on-{node}"), "labels": {"app": app}},
            "spec": {"containers": [{"name": "c", "image": "i"}], "nodeName": node},
        }))
        .expect("a Pod");
        let created = world.pods().create(&PostParams::default(), &pod).await.expect("created");
        names.insert(created.uid().expect("a UID"), created.name_any());
    }
    names
}

/// Upstream's `getIndirectlyRelatedPods`: the Pods of all sets of the Deployment count as neighbours.
#[tokio::test(start_paused = true)]
async fn pods_go_first_from_the_nodes_where_other_sets_of_the_owner_have_pods() {
    let world = World::new(Gates::Default);
    let deployments: Api<Deployment> = Api::default_namespaced(world.server.client());
    let web: Deployment = serde_json::from_value(deployment(0, &Value::Null)).expect("a Deployment");
    let web = deployments.create(&PostParams::default(), &web).await.expect("created");
    create_pods(&world, "new", &["a", "a"]).await;
    create_pods(&world, "old", &["a", "b", "b"]).await;
    for (app, replicas) in [("new", 2), ("old", 3)] {
        let mut set = set(app, replicas);
        set.metadata.owner_references = Some(vec![controller_reference(&web).expect("an owner")]);
        world.sets().create(&PostParams::default(), &set).await.expect("created");
    }
    settle(CONVERGED).await;
    assert_eq!(world.pods_of("old").await.len(), 3);
    world.scale("old", 2).await;
    settle(CONVERGED).await;
    assert_eq!(world.pods_of("old").await, ["old-1-on-b", "old-2-on-b"]);
}

/// A Pod alone on its node goes before two on another, because it has the lowest UID.
#[tokio::test(start_paused = true)]
async fn pods_of_a_set_without_an_owner_have_no_neighbours() {
    let mut world = World::new(Gates::Default);
    let pods = create_pods(&world, "none", &["a", "a", "b", "b"]).await;
    let (_, lowest) = pods.first_key_value().expect("a Pod");
    let node = lowest.rsplit('-').next().expect("a node");
    let chosen = pods.values().filter(|pod| *pod == lowest || !pod.ends_with(node));
    for pod in chosen {
        let adopted = Patch::Merge(json!({"metadata": {"labels": {"app": "web"}}}));
        world.pods().patch(pod, &PatchParams::default(), &adopted).await.expect("patched");
    }
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    assert_eq!(world.created().await, 4, "no Pod by the controller");
    world.scale("web", 2).await;
    settle(CONVERGED).await;
    let left = world.pods_of("web").await;
    assert!(left.len() == 2 && !left.contains(lowest), "{lowest} of {left:?}");
}
