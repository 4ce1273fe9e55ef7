//! Kinds with rules of their own: reviews, roles, and one of each stable group.

use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

/// The certificate of an authority.
const AUTHORITY: &str = include_str!("../../../crates/apiserver/tests/data/authority.pem");

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(a_self_review)
            .rule("A SelfSubjectAccessReview answers whether the asker may.")
            .source("kubernetes/test/e2e/auth/subjectreviews.go"),
        case(a_rules_review)
            .rule("A SelfSubjectRulesReview lists what the asker may.")
            .source("kubectl auth can-i --list"),
        case(a_review_needs_a_subject)
            .rule("A SubjectAccessReview needs somebody to ask about.")
            .source("validation: ValidateSubjectAccessReviewSpec"),
        case(a_token_review)
            .rule("A TokenReview of nonsense says that nobody is known by it.")
            .source("kubernetes/test/e2e/auth/subjectreviews.go"),
        case(reviews_are_not_kept)
            .rule("A review cannot be listed.")
            .source("registry/authorization: create only"),
        case(bindings_are_validated)
            .rule("A Role and its binding are validated.")
            .source("validation: ValidateRoleBinding"),
        case(a_bindings_role_is_immutable)
            .rule("A binding's role cannot change.")
            .source("validation: ValidateRoleBindingUpdate"),
        case(a_priority_is_immutable)
            .rule("A PriorityClass' value cannot change.")
            .source("validation: ValidatePriorityClassUpdate"),
        case(every_namespaced_group)
            .rule("One object of each stable namespaced kind is stored and found again.")
            .source("API reference: stable kinds"),
        case(every_cluster_scoped_group)
            .rule("One object of each stable cluster-scoped kind is stored and found again.")
            .source("API reference: stable kinds"),
        case(bundles_of_trust)
            .rule(
                "A ClusterTrustBundle has certificates and the name of its signer, where the kind is served.",
            )
            .source("kubernetes/pkg/apis/certificates/validation: ValidateClusterTrustBundle"),
        case(migrations)
            .rule("A StorageVersionMigration names a resource that never changes, where the kind is served.")
            .source("kubernetes/pkg/apis/storagemigration/validation: ValidateStorageVersionMigration"),
        case(a_request_knows_who_asked)
            .rule("A certificate request is stored with who asked.")
            .source("kubernetes/test/e2e/auth/certificates.go"),
    ]
}

async fn a_self_review(site: Site) -> Outcome {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"namespace": site.namespace(), "verb": "create", "resource": "pods"}},
    });
    site.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
        .await?
        .code(201)?
        .is("/status/allowed", true)?;
    Ok(())
}

async fn a_rules_review(site: Site) -> Outcome {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": {"namespace": site.namespace()},
    });
    let answer = site.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body).await?.code(201)?;
    let some = !answer.list("/status/resourceRules").is_empty();
    answer.check(some, "rules")?;
    Ok(())
}

async fn a_review_needs_a_subject(site: Site) -> Outcome {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}},
    });
    site.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", body).await?.refused(422, "Invalid")?;
    Ok(())
}

async fn a_token_review(site: Site) -> Outcome {
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": "nonsense"},
    });
    let answer = site.post("/apis/authentication.k8s.io/v1/tokenreviews", body).await?.code(201)?;
    let unknown = answer.at("/status/authenticated") != &json!(true);
    answer.check(unknown, "nobody")?;
    Ok(())
}

async fn reviews_are_not_kept(site: Site) -> Outcome {
    site.get("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").await?.code(405)?;
    Ok(())
}

async fn bindings_are_validated(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Nonsense", "name": "x"},
        "subjects": [],
    });
    site.post("rbac.authorization.k8s.io/v1/rolebindings", body)
        .await?
        .invalid("FieldValueNotSupported", "roleRef.kind")?;
    Ok(())
}

