//! Differences and equal states.

use k8s_openapi::api::core::v1::ConfigMap;
use trimtab_apiserver::ApiServer;

use super::*;

#[test]
fn what_the_server_adds_is_no_difference_and_what_it_lost_is() {
    let expected = json!({"replicas": 3, "template": {"containers": [{"name": "web"}]}});
    let defaulted =
        json!({"replicas": 3, "template": {"containers": [{"name": "web", "image": "x"}]}, "more": 1});
    assert_eq!(not_within(&expected, &defaulted, "spec"), None);
    let lost = json!({"replicas": 3, "template": {"containers": [{"image": "x"}]}});
    assert_eq!(not_within(&expected, &lost, "spec").as_deref(), Some("spec.template.containers[0].name"));
}

fn declared(label: &str, data: &str) -> Manifest {
    let mut manifest = Manifest::named::<ConfigMap>(&ObjectKey::namespaced("default", "settings"));
    manifest.object.metadata.namespace = None; // as many manifests have it
    manifest.object.metadata.labels = Some([("app".to_owned(), label.to_owned())].into());
    manifest.object.data = json!({"data": {"size": data}});
    manifest
}

async fn differences(manifest: Manifest) -> Vec<String> {
    let server = ApiServer::builder().controllers(false).start();
    declared("web", "1").create(server.client()).await.expect("created");
    let (wanted, foreign) = (Wanted::default(), Foreign::new());
    let expected = Expected { manifests: &[manifest], wanted: &wanted, foreign: &foreign };
    expected.differences(&server.client(), &BTreeMap::new()).await.expect("an answer")
}

#[tokio::test(start_paused = true)]
async fn labels_and_data_are_compared_as_well() {
    assert_eq!(differences(declared("web", "1")).await, [""; 0]);
    assert_eq!(
        differences(declared("other", "1")).await,
        ["ConfigMap default/settings: metadata.labels.app is not as in the manifest"]
    );
    assert_eq!(
        differences(declared("web", "2")).await,
        ["ConfigMap default/settings: data.size is not as in the manifest"]
    );
}

/// A Pod declared without a namespace goes to `default`, and is found there.
#[tokio::test(start_paused = true)]
async fn pods_without_a_controller_are_wrong_unless_they_are_declared_or_foreign() {
    let server = ApiServer::builder().controllers(false).start();
    let pod = |name: &str| {
        let mut pod = Manifest::named::<Pod>(&ObjectKey::namespaced("default", name));
        pod.object.metadata.namespace = None;
        pod.object.data = json!({"spec": {"containers": [{"name": "c", "image": "c:1"}]}});
        pod
    };
    let mut foreign = Foreign::new();
    for name in ["declared", "foreign", "stray"] {
        let created = pod(name).create(server.client()).await.expect("created");
        foreign.extend((name == "foreign").then(|| created.metadata().uid().to_owned()));
    }
    let (wanted, manifests) = (Wanted::default(), [pod("declared")]);
    let expected = Expected { manifests: &manifests, wanted: &wanted, foreign: &foreign };
    let wrong = expected.differences(&server.client(), &BTreeMap::new()).await.expect("an answer");
    assert_eq!(wrong, ["Pod default/stray has no controller and is in no manifest"]);
}
