//! Finalizers. controller-runtime's behaviours: `pkg/finalizer/finalizer_test.go`, `controllerutil`.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::json;
use trimtab_apiserver::{Filter, Refusal, Verb};
use trimtab_controller::{Action, Controller, Error, Finalizer, FinalizerState, Request, cache::ObjectKey};
use trimtab_test_support::settle;

use crate::world::{Log, MS, SECOND, World, during};

fn finalizer() -> Finalizer {
    Finalizer::new("example.com/bucket").expect("a finalizer")
}

async fn names(world: &World, name: &str) -> Vec<String> {
    let map = world.api::<ConfigMap>().get(name).await.expect("it exists");
    map.metadata.finalizers.unwrap_or_default()
}

/// FI-T1: added before anything is created, cleaned up and removed on deletion, in this order.
#[tokio::test(start_paused = true)]
async fn an_object_is_cleaned_up_before_it_goes() {
    let world = World::new();
    let (log, store) = (Log::default(), world.maps.store().clone());
    let api = kube_client::Api::<ConfigMap>::default_namespaced(world.client.clone());
    let controller = Controller::new("test", &world.maps).reconciler({
        let log = log.clone();
        move |request: Request| {
            let (log, api, map) = (log.clone(), api.clone(), store.get(&request.key));
            async move {
                let Some(map) = map else { return Ok(Action::done()) };
                let finalizer = finalizer();
                let step = |name: &str| log.record(&Request::new(ObjectKey::cluster_scoped(name)));
                match finalizer.state(&*map) {
                    FinalizerState::Missing(missing) => {
                        step("add");
                        assert!(missing.add(&api).await?);
                    }
                    FinalizerState::Present => step("reconcile"),
                    FinalizerState::CleanUp(clean_up) => {
                        step("clean up");
                        clean_up.remove(&api).await?;
                    }
                    FinalizerState::Removed => step("nothing"),
                }
                Ok::<_, Error>(Action::done())
            }
        }
    });
    during(&controller, async {
        world.map("a").await;
        settle(SECOND).await;
        assert_eq!(log.names(), ["add", "reconcile"]);
        world.delete("a").await;
        settle(SECOND).await;
        assert_eq!(log.names(), ["add", "reconcile", "clean up"]);
        assert!(world.api::<ConfigMap>().get_opt("a").await.expect("a reply").is_none());
    })
    .await;
}

/// FI-T2, incident 30 (gardener#3641): a stale copy neither loses another's finalizer nor writes without need.
#[tokio::test(start_paused = true)]
async fn no_finalizer_is_lost_if_the_object_at_hand_is_old() {
    let world = World::new();
    let old = world.map("a").await;
    world.patch("a", json!({"metadata": {"finalizers": ["example.com/other"]}})).await;
    let (finalizer, api) = (finalizer(), kube_client::Api::default_namespaced(world.client.clone()));
    let FinalizerState::Missing(missing) = finalizer.state(&old) else { panic!("it lacks the finalizer") };
    assert!(missing.add(&api).await.expect("added"));
    assert_eq!(names(&world, "a").await, ["example.com/other", "example.com/bucket"]);
    assert_eq!(world.writes(), 2, "a conflict, and one more");

    // The same old copy again: it has the finalizer by now.
    let FinalizerState::Missing(missing) = finalizer.state(&old) else { panic!("it lacks the finalizer") };
    assert!(missing.add(&api).await.expect("it has it"));
    let version = |map: ConfigMap| map.metadata.resource_version;
    let before = version(world.api::<ConfigMap>().get("a").await.expect("it exists"));
    assert_eq!(names(&world, "a").await.len(), 2);

    let mut deleted = world.api::<ConfigMap>().get("a").await.expect("it exists");
    world.delete("a").await;
    deleted.metadata.deletion_timestamp =
        world.api::<ConfigMap>().get("a").await.expect("it waits").metadata.deletion_timestamp;
    assert_eq!(version(deleted.clone()), before, "an old copy, which another has changed since");
    let FinalizerState::CleanUp(clean_up) = finalizer.state(&deleted) else { panic!("to be cleaned up") };
    clean_up.remove(&api).await.expect("removed");
    assert_eq!(names(&world, "a").await, ["example.com/other"]);

    let writes = world.writes();
    let FinalizerState::CleanUp(clean_up) = finalizer.state(&deleted) else { panic!("by its old copy") };
    clean_up.remove(&api).await.expect("it is removed");
    assert_eq!((names(&world, "a").await.len(), world.writes() - writes), (1, 1), "a conflict, and no write");
}

