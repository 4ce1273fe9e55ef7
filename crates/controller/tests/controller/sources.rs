//! Informers as sources: predicates, mappers, their own errors, added and removed. controller-runtime's behaviours are
//! those of `pkg/predicate`, `pkg/source`, `pkg/handler` and `pkg/internal/controller`: docs/upstream-behaviours.md.

use std::{future::pending, sync::Arc};

use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        core::v1::{ConfigMap, Node, Pod, Secret},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube_client::{
    Api, Resource,
    api::{ApiResource, DynamicObject, PartialObjectMeta, Patch, PatchParams, PostParams},
};
use serde::Deserialize;
use serde_json::json;
use trimtab_apiserver::{FaultGuard, Filter, Refusal, Verb};
use trimtab_controller::{
    Controller, EventKind, Predicate, Watch, annotations_changed,
    cache::{MetaView, Metadata, Object, ObjectKey, Packed},
    generation_changed,
    informer::{InformerFactory, Selection},
    keys_by_index, labels_changed, resource_version_changed,
};
use trimtab_test_support::settle;

use crate::world::{Log, SECOND, World, during, key, owned_by};

/// Refuses the lists and watches of Pods.
fn refuse_pods(world: &World) -> FaultGuard {
    let pods = Filter::any().resource("pods").user_agent("controller");
    world.server.faults().refuse(pods, Refusal::forbidden(), usize::MAX)
}

/// PR-T1: a predicate on the primary.
#[tokio::test(start_paused = true)]
async fn a_predicate_filters_the_events_of_the_primary() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let primary = Watch::new(&world.maps).when(labels_changed().or(annotations_changed()));
    let controller = Controller::new("test", primary).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        world.touch("a", "1").await;
        settle(SECOND).await;
        assert_eq!(log.len(), 1, "the data of a ConfigMap is neither");
        world.patch("a", json!({"metadata": {"labels": {"a": "1"}}})).await;
        settle(SECOND).await;
        world.patch("a", json!({"metadata": {"annotations": {"a": "1"}}})).await;
        settle(SECOND).await;
        assert_eq!(log.len(), 3);
        world.delete("a").await;
        settle(SECOND).await;
        assert_eq!(log.len(), 4, "a deletion passes (kube-runtime's predicates drop it: #1768)");
    })
    .await;
}

/// PR-T2: `GenerationChangedPredicate`: a write of the status is no reason to reconcile.
#[tokio::test(start_paused = true)]
async fn a_status_write_does_not_change_the_generation() {
    let world = World::new();
    let deployments = world.informers.informer::<Deployment>();
    let log = Log::default();
    let primary = Watch::new(&deployments).when(generation_changed());
    let controller = Controller::new("test", primary).reconciler(log.done());
    let api: Api<Deployment> = world.api();
    let web = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]},
        }},
    });
    let web = serde_json::from_value(web).expect("a Deployment");
    api.create(&PostParams::default(), &web).await.expect("created");
    during(&controller, async {
        settle(SECOND).await;
        let (status, params) = (Patch::Merge(json!({"status": {"replicas": 1}})), PatchParams::default());
        api.patch_status("web", &params, &status).await.expect("patched");
        settle(SECOND).await;
        assert_eq!(log.len(), 1);
        let spec = Patch::Merge(json!({"spec": {"replicas": 2}}));
        api.patch("web", &params, &spec).await.expect("patched");
        settle(SECOND).await;
        assert_eq!(log.len(), 2);
    })
    .await;
}

/// PR-T3: predicates on dependents and on mapped kinds, with a closure over old state, new state and kind of event.
#[tokio::test(start_paused = true)]
async fn predicates_filter_dependents_and_mapped_kinds() {
    let world = World::new();
    let owner = world.map("owner").await;
    let pods = world.informers.informer::<Pod>();
    let log = Log::default();
    let label = |object: Option<&Pod>| object.and_then(|pod| pod.meta().labels.clone()).unwrap_or_default();
    let only_label_updates = Predicate::new(move |kind, old: Option<&Pod>, new: Option<&Pod>| {
        kind == EventKind::Updated && label(old) != label(new)
    });
    let deletions = Predicate::<Pod>::new(|kind, _, _| kind != EventKind::Deleted).not();
    let controller = Controller::new("test", Watch::new(&world.maps).when(resource_version_changed()))
        .owns(Watch::new(&pods).when(only_label_updates))
        .watches(Watch::new(&pods).when(deletions), |_| [key("mapped")])
        .reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        world.pod(json!({"name": "p", "ownerReferences": owned_by(&owner)})).await;
        settle(SECOND).await;
        assert_eq!(log.names(), ["owner"], "its own creation alone");
        let patch = Patch::Merge(json!({"metadata": {"labels": {"a": "1"}}}));
        world.api::<Pod>().patch("p", &PatchParams::default(), &patch).await.expect("patched");
        settle(SECOND).await;
        assert_eq!(log.names(), ["owner", "owner"]);
        let now = kube_client::api::DeleteParams::default().grace_period(0);
        world.api::<Pod>().delete("p", &now).await.expect("deleted");
        settle(SECOND).await;
        assert_eq!(log.names(), ["owner", "owner", "mapped"]);
    })
    .await;
}

