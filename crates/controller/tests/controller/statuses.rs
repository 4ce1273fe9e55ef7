//! The status is written only when it changes, or over what the server has; waits for conditions and for definitions.

use std::cell::RefCell;

use k8s_openapi::{
    api::{apps::v1::Deployment, core::v1::ConfigMap},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube_client::{
    Api,
    api::{DeleteParams, Patch, PatchParams, PostParams},
};
use serde_json::json;
use trimtab_apiserver::{Filter, Refusal, Verb};
use trimtab_controller::{
    Ledger, OwnWrites, Writer, await_condition, informer::InformerFactory, patch_status, wait_established,
};
use trimtab_test_support::settle;

use crate::world::{SECOND, World, key};

async fn deployment(world: &World) -> Deployment {
    let web = json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]},
        }},
    });
    let web = serde_json::from_value(web).expect("a Deployment");
    world.api::<Deployment>().create(&PostParams::default(), &web).await.expect("created")
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_status_is_not_written_and_a_changed_one_is() {
    let world = World::new();
    let web = deployment(&world).await;
    let api: Api<Deployment> = Api::default_namespaced(world.client.clone());
    let old = web.status.clone().unwrap_or_default();
    assert!(patch_status(&api, &web, Some(&old), &old).await.expect("no request").is_none());
    assert_eq!(world.writes(), 0);
    let mut new = old.clone();
    new.replicas = Some(3);
    let written = patch_status(&api, &web, Some(&old), &new).await.expect("written").expect("sent");
    assert_eq!((written.status.and_then(|status| status.replicas), world.writes()), (Some(3), 1));

    // The copy at hand is old by now: a conflict, so that no condition of another writer is lost.
    new.replicas = Some(4);
    assert!(patch_status(&api, &web, Some(&old), &new).await.expect_err("old").is_conflict());
}

fn replicas(deployment: &Deployment) -> Option<i32> {
    deployment.status.as_ref()?.replicas
}