async fn a_bindings_role_is_immutable(site: Site) -> Outcome {
    let body = json!({
        "metadata": {"name": "a"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": "default", "namespace": site.namespace()}],
    });
    site.create("rbac.authorization.k8s.io/v1/rolebindings", body).await?;
    site.patch(MERGE, "rbac.authorization.k8s.io/v1/rolebindings/a", json!({"roleRef": {"name": "edit"}}))
        .await?
        .invalid("FieldValueInvalid", "roleRef")?;
    Ok(())
}

async fn a_priority_is_immutable(site: Site) -> Outcome {
    let name = site.unique("p");
    let body = json!({"metadata": {"name": name}, "value": 5});
    site.create_global("/apis/scheduling.k8s.io/v1/priorityclasses", body).await?;
    site.patch(MERGE, &format!("/apis/scheduling.k8s.io/v1/priorityclasses/{name}"), json!({"value": 6}))
        .await?
        .refused(422, "Invalid")?;
    Ok(())
}

async fn every_namespaced_group(site: Site) -> Outcome {
    let containers = json!([{"name": "x", "image": "x:1"}]);
    for (path, body) in [
        ("networking.k8s.io/v1/networkpolicies", json!({"spec": {"podSelector": {}}})),
        (
            "networking.k8s.io/v1/ingresses",
            json!({"spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}}),
        ),
        (
            "autoscaling/v2/horizontalpodautoscalers",
            json!({"spec": {"maxReplicas": 3, "scaleTargetRef": {
                "kind": "Deployment",
                "name": "d",
                "apiVersion": "apps/v1",
            }}}),
        ),
        ("discovery.k8s.io/v1/endpointslices", json!({"addressType": "IPv4", "endpoints": []})),
        (
            "policy/v1/poddisruptionbudgets",
            json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}}),
        ),
        (
            "rbac.authorization.k8s.io/v1/roles",
            json!({"rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}),
        ),
        ("storage.k8s.io/v1/csistoragecapacities", json!({"storageClassName": "s"})),
        ("resource.k8s.io/v1/resourceclaims", json!({"spec": {}})),
        ("coordination.k8s.io/v1/leases", json!({"spec": {}})),
        ("apps/v1/controllerrevisions", json!({"revision": 1, "data": {"a": 1}})),
        ("resourcequotas", json!({"spec": {"hard": {"pods": "10"}}})),
        ("limitranges", json!({"spec": {"limits": [{"type": "Pod", "max": {"cpu": "2"}}]}})),
        ("endpoints", json!({})),
        ("podtemplates", json!({"template": {"spec": {"containers": containers.clone()}}})),
        (
            "persistentvolumeclaims",
            json!({"spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            }}),
        ),
        (
            "replicationcontrollers",
            json!({"spec": {"replicas": 0, "selector": {"a": "b"}, "template": {
                "metadata": {"labels": {"a": "b"}},
                "spec": {"containers": containers},
            }}}),
        ),
    ] {
        let mut body = body;
        body["metadata"] = json!({"name": "a"});
        site.create(path, body).await?;
        site.get(&format!("{path}/a")).await?.code(200)?;
        site.delete(&format!("{path}/a")).await?.code(200)?;
    }
    Ok(())
}

async fn every_cluster_scoped_group(site: Site) -> Outcome {
    for (path, body) in [
        ("/apis/networking.k8s.io/v1/ingressclasses", json!({"spec": {"controller": "example.com/x"}})),
        ("/apis/storage.k8s.io/v1/storageclasses", json!({"provisioner": "example.com/x"})),
        ("/apis/storage.k8s.io/v1/csidrivers", json!({"spec": {}})),
        ("/apis/storage.k8s.io/v1/csinodes", json!({"spec": {"drivers": []}})),
        (
            "/apis/storage.k8s.io/v1/volumeattachments",
            json!({"spec": {
                "attacher": "example.com",
                "nodeName": "n",
                "source": {"persistentVolumeName": "p"},
            }}),
        ),
        ("/apis/node.k8s.io/v1/runtimeclasses", json!({"handler": "x"})),
        ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations", json!({"webhooks": []})),
        ("/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", json!({"webhooks": []})),
        (
            "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
            json!({"spec": {
                "validations": [{"expression": "true"}],
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": ["x"],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["x"],
                }]},
            }}),
        ),
        (
            "/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
            json!({"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}}),
        ),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles", json!({"rules": []})),
        ("/apis/resource.k8s.io/v1/deviceclasses", json!({"spec": {}})),
        (
            "/api/v1/persistentvolumes",
            json!({"spec": {
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "hostPath": {"path": "/x"},
            }}),
        ),
        ("/api/v1/nodes", json!({})),
    ] {
        let mut body = body;
        let name = site.unique("a");
        body["metadata"] = json!({"name": name});
        site.create_global(path, body).await?;
        site.get(&format!("{path}/{name}")).await?.code(200)?;
    }
    Ok(())
}

/// Returns whether a collection is served: a kube-apiserver serves no kind of a beta version unless it is asked to.
async fn is_served(site: &Site, path: &str) -> Result<bool, Mismatch> {
    Ok(site.get(path).await?.status != 404)
}

async fn bundles_of_trust(site: Site) -> Outcome {
    let path = "/apis/certificates.k8s.io/v1beta1/clustertrustbundles";
    if !is_served(&site, path).await? {
        return Ok(());
    }
    let signer = "example.com/signer";
    let bundle = |name: &str, spec: Value| json!({"metadata": {"name": name}, "spec": spec});
    let name = format!("example.com:signer:{}", site.unique("a"));
    let spec = json!({"signerName": signer, "trustBundle": AUTHORITY});
    site.create_global(path, bundle(&name, spec.clone())).await?.is("/spec/signerName", signer)?;
    let selected = site.get(&format!("{path}?fieldSelector=spec.signerName=example.com/signer")).await?;
    selected.code(200)?.is("/kind", "ClusterTrustBundleList")?.has("/items/0")?;
    let object = format!("{path}/{name}");
    let other = json!({"spec": {"signerName": "example.com/other"}});
    site.patch(MERGE, &object, other).await?.refused(422, "Invalid")?;
    for (name, spec, field) in [
        ("a", spec.clone(), "metadata.name"),
        ("a:b", json!({"trustBundle": AUTHORITY}), "metadata.name"),
        ("a", json!({"trustBundle": ""}), "spec.trustBundle"),
        ("a", json!({"trustBundle": "-----BEGIN X-----\nAAAA\n-----END X-----\n"}), "spec.trustBundle"),
    ] {
        let path = format!("{path}?dryRun=All");
        site.post(&path, bundle(name, spec)).await?.invalid("FieldValueInvalid", field)?;
    }
    Ok(())
}

async fn migrations(site: Site) -> Outcome {
    let path = "/apis/storagemigration.k8s.io/v1beta1/storageversionmigrations";
    if !is_served(&site, path).await? {
        return Ok(());
    }
    let migration = |name: &str, resource: &str| json!({"metadata": {"name": name}, "spec": {"resource": {"group": "", "resource": resource}}});
    let name = site.unique("a");
    site.create_global(path, migration(&name, "secrets")).await?.is("/spec/resource/resource", "secrets")?;
    let object = format!("{path}/{name}");
    let other = json!({"spec": {"resource": {"resource": "configmaps"}}});
    site.patch(MERGE, &object, other).await?.invalid("FieldValueInvalid", "spec")?;
    let dry = format!("{path}?dryRun=All");
    site.post(&dry, migration("b", "")).await?.invalid("FieldValueRequired", "spec.resource.resource")?;
    site.post(&dry, migration("b", "A B")).await?.invalid("FieldValueInvalid", "spec.resource.resource")?;
    let begun = json!({"status": {"resourceVersion": "1"}});
    site.patch(MERGE, &format!("{object}/status"), begun).await?.code(200)?;
    let moved = json!({"status": {"resourceVersion": "2"}});
    let moved = site.patch(MERGE, &format!("{object}/status"), moved).await?;
    moved.invalid("FieldValueInvalid", "status.resourceVersion")?;
    Ok(())
}

async fn a_request_knows_who_asked(site: Site) -> Outcome {
    let name = site.unique("csr");
    let body = json!({"metadata": {"name": name}, "spec": {
        "request": "bm90IGEgcmVxdWVzdA==",
        "signerName": "example.com/x",
        "usages": ["client auth"],
    }});
    site.post("/apis/certificates.k8s.io/v1/certificatesigningrequests", body)
        .await?
        .invalid("FieldValueInvalid", "spec.request")?;
    Ok(())
}