/// A shared ConfigMap wakes the primaries that name it, found by an index and not by a scan.
#[tokio::test(start_paused = true)]
async fn a_mapper_over_an_index_finds_the_primaries_that_name_an_object() {
    let world = World::new();
    for (name, secret) in [("a", "shared"), ("b", "shared"), ("c", "other")] {
        world.map_of(json!({"metadata": {"name": name, "annotations": {"secret": secret}}})).await;
    }
    let by_secret = world.maps.add_index("secret", |map: &ConfigMap| {
        let name =
            map.metadata.annotations.as_ref().and_then(|annotations| annotations.get("secret").cloned());
        name.map(|name| ObjectKey::namespaced(map.metadata.namespace().unwrap_or_default(), &name))
    });
    let secrets = world.informers.informer::<PartialObjectMeta<Secret>>();
    let log = Log::default();
    let controller = Controller::new("test", &world.maps)
        .watches(&secrets, keys_by_index(&by_secret, |event| [event.key()]))
        .reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        log.clear();
        let secret = Secret {
            metadata: ObjectMeta { name: Some("shared".to_owned()), ..ObjectMeta::default() },
            ..Secret::default()
        };
        world.api::<Secret>().create(&PostParams::default(), &secret).await.expect("created");
        settle(SECOND).await;
        let mut names = log.names();
        names.sort();
        assert_eq!(names, ["a", "b"]);
    })
    .await;
}

#[derive(Debug, Deserialize)]
struct PodView {
    metadata: MetaView,
}

impl Object for PodView {
    type Kind = Pod;
    fn metadata(&self) -> &impl Metadata {
        &self.metadata
    }
}

/// Whole, view, packed, metadata-only and dynamic objects are dependents like any other.
#[tokio::test(start_paused = true)]
async fn every_form_of_object_can_be_a_source() {
    let world = World::new();
    let owner = world.map("owner").await;
    let log = Log::default();
    let resource = ApiResource::erase::<Pod>(&());
    let controller = Controller::new("test", &world.informers.informer::<Packed<ConfigMap>>())
        .owns(&world.informers.informer::<Pod>())
        .owns(Watch::new(&world.informers.informer::<PodView>()).when(Predicate::updates(
            |old: &PodView, new: &PodView| old.metadata.labels != new.metadata.labels,
        )))
        .owns(&world.informers.informer::<Packed<Pod>>())
        .owns(&world.informers.informer::<PartialObjectMeta<Pod>>())
        .owns(&world.informers.informer_with::<DynamicObject>(&resource))
        .reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        log.clear();
        world.pod(json!({"name": "p", "ownerReferences": owned_by(&owner)})).await;
        settle(SECOND).await;
        let reasons: Vec<_> = log
            .requests()
            .into_iter()
            .flat_map(|request| request.reasons.iter().map(ToString::to_string).collect::<Vec<_>>())
            .collect();
        let mut forms: Vec<_> = reasons.iter().map(|reason| reason.trim_end_matches(" created")).collect();
        forms.sort_unstable();
        forms.dedup();
        assert_eq!(
            forms,
            [
                "pods",
                "pods (DynamicObject)",
                "pods (Packed<Pod>)",
                "pods (PartialObjectMeta<Pod>)",
                "pods (PodView)"
            ]
        );
    })
    .await;
}

