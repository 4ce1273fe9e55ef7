//! The status is written only when it changes; waits for conditions and for definitions.

use k8s_openapi::{
    api::{apps::v1::Deployment, core::v1::ConfigMap},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube_client::{
    Api,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::json;
use trimtab_apiserver::{Filter, Refusal};
use trimtab_controller::{await_condition, informer::InformerFactory, patch_status, wait_established};
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
