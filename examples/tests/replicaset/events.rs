//! The Events of a set and the condition `ReplicaFailure`, with upstream's reasons and messages.

use std::{collections::BTreeSet, time::Duration};

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::{Event, Namespace, Pod, ResourceQuota},
};
use kube_client::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::time::sleep;
use trimtab_apiserver::{ApiServer, Filter, Refusal, Verb};
use trimtab_examples::controller_manager::{Selected, add_to, configure};
use trimtab_manager::Manager;
use trimtab_test_support::settle;

use crate::{
    Gates,
    deployments::cluster::deployment,
    world::{CONVERGED, World, set},
};

fn typed<K: serde::de::DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).expect("an object of the kind")
}

/// The reason and the message of the condition.
async fn failure(world: &World) -> Option<(String, String)> {
    let status = world.sets().get("web").await.expect("found").status?;
    let condition = status.conditions?.into_iter().next()?;
    Some((condition.reason?, condition.message?))
}

#[tokio::test(start_paused = true)]
async fn every_pod_that_is_created_or_deleted_is_an_event_with_its_name() {
    let mut world = World::new(Gates::Default);
    world.create_set("web", 5).await;
    settle(CONVERGED).await;
    let told = |reason: &str, past: &str, pods: &[String]| -> BTreeSet<String> {
        pods.iter().map(|pod| format!("Normal {reason} {past} pod: {pod}")).collect()
    };
    let pods = world.pods_of("web").await;
    let events = world.events.take_all();
    assert_eq!(events.len(), 5);
    assert_eq!(BTreeSet::from_iter(events), told("SuccessfulCreate", "Created", &pods));

    world.scale("web", 2).await;
    settle(CONVERGED).await;
    let left = world.pods_of("web").await;
    let gone: Vec<_> = pods.into_iter().filter(|pod| !left.contains(pod)).collect();
    let events = world.events.take_all();
    assert_eq!(events.len(), 3);
    assert_eq!(BTreeSet::from_iter(events), told("SuccessfulDelete", "Deleted", &gone));
}

