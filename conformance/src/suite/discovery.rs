//! Discovery: groups, versions and resources.

use crate::answer::{Answer, Mismatch};
use crate::case::{Case, Outcome, case};
use crate::site::Site;
use http::Method;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(core_versions)
            .rule("/api names the versions of the core group.")
            .source("kubernetes/test/e2e/apimachinery/discovery.go"),
        case(groups)
            .rule("/apis lists the groups, each with its versions and the preferred one.")
            .source("kubernetes/test/e2e/apimachinery/discovery.go"),
        case(one_group)
            .rule("A group has a page of its own.")
            .source("kubernetes/test/e2e/apimachinery/discovery.go"),
        case(a_resource)
            .rule("A resource says its kind, scope, verbs and short names.")
            .source("kubernetes/test/e2e/apimachinery/discovery.go"),
        case(subresources)
            .rule("Subresources are listed, those of other groups with their kind.")
            .source("kubernetes/test/e2e/apimachinery/discovery.go"),
        case(short_names)
            .rule("The built-in kinds have the short names that people type.")
            .source("kubectl api-resources"),
        case(aggregated)
            .rule("Discovery comes aggregated on request, with its own content type.")
            .source("KEP-3352"),
        case(aggregated_is_cached)
            .rule("Aggregated discovery has an ETag, and answers 304 to whoever has it.")
            .source("KEP-3352"),
        case(the_root).rule("The root lists paths.").source("apiserver: index"),
    ]
}

const AGGREGATED: &str =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// A resource of a group's version.
async fn resource(site: &Site, group: &str, name: &str) -> Result<(Answer, Value), Mismatch> {
    let answer = site.get(group).await?.code(200)?.is("/kind", "APIResourceList")?;
    let found = answer.list("/resources").iter().find(|one| one["name"] == name).cloned();
    let answer = answer.check(found.is_some(), format!("the resource {name}"))?;
    Ok((answer, found.unwrap_or_default()))
}

async fn core_versions(site: Site) -> Outcome {
    site.get("/api")
        .await?
        .code(200)?
        .is("/kind", "APIVersions")?
        .is("/versions", json!(["v1"]))?
        .has("/serverAddressByClientCIDRs")?;
    Ok(())
}

async fn groups(site: Site) -> Outcome {
    let answer = site.get("/apis").await?.code(200)?.is("/kind", "APIGroupList")?;
    for (group, version) in [
        ("apps", "apps/v1"),
        ("batch", "batch/v1"),
        ("policy", "policy/v1"),
        ("coordination.k8s.io", "coordination.k8s.io/v1"),
        ("events.k8s.io", "events.k8s.io/v1"),
        ("rbac.authorization.k8s.io", "rbac.authorization.k8s.io/v1"),
        ("networking.k8s.io", "networking.k8s.io/v1"),
        ("storage.k8s.io", "storage.k8s.io/v1"),
        ("scheduling.k8s.io", "scheduling.k8s.io/v1"),
        ("autoscaling", "autoscaling/v2"),
        ("certificates.k8s.io", "certificates.k8s.io/v1"),
        ("discovery.k8s.io", "discovery.k8s.io/v1"),
        ("node.k8s.io", "node.k8s.io/v1"),
        ("admissionregistration.k8s.io", "admissionregistration.k8s.io/v1"),
        ("flowcontrol.apiserver.k8s.io", "flowcontrol.apiserver.k8s.io/v1"),
        ("resource.k8s.io", "resource.k8s.io/v1"),
        ("apiextensions.k8s.io", "apiextensions.k8s.io/v1"),
        ("authentication.k8s.io", "authentication.k8s.io/v1"),
        ("authorization.k8s.io", "authorization.k8s.io/v1"),
        ("apiregistration.k8s.io", "apiregistration.k8s.io/v1"),
    ] {
        let there = answer
            .list("/groups")
            .iter()
            .any(|one| one["name"] == group && one["preferredVersion"]["groupVersion"] == version);
        answer.clone().check(there, format!("{group} with the preferred version {version}"))?;
    }
    Ok(())
}

async fn one_group(site: Site) -> Outcome {
    site.get("/apis/apps")
        .await?
        .code(200)?
        .is("/kind", "APIGroup")?
        .is("/name", "apps")?
        .is("/preferredVersion/version", "v1")?
        .is("/versions/0/groupVersion", "apps/v1")?;
    Ok(())
}