/// CR-T9: `Controller.Watch` after the start. CR-T10 has no counterpart upstream: a watch cannot be removed there.
#[tokio::test(start_paused = true)]
async fn sources_are_added_and_removed_while_the_controller_runs() {
    let world = World::new();
    let owner = world.map("owner").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler(log.done());
    let handle = controller.handle();
    during(&controller, async {
        settle(SECOND).await;
        let pods = world.informers.informer::<Pod>();
        let added = handle.owns(&pods);
        settle(SECOND).await;
        assert!(
            handle.sources().iter().any(|source| source.id == added && source.synced),
            "{:?}",
            handle.sources()
        );
        world.pod(json!({"name": "p1", "ownerReferences": owned_by(&owner)})).await;
        settle(SECOND).await;
        assert_eq!(log.len(), 2);
        assert!(handle.remove(added) && !handle.remove(added));
        world.pod(json!({"name": "p2", "ownerReferences": owned_by(&owner)})).await;
        settle(SECOND).await;
        assert_eq!((log.len(), handle.sources().len()), (2, 1));
        assert!(pods.has_synced(), "the informer is another's matter");
    })
    .await;
}

/// CR-T11: the start waits for all sources. Row 12 of the feature table, kube#640: the one that fails is visible, with its
/// error and since when.
#[tokio::test(start_paused = true)]
async fn a_source_that_never_syncs_is_visible_and_holds_the_start() {
    let world = World::new();
    world.map("a").await;
    let refused = refuse_pods(&world);
    let log = Log::default();
    let controller =
        Controller::new("test", &world.maps).owns(&world.informers.informer::<Pod>()).reconciler(log.done());
    during(&controller, async {
        settle(10 * SECOND).await;
        assert_eq!(log.len(), 0);
        let sources = controller.status().sources;
        let [maps, pods] = sources.as_slice() else { panic!("{sources:?}") };
        assert_eq!((maps.name.as_str(), maps.synced, maps.last_error.as_deref()), ("configmaps", true, None));
        assert_eq!((pods.name.as_str(), pods.synced), ("pods", false));
        assert!(pods.last_error.as_ref().is_some_and(|error| error.contains("403")), "{pods:?}");
        assert_eq!(pods.failing_since.map(|since| since.elapsed().as_secs()), Some(10));
        refused.release();
        settle(60 * SECOND).await;
        assert_eq!(log.len(), 1);
    })
    .await;
}

/// rossoctl/operator#440, incident 5: one gap in the RBAC blocks everything. An optional source blocks nothing.
#[tokio::test(start_paused = true)]
async fn an_optional_source_does_not_hold_the_start_and_joins_later() {
    let world = World::new();
    let owner = world.map("owner").await;
    let refused = refuse_pods(&world);
    let log = Log::default();
    let pods = Watch::new(&world.informers.informer::<Pod>()).optional();
    let controller = Controller::new("test", &world.maps).owns(pods).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        assert_eq!(log.len(), 1);
        world.pod(json!({"name": "p", "ownerReferences": owned_by(&owner)})).await;
        refused.release();
        settle(60 * SECOND).await;
        assert_eq!(log.len(), 2);
    })
    .await;
}

/// Once the controller runs, a watch that breaks delays no other source.
#[tokio::test(start_paused = true)]
async fn a_source_that_breaks_later_delays_no_other() {
    let world = World::new();
    world.map("a").await;
    let log = Log::default();
    let controller =
        Controller::new("test", &world.maps).owns(&world.informers.informer::<Pod>()).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        let _refused = refuse_pods(&world);
        world.server.faults().cut_watches(&Filter::any().resource("pods"));
        settle(60 * SECOND).await;
        let broken = controller.status().sources.remove(1);
        assert!(broken.synced && broken.failing_since.is_some(), "{broken:?}");
        for touch in 0..5 {
            world.touch("a", &touch.to_string()).await;
            settle(std::time::Duration::from_millis(1)).await;
            assert_eq!(log.len(), 2 + touch, "at once");
        }
    })
    .await;
}

/// A cluster-scoped kind in a factory with namespaces: `GET /api/v1/namespaces/default/nodes` is a 404 for ever.
#[tokio::test(start_paused = true)]
async fn a_cluster_scoped_kind_ignores_the_namespaces_of_its_factory() {
    let world = World::new();
    let nodes: Api<Node> = Api::all(world.server.client());
    let node = serde_json::from_value(json!({"metadata": {"name": "n"}})).expect("a Node");
    nodes.create(&PostParams::default(), &node).await.expect("created");
    let selection = Selection::all().namespaces(["default", "other"]);
    let informers = InformerFactory::builder(world.client.clone()).selection(selection).build();
    let (log, nodes) = (Log::default(), informers.informer::<Node>());
    let controller = Controller::new("test", &nodes).reconciler(log.done());
    during(&controller, settle(SECOND)).await;
    assert_eq!(log.names(), ["n"]);
    assert_eq!(nodes.description(), "nodes");
    let lists = world.server.request_log().matching(&Filter::any().verb(Verb::Watch).resource("nodes"));
    assert_eq!(lists.len(), 1);
}

