//! What a server tells about itself: discovery, OpenAPI, version and health.

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
        case(the_version)
            .rule("The version is that of Kubernetes 1.36.")
            .source("kubernetes/test/e2e/apimachinery/server_version.go"),
        case(health)
            .rule("Health is the word ok.")
            .source("kubernetes/test/e2e/apimachinery/health_handlers.go"),
        case(health_in_detail)
            .rule("Health in detail lists the checks.")
            .source("kubernetes/test/e2e/apimachinery/health_handlers.go"),
        case(one_check)
            .rule("One check has a path of its own.")
            .source("kubernetes/test/e2e/apimachinery/health_handlers.go"),
        case(a_check_is_left_out)
            .rule("A check can be left out.")
            .source("kubernetes/test/e2e/apimachinery/health_handlers.go"),
        case(openapi_v3)
            .rule("OpenAPI v3 has an index of documents, one for each group's version.")
            .source("KEP-2896"),
        case(openapi_types)
            .rule("A document says what a field is: its type, how its list is merged.")
            .source("KEP-2896"),
        case(openapi_parameters)
            .rule("A patch in a document tells that fieldValidation is known, by which kubectl decides.")
            .source("kubectl: query param verifier"),
        case(openapi_v2)
            .rule("OpenAPI v2 is there for older clients.")
            .source("kubernetes/test/e2e/apimachinery/openapi"),
        case(openapi_v2_as_protobuf)
            .rule("OpenAPI v2 comes as protobuf to whoever asks for that first.")
            .source("kubectl 1.27: OpenAPI v2 as protobuf"),
        case(the_service_kubernetes)
            .rule("A new cluster has the Service kubernetes.")
            .source("kubernetes/test/e2e/apimachinery; controlplane: kubernetesservice"),
        case(bootstrap_roles)
            .rule("A new cluster has roles to begin with.")
            .source("kubernetes/plugin/pkg/auth: bootstrappolicy"),
        case(priority_classes)
            .rule("A new cluster has the priority classes of its own components.")
            .source("scheduling: system priority classes"),
        case(answers_have_an_id)
            .rule("Every answer has an id for the server's log.")
            .source("apiserver: audit"),
        case(answers_are_not_cached)
            .rule("Answers are not to be cached.")
            .source("apiserver: WithCacheControl"),
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
    answer.check(
        eviction["kind"] == "Eviction"
            && eviction["group"] == "policy"
            && eviction["verbs"] == json!(["create"]),
        "Eviction of policy",
    )?;
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

async fn the_version(site: Site) -> Outcome {
    let answer = site
        .get("/version")
        .await?
        .code(200)?
        .is("/major", "1")?
        .is("/minor", "36")?
        .has("/platform")?
        .has("/goVersion")?
        .has("/compiler")?
        .has("/gitCommit")?
        .has("/gitTreeState")?
        .has("/buildDate")?;
    let git = answer.text("/gitVersion").starts_with("v1.36.");
    answer.check(git, "gitVersion v1.36.x")?;
    Ok(())
}

async fn health(site: Site) -> Outcome {
    for path in ["/healthz", "/livez", "/readyz"] {
        let answer = site.get(path).await?.code(200)?.header("content-type", "text/plain")?;
        let ok = answer.body == "ok".as_bytes();
        answer.check(ok, "ok")?;
    }
    Ok(())
}

async fn health_in_detail(site: Site) -> Outcome {
    for path in ["healthz", "livez", "readyz"] {
        site.get(&format!("/{path}?verbose"))
            .await?
            .code(200)?
            .says("[+]ping ok\n")?
            .says(&format!("{path} check passed\n"))?;
    }
    Ok(())
}

async fn one_check(site: Site) -> Outcome {
    site.get("/livez/ping").await?.code(200)?.says("ok")?;
    site.get("/livez/nonsense").await?.code(404)?;
    Ok(())
}

async fn a_check_is_left_out(site: Site) -> Outcome {
    site.get("/livez?verbose&exclude=ping").await?.code(200)?.says("[+]ping excluded: ok\n")?;
    Ok(())
}