/// A quota of two Pods: the first batch has one Pod, and of the second one Pod is refused.
#[tokio::test(start_paused = true)]
async fn the_pods_that_were_created_before_a_refusal_are_events_too() {
    let mut world = World::new(Gates::Default);
    let quota = json!({"metadata": {"name": "two"}, "spec": {"hard": {"pods": "2"}}});
    let quotas: Api<ResourceQuota> = Api::namespaced(world.server.client(), "default");
    quotas.create(&PostParams::default(), &typed(quota)).await.expect("created");
    let patch = Patch::Merge(json!({"status": {"hard": {"pods": "2"}, "used": {"pods": "0"}}}));
    quotas.patch_status("two", &PatchParams::default(), &patch).await.expect("patched");
    settle(Duration::from_secs(5)).await;
    world.create_set("web", 5).await;
    sleep(Duration::from_millis(50)).await;
    let events = world.events.take_all();
    let created =
        events.iter().filter(|event| event.starts_with("Normal SuccessfulCreate Created pod: web-"));
    assert_eq!(created.count(), 2, "{events:#?}");
    let because = "exceeded quota: two, requested: pods=1, used: pods=2, limited: pods=2";
    let refused = |event: &&String| {
        event.starts_with("Warning FailedCreate Error creating: pods \"web-") && event.ends_with(because)
    };
    assert_eq!(events.iter().filter(refused).count(), events.len() - 2, "{events:#?}");
    assert!(events.len() > 2);
    let (reason, message) = failure(&world).await.expect("a condition");
    assert_eq!(reason, "FailedCreate");
    assert!(message.starts_with("pods \"web-") && message.ends_with(because), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_fails_is_an_event_and_a_condition() {
    let mut world = World::new(Gates::Default);
    world.create_set("web", 3).await;
    settle(CONVERGED).await;
    world.events.take_all();
    let deletes = Filter::any().verb(Verb::Delete).resource("pods").user_agent("controller");
    let refused = world.server.faults().refuse(deletes, Refusal::forbidden(), usize::MAX);
    world.scale("web", 2).await;
    sleep(Duration::from_millis(50)).await;
    let events = world.events.take_all();
    let (reason, message) = failure(&world).await.expect("a condition");
    assert_eq!(reason, "FailedDelete");
    let because = message.strip_prefix("unable to delete pods: ").expect("upstream's words");
    let expected = format!("Warning FailedDelete Error deleting: {because}");
    assert!(!events.is_empty() && events.iter().all(|event| *event == expected), "{events:#?} {message}");
    refused.release();
    settle(CONVERGED).await;
    assert_eq!(failure(&world).await, None);
    assert!(
        world
            .events
            .take_all()
            .last()
            .expect("an Event")
            .starts_with("Normal SuccessfulDelete Deleted pod: ")
    );
}

/// The set is scaled and its namespace deleted before the controller sees either.
#[tokio::test(start_paused = true)]
async fn a_creation_that_is_refused_because_the_namespace_terminates_is_no_event() {
    let server = ApiServer::builder().request_log(true).start();
    let mut world = World::over(server, Gates::Default);
    let (namespaces, client) = (Api::<Namespace>::all(world.server.client()), world.server.client());
    let created =
        namespaces.create(&PostParams::default(), &typed(json!({"metadata": {"name": "going"}}))).await;
    created.expect("created");
    let (sets, pods) =
        (Api::<ReplicaSet>::namespaced(client.clone(), "going"), Api::<Pod>::namespaced(client, "going"));
    sets.create(&PostParams::default(), &set("web", 0)).await.expect("created");
    let held = json!({
        "metadata": {"name": "held", "finalizers": ["example.com/hold"]},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    pods.create(&PostParams::default(), &typed(held)).await.expect("created");
    settle(CONVERGED).await;
    let of_sets = Filter::any().resource("replicasets.apps").user_agent("controller");
    let late = world.server.faults().lag_watches(of_sets, Duration::from_secs(5));
    let three = Patch::Merge(json!({"spec": {"replicas": 3}}));
    sets.patch("web", &PatchParams::default(), &three).await.expect("scaled");
    sleep(Duration::from_secs(1)).await;
    namespaces.delete("going", &DeleteParams::default()).await.expect("marked");
    world.server.request_log().clear();
    settle(CONVERGED).await;
    late.release();
    let creates = Filter::any().verb(Verb::Create).resource("pods").user_agent("controller");
    assert!(!world.server.request_log().matching(&creates).is_empty(), "it was tried");
    assert_eq!(world.events.take_all(), [""; 0]);
}

/// As of upstream's kube-controller-manager: nine Events of a kind, and one for all others.
#[tokio::test(start_paused = true)]
async fn each_controller_reports_its_own_events_and_similar_ones_become_one() {
    let server = ApiServer::builder().request_log(true).start();
    let builder = configure(Manager::with_client_that_may_retry("test", server.client_as("manager")));
    let mut manager = builder.build().expect("sound settings");
    let all: Selected = "*".parse().expect("all controllers");
    add_to(&mut manager, &all, [2, 2]);
    let running = tokio::spawn(manager.run_until(std::future::pending()));
    let deployments: Api<Deployment> = Api::default_namespaced(server.client());
    deployments.create(&PostParams::default(), &typed(deployment(40, &json!({})))).await.expect("created");
    settle(CONVERGED).await;
    running.abort();
    let events = Api::<Event>::default_namespaced(server.client()).list(&ListParams::default()).await;
    let events = events.expect("listed").items;
    let of = |controller: &str| -> Vec<_> {
        let own = events.iter().filter(|event| event.reporting_component.as_deref() == Some(controller));
        own.map(|event| (event.message.clone().unwrap_or_default(), event.count)).collect()
    };
    let scaled = of("deployment-controller");
    assert!(scaled[0].0.starts_with("Scaled up replica set web-") && scaled.len() == 1, "{scaled:?}");
    let pods = of("replicaset-controller");
    let combined = "(combined from similar events): Created pod: web-";
    let (combined, single): (Vec<_>, Vec<_>) =
        pods.iter().partition(|(message, _)| message.starts_with(combined));
    // 25 of 40 pass the spam filter, 9 of them alone.
    assert_eq!((single.len(), combined.len(), combined[0].1), (9, 1, Some(16)), "{pods:?}");
    let sent = server.request_log().matching(&Filter::any().user_agent("manager").resource("events"));
    assert_eq!(sent.len(), 1 + 25);
}