/// HA-T1: `EnqueueRequestForOwner` compares group and kind, not the version (kube-runtime defect 8), and a cluster-scoped
/// owner has one key, whatever the namespace of its dependent (defect 7).
#[tokio::test(start_paused = true)]
async fn owners_are_found_in_any_version_and_a_cluster_scoped_one_has_one_key() {
    let world = World::new();
    world.namespace("other").await;
    let nodes: Api<Node> = Api::all(world.server.client());
    let node = serde_json::from_value(json!({"metadata": {"name": "n"}})).expect("a Node");
    let node = nodes.create(&PostParams::default(), &node).await.expect("created");
    let (log, busy) = (Log::default(), Arc::new(parking_lot::Mutex::new((0, 0))));
    let controller = Controller::new("test", &world.informers.informer::<Node>())
        .owns(&world.maps)
        .workers(3)
        .reconciler({
            let (log, busy) = (log.clone(), busy.clone());
            move |request| {
                log.record(&request);
                let busy = busy.clone();
                async move {
                    {
                        let (now, most) = &mut *busy.lock();
                        *now += 1;
                        *most = (*most).max(*now);
                    }
                    tokio::time::sleep(SECOND).await;
                    busy.lock().0 -= 1;
                    Ok(trimtab_controller::Action::done())
                }
            }
        });
    during(&controller, async {
        settle(5 * SECOND).await;
        log.clear();
        for namespace in ["default", "other"] {
            let reference = json!([{"apiVersion": "v1", "kind": "Node", "name": "n",
                "uid": node.metadata.uid, "controller": true}]);
            let metadata = json!({"name": "m", "namespace": namespace, "ownerReferences": reference});
            world.map_of(json!({"metadata": metadata})).await;
        }
        settle(5 * SECOND).await;
    })
    .await;
    assert!(log.requests().iter().all(|request| request.key == ObjectKey::cluster_scoped("n")));
    assert!((1..=2).contains(&log.len()) && busy.lock().1 == 1, "never twice at once");
}

/// The version of an owner reference is not compared.
#[tokio::test(start_paused = true)]
async fn an_owner_that_was_named_in_another_version_of_its_group_is_found() {
    let world = World::new();
    let deployments = world.informers.informer::<Deployment>();
    let api: Api<Deployment> = world.api();
    let web = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]},
        }},
    });
    let web = serde_json::from_value(web).expect("a Deployment");
    let web = api.create(&PostParams::default(), &web).await.expect("created");
    let log = Log::default();
    let controller = Controller::new("test", &deployments).owns(&world.maps).reconciler(log.done());
    during(&controller, async {
        settle(SECOND).await;
        log.clear();
        let reference = json!([{"apiVersion": "apps/v1beta2", "kind": "Deployment", "name": "web",
            "uid": web.metadata.uid, "controller": true}]);
        world.map_of(json!({"metadata": {"name": "m", "ownerReferences": reference}})).await;
        settle(SECOND).await;
        assert_eq!(log.names(), ["web"]);
    })
    .await;
}

/// A run that ends disconnects its sources, and the next one connects them again, with those that were added meanwhile.
#[tokio::test(start_paused = true)]
async fn sources_that_were_added_between_two_runs_belong_to_the_second() {
    let world = World::new();
    let owner = world.map("owner").await;
    let log = Log::default();
    let controller = Controller::new("test", &world.maps).reconciler(log.done());
    controller.run(settle(SECOND)).await.expect("stopped");
    controller.handle().owns(&world.informers.informer::<Pod>());
    world.pod(json!({"name": "p", "ownerReferences": owned_by(&owner)})).await;
    settle(SECOND).await;
    assert_eq!(log.len(), 1);
    let reasons = async {
        settle(SECOND).await;
        log.requests().last().map(|request| request.reasons.to_string())
    };
    let reasons = tokio::select! {
        ended = controller.run(pending()) => panic!("ended: {ended:?}"),
        reasons = reasons => reasons,
    };
    assert_eq!(reasons.as_deref(), Some("configmaps created, pods created"));
}