async fn openapi_v3(site: Site) -> Outcome {
    let index = site.get("/openapi/v3").await?.code(200)?;
    for key in ["api/v1", "apis/apps/v1", "apis/batch/v1", "apis/policy/v1"] {
        let path = index.text(&format!("/paths/{}/serverRelativeURL", key.replace('/', "~1"))).to_owned();
        let right = path.starts_with(&format!("/openapi/v3/{key}?hash="));
        index.clone().check(right, format!("the address of {key} with its hash"))?;
    }
    let path = index.text("/paths/apis~1apps~1v1/serverRelativeURL").to_owned();
    let document = site.get(&path).await?.code(200)?.mentions("/openapi", "3.")?;
    document
        .is(
            "/components/schemas/io.k8s.api.apps.v1.Deployment/x-kubernetes-group-version-kind/0/kind",
            "Deployment",
        )?
        .has("/paths/~1apis~1apps~1v1~1namespaces~1{namespace}~1deployments~1{name}/patch")?;
    Ok(())
}

async fn openapi_types(site: Site) -> Outcome {
    let document = site.get("/openapi/v3/api/v1").await?.code(200)?;
    let containers = "/components/schemas/io.k8s.api.core.v1.PodSpec/properties/containers";
    document
        .is(&format!("{containers}/type"), "array")?
        .is(&format!("{containers}/x-kubernetes-list-type"), "map")?
        .is(&format!("{containers}/x-kubernetes-list-map-keys"), json!(["name"]))?
        .is(&format!("{containers}/x-kubernetes-patch-merge-key"), "name")?;
    Ok(())
}

async fn openapi_parameters(site: Site) -> Outcome {
    let document = site.get("/openapi/v3/apis/apps/v1").await?.code(200)?;
    let patch = document.at("/paths/~1apis~1apps~1v1~1namespaces~1{namespace}~1deployments~1{name}/patch");
    let right = patch["x-kubernetes-group-version-kind"]["kind"] == "Deployment"
        && patch["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["name"] == "fieldValidation"));
    document.check(right, "the parameter fieldValidation in a patch of Deployments")?;
    Ok(())
}

async fn openapi_v2(site: Site) -> Outcome {
    site.get("/openapi/v2").await?.code(200)?.is("/swagger", "2.0")?;
    Ok(())
}

async fn openapi_v2_as_protobuf(site: Site) -> Outcome {
    let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
    let answer = site.get_as(accept, "/openapi/v2").await?.code(200)?;
    let swagger = answer.body.starts_with(b"\x0a\x032.0");
    answer.check(swagger, "a document that begins with swagger 2.0")?;
    Ok(())
}

async fn the_service_kubernetes(site: Site) -> Outcome {
    site.until_found("/api/v1/namespaces/default/services/kubernetes", "the Service")
        .await?
        .is("/spec/ports/0/port", 443)?
        .is("/spec/ports/0/name", "https")?
        .is("/metadata/labels/component", "apiserver")?;
    Ok(())
}

async fn bootstrap_roles(site: Site) -> Outcome {
    for role in ["cluster-admin", "admin", "edit", "view", "system:basic-user", "system:discovery"] {
        site.until_found(&format!("/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}"), "a ClusterRole")
            .await?;
    }
    site.get("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/cluster-admin")
        .await?
        .code(200)?
        .is("/subjects/0/name", "system:masters")?;
    Ok(())
}

async fn priority_classes(site: Site) -> Outcome {
    site.until_found("/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical", "a PriorityClass")
        .await?
        .is("/value", 2_000_001_000)?;
    Ok(())
}

async fn answers_have_an_id(site: Site) -> Outcome {
    let answer = site.get("secrets").await?.code(200)?;
    let there = answer.headers.contains_key("audit-id");
    answer.check(there, "the header Audit-Id")?;
    Ok(())
}

async fn answers_are_not_cached(site: Site) -> Outcome {
    site.get("secrets").await?.code(200)?.header("cache-control", "no-cache, private")?;
    Ok(())
}