/// Another writer has changed the spec and the status. [`patch_status`] refuses that.
#[tokio::test(start_paused = true)]
async fn a_status_is_overwritten_whatever_the_server_has() {
    let world = World::new();
    let (web, api) = (deployment(&world).await, world.api::<Deployment>());
    let other = Patch::Merge(json!({"spec": {"replicas": 5}}));
    api.patch("web", &PatchParams::default(), &other).await.expect("patched");
    let other = Patch::Merge(json!({"status": {"replicas": 7, "readyReplicas": 7, "updatedReplicas": 2}}));
    api.patch_status("web", &PatchParams::default(), &other).await.expect("patched");

    let writer = Writer::new(world.client.clone(), "web-controller");
    let status = |_: &Deployment| Some(json!({"replicas": 3, "readyReplicas": null}));
    writer.overwrite_status(&web, status).await.expect("no conflict");
    let now = api.get("web").await.expect("it exists");
    assert_eq!((now.spec.replicas, replicas(&now)), (Some(5), Some(3)));
    let kept = now.status.map(|status| (status.ready_replicas, status.updated_replicas));
    assert_eq!(kept, Some((None, Some(2))), "a null is removed, and what is not named stays");
    let managers = now.metadata.managed_fields.unwrap_or_default();
    assert!(managers.iter().any(|one| one.manager.as_deref() == Some("web-controller")));
    writer.overwrite_status(&web, |_| None::<()>).await.expect("nothing is sent");
    assert_eq!(world.writes(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_conflict_a_status_is_overwritten_by_the_present_object_once() {
    let world = World::new();
    let (old, api) = (deployment(&world).await, world.api::<Deployment>());
    let other = Patch::Merge(json!({"spec": {"replicas": 5}}));
    api.patch("web", &PatchParams::default(), &other).await.expect("patched");
    let writer = Writer::new(world.client.clone(), "web-controller");
    for (conflicts, written) in [(1, Some(Some(5))), (2, None)] {
        let (patches, seen) = (Filter::any().verb(Verb::Patch), RefCell::new(Vec::new()));
        let refused = world.server.faults().refuse(patches, Refusal::conflict(), conflicts);
        let status = |now: &Deployment| {
            seen.borrow_mut().push(now.spec.replicas);
            now.spec.replicas.map(|replicas| json!({"replicas": replicas}))
        };
        let result = writer.overwrite_status(&old, status).await;
        assert_eq!((refused.remaining(), seen.take()), (0, vec![Some(3), Some(5)]));
        match written {
            Some(written) => assert_eq!(replicas(&api.get("web").await.expect("it exists")), written),
            None => assert!(result.expect_err("the second one").is_conflict()),
        }
    }
}

/// Fails if a 404, or a later object of the name, is not noted.
#[tokio::test(start_paused = true)]
async fn the_status_of_an_object_that_is_gone_is_no_error_and_its_key_waits() {
    for is_replaced in [false, true] {
        let world = World::new();
        let (web, api) = (deployment(&world).await, world.api::<Deployment>());
        let deployments = world.informers.informer::<Deployment>();
        let writes = OwnWrites::new(Ledger::new(), &deployments);
        let writer = Writer::new(world.client.clone(), "web-controller").own_writes(writes.clone());
        world.informers.start();
        assert!(deployments.wait_for_sync().await);
        let stalled = world.server.faults().stall_watches(Filter::any().verb(Verb::Watch));
        api.delete("web", &DeleteParams::background()).await.expect("deleted");
        if is_replaced {
            deployment(&world).await;
        }
        writer.overwrite_status(&web, |_| Some(json!({"replicas": 3}))).await.expect("it needs none");
        let waits = async || writes.wait(&key("web"), &world.client).await.expect("a reply").is_some();
        assert!(waits().await, "{is_replaced}");
        if is_replaced {
            assert_eq!(replicas(&api.get("web").await.expect("it exists")), None);
        }
        stalled.release();
        settle(5 * SECOND).await;
        assert!(!waits().await, "{is_replaced}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_condition_of_an_object_is_awaited_until_it_holds_or_the_time_is_over() {
    let world = World::new();
    world.maps.start();
    let has_data = |map: Option<&ConfigMap>| map.is_some_and(|map| map.data.is_some());
    let story = async {
        settle(5 * SECOND).await;
        world.map("a").await;
        settle(5 * SECOND).await;
        world.touch("a", "1").await;
    };
    let begun = tokio::time::Instant::now();
    let a = key("a");
    let (found, ()) = tokio::join!(await_condition(&world.maps, &a, 60 * SECOND, has_data), story);
    assert!(found.expect("in time").is_some_and(|map| map.data.is_some()));
    assert_eq!(begun.elapsed().as_secs(), 10);

    world.delete("a").await;
    let gone = await_condition(&world.maps, &key("a"), SECOND, |map| map.is_none()).await;
    assert_eq!(gone.map(|map| map.is_none()), Ok(true));
    let error = await_condition(&world.maps, &key("a"), SECOND, has_data).await.expect_err("it is gone");
    assert_eq!(format!("{error:?}"), "configmaps default/a is not as needed after 1s: it does not exist");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_cannot_read_says_why() {
    let world = World::new();
    let _refused = world.server.faults().refuse(Filter::any(), Refusal::forbidden(), usize::MAX);
    let maps = InformerFactory::new(world.client.clone()).informer::<ConfigMap>();
    maps.start();
    let error = await_condition(&maps, &key("a"), SECOND, |map| map.is_some()).await.expect_err("403");
    assert!(error.to_string().contains("403"), "{error}");
}

/// kube-rs' `await_condition(crds, name, conditions::is_crd_established())`.
#[tokio::test(start_paused = true)]
async fn a_definition_is_awaited_until_it_is_established() {
    let world = World::new();
    let name = "websites.example.com";
    let error = wait_established(world.client.clone(), name, SECOND).await.expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "customresourcedefinitions.apiextensions.k8s.io (Definition) websites.example.com is not as needed after 1s: it does not exist"
    );
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": name},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"plural": "websites", "singular": "website", "kind": "Website"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    });
    let create = async {
        settle(5 * SECOND).await;
        let api: Api<CustomResourceDefinition> = Api::all(world.server.client());
        let definition: CustomResourceDefinition = serde_json::from_value(definition).expect("a definition");
        let params = PatchParams::apply("test");
        api.patch(name, &params, &Patch::Apply(&definition)).await.expect("created");
    };
    let (established, ()) = tokio::join!(wait_established(world.client.clone(), name, 60 * SECOND), create);
    established.expect("established");
}
