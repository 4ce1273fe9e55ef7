//! The server about itself: version, health, OpenAPI, the first objects and the headers of every answer.

use crate::case::{Case, Outcome, case};
use crate::site::Site;
use serde_json::json;

pub(super) fn cases() -> Vec<Case> {
    vec![
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
