//! The discovery documents, one by one.

use http::header;

use super::*;

fn get(path: &str, accept: &str) -> Option<(String, Value)> {
    let answer = answer(&Kinds::built_in(), path, accept, &http::HeaderMap::new())?;
    let content_type = answer.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
    Some((content_type, serde_json::from_slice(answer.body()).unwrap_or_default()))
}

fn document(path: &str) -> Value {
    get(path, "application/json").expect("a document of discovery").1
}

fn entry(list: &Value, name: &str) -> Value {
    let resources = list["resources"].as_array().expect("resources");
    resources.iter().find(|resource| resource["name"] == name).expect(name).clone()
}

#[test]
fn groups_are_listed_in_the_order_of_upstream() {
    let groups = document("/apis");
    let names: Vec<&str> = groups["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter_map(|group| group["name"].as_str())
        .collect();
    assert_eq!(&names[..3], ["apiregistration.k8s.io", "apps", "events.k8s.io"]);
    assert!(names.contains(&"coordination.k8s.io") && !names.contains(&""));
    assert_eq!(
        document("/apis/apps")["preferredVersion"],
        json!({"groupVersion": "apps/v1", "version": "v1"})
    );
    assert_eq!(document("/api")["versions"], json!(["v1"]));
}

#[test]
fn kinds_are_told_with_their_names_and_subresources() {
    let core = document("/api/v1");
    assert_eq!(entry(&core, "configmaps")["shortNames"], json!(["cm"]));
    assert_eq!(entry(&core, "pods")["categories"], json!(["all"]));
    assert_eq!(entry(&core, "namespaces")["namespaced"], false);
    assert_eq!(entry(&core, "pods/eviction")["group"], "policy");
    assert_eq!(entry(&core, "pods/binding").get("group"), None);
    let apps = document("/apis/apps/v1");
    let scale = entry(&apps, "deployments/scale");
    assert_eq!(
        (&scale["group"], &scale["version"], &scale["kind"]),
        (&json!("autoscaling"), &json!("v1"), &json!("Scale"))
    );
    assert_eq!(entry(&apps, "replicasets/status")["kind"], "ReplicaSet");
    assert_eq!(entry(&apps, "replicasets/status").get("group"), None);
}

#[test]
fn the_preferred_version_is_the_most_stable_one() {
    let version = |version: &str| Arc::new(Kind::plain("example.com", version, "Foo", "foos"));
    let all = ["v1alpha1", "v1beta1", "v1beta2", "v2", "v10", "draft", "v1"].map(version);
    assert_eq!(versions(&all, "example.com"), ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "draft"]);
}

/// kubectl up to 1.29 asks for `v2beta1` only, later ones for both, client-go 1.37 for `v2`.
#[test]
fn everything_comes_at_once_in_the_version_that_was_asked_for() {
    let accept = |version: &str| {
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList")
    };
    for version in ["v2", "v2beta1"] {
        let asked = format!("{},application/json", accept(version));
        let (content_type, list) = get("/apis", &asked).expect("a document");
        assert_eq!(content_type, accept(version));
        assert_eq!(list["apiVersion"], format!("apidiscovery.k8s.io/{version}"));
        let apps = &list["items"][1];
        assert_eq!(apps["metadata"]["name"], "apps");
        let resources = apps["versions"][0]["resources"].as_array().expect("resources");
        let deployments =
            resources.iter().find(|resource| resource["resource"] == "deployments").expect("one");
        assert_eq!(deployments["subresources"][0]["subresource"], "scale");
        assert_eq!(deployments["subresources"][0]["responseKind"]["group"], "autoscaling");
        let (_, core) = get("/api", &asked).expect("a document");
        assert_eq!(core["items"].as_array().map(Vec::len), Some(1));
        assert_eq!(core["items"][0]["metadata"], json!({}));
    }
    let (content_type, plain) =
        get("/apis", &format!("{},application/json", accept("v3"))).expect("a document");
    assert_eq!((content_type.as_str(), &plain["kind"]), ("application/json", &json!("APIGroupList")));
    let first = get("/apis", &format!("application/json,{}", accept("v2"))).expect("a document");
    assert_eq!(first.0, "application/json", "what is asked for first is taken");
}