async fn a_resource(site: Site) -> Outcome {
    let (answer, pods) = resource(&site, "/api/v1", "pods").await?;
    let verbs = json!(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]);
    let right = pods["kind"] == "Pod"
        && pods["namespaced"] == true
        && pods["shortNames"] == json!(["po"])
        && pods["verbs"] == verbs
        && pods["categories"] == json!(["all"])
        && pods["singularName"] == "pod"
        && pods["storageVersionHash"].is_string();
    answer.check(right, "pods as kubectl needs them")?;
    Ok(())
}

async fn subresources(site: Site) -> Outcome {
    let (answer, scale) = resource(&site, "/apis/apps/v1", "deployments/scale").await?;
    let right = scale["kind"] == "Scale" && scale["group"] == "autoscaling" && scale["version"] == "v1";
    answer.check(right, "Scale of autoscaling/v1")?;
    let (answer, eviction) = resource(&site, "/api/v1", "pods/eviction").await?;
    let right = eviction["kind"] == "Eviction"
        && eviction["group"] == "policy"
        && eviction["verbs"] == json!(["create"]);
    answer.check(right, "Eviction of policy")?;
    Ok(())
}

async fn short_names(site: Site) -> Outcome {
    for (group, name, short) in [
        ("/api/v1", "configmaps", "cm"),
        ("/api/v1", "services", "svc"),
        ("/api/v1", "namespaces", "ns"),
        ("/api/v1", "nodes", "no"),
        ("/api/v1", "serviceaccounts", "sa"),
        ("/api/v1", "persistentvolumeclaims", "pvc"),
        ("/apis/apps/v1", "deployments", "deploy"),
        ("/apis/apps/v1", "replicasets", "rs"),
        ("/apis/apps/v1", "statefulsets", "sts"),
        ("/apis/apps/v1", "daemonsets", "ds"),
        ("/apis/batch/v1", "cronjobs", "cj"),
        ("/apis/autoscaling/v2", "horizontalpodautoscalers", "hpa"),
        ("/apis/networking.k8s.io/v1", "ingresses", "ing"),
        ("/apis/policy/v1", "poddisruptionbudgets", "pdb"),
        ("/apis/storage.k8s.io/v1", "storageclasses", "sc"),
        ("/apis/scheduling.k8s.io/v1", "priorityclasses", "pc"),
        ("/apis/apiextensions.k8s.io/v1", "customresourcedefinitions", "crd"),
    ] {
        let (answer, found) = resource(&site, group, name).await?;
        let right = found["shortNames"].as_array().is_some_and(|names| names.contains(&json!(short)));
        answer.check(right, format!("{short} for {name}"))?;
    }
    Ok(())
}

async fn aggregated(site: Site) -> Outcome {
    let answer = site
        .get_as(AGGREGATED, "/apis")
        .await?
        .code(200)?
        .is("/kind", "APIGroupDiscoveryList")?
        .is("/apiVersion", "apidiscovery.k8s.io/v2")?
        .header("content-type", "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")?;
    let apps = answer
        .list("/items")
        .iter()
        .find(|one| one["metadata"]["name"] == "apps")
        .cloned()
        .unwrap_or_default();
    let deployments = apps["versions"][0]["resources"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["resource"] == "deployments"))
        .cloned()
        .unwrap_or_default();
    let right = deployments["responseKind"]["kind"] == "Deployment"
        && deployments["scope"] == "Namespaced"
        && deployments["singularResource"] == "deployment"
        && deployments["subresources"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["subresource"] == "scale"));
    answer.check(right, "deployments with their subresources")?;
    site.get_as(AGGREGATED, "/api")
        .await?
        .code(200)?
        .is("/kind", "APIGroupDiscoveryList")?
        .is("/items/0/versions/0/version", "v1")?;
    Ok(())
}

async fn aggregated_is_cached(site: Site) -> Outcome {
    let first = site.get_as(AGGREGATED, "/api").await?.code(200)?;
    let tag = first.headers.get("etag").map(|tag| tag.as_bytes().to_vec()).unwrap_or_default();
    first.check(!tag.is_empty(), "an ETag")?;
    site.call(Method::GET, "/api").accept(AGGREGATED).header("if-none-match", tag).send().await?.code(304)?;
    Ok(())
}

async fn the_root(site: Site) -> Outcome {
    let answer = site.get("/").await?.code(200)?;
    let right = [
        "/api",
        "/api/v1",
        "/apis",
        "/apis/apps/v1",
        "/healthz",
        "/livez",
        "/readyz",
        "/openapi/v2",
        "/openapi/v3",
        "/version",
    ]
    .iter()
    .all(|path| answer.list("/paths").contains(&json!(path)));
    answer.check(right, "the paths that every server has")?;
    Ok(())
}