/// FI-T3: an object that is up to date needs no write.
#[tokio::test(start_paused = true)]
async fn an_object_with_the_finalizer_or_without_need_of_it_is_not_written() {
    let world = World::new();
    let with = json!({"metadata": {"name": "a", "finalizers": ["example.com/bucket"]}});
    let finalizer = finalizer();
    assert!(matches!(finalizer.state(&world.map_of(with).await), FinalizerState::Present));
    let other = json!({"metadata": {"name": "b", "finalizers": ["example.com/other"]}});
    world.map_of(other).await;
    world.delete("b").await;
    let deleted = world.api::<ConfigMap>().get("b").await.expect("it waits");
    assert!(matches!(finalizer.state(&deleted), FinalizerState::Removed));
    assert_eq!(world.writes(), 0);
}

/// A later object of the same name is another one.
#[tokio::test(start_paused = true)]
async fn a_later_object_of_the_name_is_left_alone() {
    let world = World::new();
    let old = world.map("a").await;
    world.delete("a").await;
    let (finalizer, api) = (finalizer(), kube_client::Api::default_namespaced(world.client.clone()));
    let missing = || match finalizer.state(&old) {
        FinalizerState::Missing(missing) => missing,
        other => panic!("{other:?}"),
    };
    assert!(!missing().add(&api).await.expect("it is gone"));
    world.map("a").await;
    assert!(!missing().add(&api).await.expect("it is gone"));
    assert!(names(&world, "a").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_endless_conflict_is_an_error_and_no_loop() {
    let world = World::new();
    let map = world.map("a").await;
    let patches = Filter::any().verb(Verb::Patch).user_agent("controller");
    let _conflicts = world.server.faults().refuse(patches, Refusal::conflict(), usize::MAX);
    let (finalizer, api) = (finalizer(), kube_client::Api::default_namespaced(world.client.clone()));
    let FinalizerState::Missing(missing) = finalizer.state(&map) else { panic!("it lacks the finalizer") };
    assert!(missing.add(&api).await.expect_err("five conflicts").is_conflict());
    assert_eq!(world.writes(), 5);
}

/// controller-runtime: an error of `Finalize` keeps its finalizer, and `FinalizeAll` runs all that are registered, each
/// by its name.
#[tokio::test(start_paused = true)]
async fn each_finalizer_goes_once_its_own_clean_up_has_succeeded() {
    let world = World::new();
    let (attempts, store) = (Log::default(), world.maps.store().clone());
    let api = kube_client::Api::<ConfigMap>::default_namespaced(world.client.clone());
    world
        .map_of(json!({"metadata": {"name": "a", "finalizers": ["example.com/bucket", "example.com/dns"]}}))
        .await;
    let controller = Controller::new("test", &world.maps).reconciler({
        let attempts = attempts.clone();
        move |request: Request| {
            let (attempts, api, map) = (attempts.clone(), api.clone(), store.get(&request.key));
            async move {
                let Some(map) = map else { return Ok(Action::done()) };
                for name in ["example.com/dns", "example.com/bucket"] {
                    let finalizer = Finalizer::new(name).expect("a finalizer");
                    let FinalizerState::CleanUp(clean_up) = finalizer.state(&*map) else { continue };
                    attempts.record(&request);
                    if name == "example.com/bucket" && attempts.len() < 4 {
                        return Err(Error::new("the bucket is not empty"));
                    }
                    clean_up.remove(&api).await?;
                }
                Ok(Action::done())
            }
        }
    });
    let running = during(&controller, async {
        settle(SECOND).await;
        world.delete("a").await;
        settle(3 * MS).await; // the first backoff is 5 ms
        assert_eq!(names(&world, "a").await, ["example.com/bucket"]);
        settle(SECOND).await;
        assert!(world.api::<ConfigMap>().get_opt("a").await.expect("a reply").is_none());
    });
    running.await;
    assert!(attempts.len() >= 4, "{}", attempts.len());
}
