//! Status, scale, eviction, binding and what else hangs below an object.

use crate::case::{Case, Outcome, case};
use crate::objects::{bound_pod, config_map, pod, workload};
use crate::site::{JSON, MERGE, STRATEGIC, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(approvals)
            .rule("An approval changes conditions and metadata, and is dated.")
            .source("kubernetes/test/e2e/auth/certificates.go"),
        case(a_status_does_not_change_the_class)
            .rule("A Pod's class of service was decided when it was made.")
            .source("validation: ValidatePodStatusUpdate"),
        case(an_update_keeps_the_status)
            .rule("A write to the object leaves its status alone.")
            .source("API conventions: spec and status"),
        case(a_creation_keeps_no_status)
            .rule("A creation has no status but what the server gives it.")
            .source("API conventions: spec and status"),
        case(a_status_update_keeps_the_spec)
            .rule("A write to /status changes the status and nothing else.")
            .source("API conventions: spec and status"),
        case(a_status_update_keeps_the_labels)
            .rule("A write to /status may change annotations, but not labels of a Deployment.")
            .source("registry/apps/deployment: status PrepareForUpdate"),
        case(a_status_is_the_object)
            .rule("/status can be read: it is the whole object.")
            .source("kubernetes/test/e2e/apps/deployment.go"),
        case(not_every_kind_has_a_status)
            .rule("A kind without a status has no /status.")
            .source("API concepts: 404"),
        case(a_status_update_may_conflict)
            .rule("A status update with an old version is a conflict.")
            .source("apiserver: OptimisticLockErrorMsg"),
        case(a_status_is_validated)
            .rule(
                "Some kinds' status may say what the spec does not allow: a ReplicaSet's counts are checked.",
            )
            .source("validation: ValidateReplicaSetStatus"),
        case(a_scale_is_read)
            .rule("/scale shows the replicas, and the selector as text.")
            .source("registry/apps/replicaset: ScaleREST"),
        case(a_scale_is_written)
            .rule("A scale that is written scales.")
            .source("registry/apps/replicaset: ScaleREST"),
        case(a_scale_is_patched).rule("A scale can be patched.").source("kubectl scale"),
        case(a_scale_is_not_negative)
            .rule("A scale below zero is refused.")
            .source("validation: ValidateScale"),
        case(a_scale_may_conflict)
            .rule("A scale with an old version is a conflict.")
            .source("registry/apps/deployment: scaleUpdatedObjectInfo"),
        case(not_every_kind_scales)
            .rule("A kind without replicas has no /scale.")
            .source("API concepts: 404"),
        case(a_binding_schedules)
            .rule("A binding puts a Pod on a node, with the condition PodScheduled.")
            .source("registry/core/pod: BindingREST"),
        case(a_pod_is_bound_once).rule("A Pod is bound once.").source("registry/core/pod: BindingREST"),
        case(a_binding_has_a_target)
            .rule("A binding's target has a name; that it has none is told with 500 of all codes.")
            .source("validation: ValidatePodBinding"),
        case(an_eviction_deletes)
            .rule("An eviction without a budget in the way deletes the Pod.")
            .source("KEP-85"),
        case(a_budget_refuses).rule("A budget without room refuses with 429, and says why.").source("KEP-85"),
        case(a_budget_counts).rule("A budget with room lets the Pod go, and counts it.").source("KEP-85"),
        case(an_eviction_has_options).rule("An eviction may name grace and preconditions.").source("KEP-85"),
        case(an_eviction_needs_its_pod).rule("An eviction of no Pod is 404.").source("KEP-85"),
        case(ephemeral_containers)
            .rule("A container is added to a Pod by /ephemeralcontainers.")
            .source("KEP-277"),
        case(an_unknown_subresource)
            .rule("A subresource that nobody knows is 404.")
            .source("API concepts: 404"),
        case(a_token_is_made).rule("A ServiceAccount's token is made by its subresource.").source("KEP-1205"),
        case(a_status_takes_json_patches)
            .rule("A JSON patch of /status works on the whole object.")
            .source("apiserver: patch handler"),
        case(subresources_of_nothing)
            .rule("The subresources of what is not there are 404.")
            .source("API concepts: 404"),
    ]
}

/// A budget for Pods with the label `app`.
fn budget(min_available: u32) -> Value {
    let selector = json!({"matchLabels": {"app": "a"}});
    json!({"metadata": {"name": "b"}, "spec": {"minAvailable": min_available, "selector": selector}})
}

fn eviction(name: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}})
}

/// A certificate signing request of somebody called `e2e`, in base64.
const REQUEST: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlHTk1FRUNBUUF3RGpFTU1Bb0dBMVVFQXd3R\
                       FpUSmxNQ293QlFZREsyVndBeUVBeUhEdnJONXFWSmNtUURjNgozNGMrUmlsRTJpcUNoSHVlNkFaR3BjazZMNH\
                       FnQURBRkJnTXJaWEFEUVFBTlRwOTVmdmhjajNqWXQvQ2NVWlFwClJJeExEZGUzd09WU2ljcHd6c1pZZnhnQ3B\
                       nbXBtTE1VQ3U1TVpNcFhTTEFrTlNsNzhUeHJUOUlVOGRJM2hzNFAKLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVR\
                       VUVTVC0tLS0tCg==";

async fn approvals(site: Site) -> Outcome {
    const PATH: &str = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let request = json!({"metadata": {"name": site.unique("a")}, "spec": {
        "request": REQUEST,
        "signerName": "example.com/e2e",
        "usages": ["digital signature"],
    }});
    site.create_global(PATH, request).await?;
    let approval = format!("{PATH}/{}/approval", site.unique("a"));
    let decision = json!([{"type": "Approved", "status": "True", "reason": "e2e"}]);
    let status = json!({"conditions": decision, "certificate": "eA=="});
    let patch = json!({"metadata": {"annotations": {"patched": "true"}}, "status": status});
    site.patch(MERGE, &approval, patch)
        .await?
        .code(200)?
        .is("/metadata/annotations/patched", "true")?
        .is("/status/conditions/0/type", "Approved")?
        .has("/status/conditions/0/lastUpdateTime")?
        .has("/status/conditions/0/lastTransitionTime")?
        .lacks("/status/certificate")?;
    Ok(())
}

async fn a_status_does_not_change_the_class(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?.is("/status/qosClass", "BestEffort")?;
    site.patch(MERGE, "pods/a/status", json!({"status": {"qosClass": "Guaranteed"}}))
        .await?
        .invalid("FieldValueInvalid", "status.qosClass")?;
    site.patch(MERGE, "pods/a/status", json!({"status": {"phase": "Running"}}))
        .await?
        .code(200)?
        .is("/status/qosClass", "BestEffort")?;
    Ok(())
}

async fn an_update_keeps_the_status(site: Site) -> Outcome {
    let mut made = site.create("apps/v1/deployments", workload("a", 0)).await?.json;
    made["status"] = json!({"observedGeneration": 9});
    site.put("apps/v1/deployments/a", made).await?.code(200)?.lacks("/status/observedGeneration")?;
    Ok(())
}

async fn a_creation_keeps_no_status(site: Site) -> Outcome {
    let mut body = workload("a", 0);
    body["status"] = json!({"observedGeneration": 9});
    site.create("apps/v1/deployments", body).await?.lacks("/status/observedGeneration")?;
    Ok(())
}

async fn a_status_update_keeps_the_spec(site: Site) -> Outcome {
    let mut made = site.create("apps/v1/deployments", workload("a", 0)).await?.json;
    made["status"] = json!({"observedGeneration": 1});
    made["spec"]["replicas"] = json!(5);
    site.put("apps/v1/deployments/a/status", made)
        .await?
        .code(200)?
        .is("/status/observedGeneration", 1)?
        .is("/spec/replicas", 0)?
        .is("/metadata/generation", 1)?;
    Ok(())
}

async fn a_status_update_keeps_the_labels(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let patch = json!({"metadata": {"labels": {"x": "y"}}, "status": {"observedGeneration": 1}});
    site.patch(MERGE, "apps/v1/deployments/a/status", patch).await?.code(200)?.lacks("/metadata/labels/x")?;
    Ok(())
}

async fn a_status_is_the_object(site: Site) -> Outcome {
    let made = site.create("apps/v1/deployments", workload("a", 0)).await?;
    let status = site.get("apps/v1/deployments/a/status").await?.code(200)?;
    let same = status.json == made.json;
    status.check(same, "the Deployment")?;
    Ok(())
}

async fn not_every_kind_has_a_status(site: Site) -> Outcome {
    site.create("configmaps", config_map("a")).await?;
    site.get("configmaps/a/status").await?.refused(404, "NotFound")?;
    site.put("configmaps/a/status", json!({})).await?.refused(404, "NotFound")?;
    Ok(())
}

async fn a_status_update_may_conflict(site: Site) -> Outcome {
    let mut made = site.create("pods", pod("a")).await?.json;
    site.patch(MERGE, "pods/a", json!({"metadata": {"labels": {"x": "y"}}})).await?.code(200)?;
    made["status"]["phase"] = json!("Running");
    site.put("pods/a/status", made).await?.refused(409, "Conflict")?;
    Ok(())
}

async fn a_status_is_validated(site: Site) -> Outcome {
    site.create("apps/v1/replicasets", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/replicasets/a/status", json!({"status": {"replicas": 1, "readyReplicas": 2}}))
        .await?
        .invalid("FieldValueInvalid", "status.readyReplicas")?;
    Ok(())
}

async fn a_scale_is_read(site: Site) -> Outcome {
    let made = site.create("apps/v1/replicasets", workload("a", 3)).await?;
    site.get("apps/v1/replicasets/a/scale")
        .await?
        .code(200)?
        .is("/kind", "Scale")?
        .is("/apiVersion", "autoscaling/v1")?
        .is("/spec/replicas", 3)?
        .is("/status/selector", "app=a")?
        .is("/status/replicas", 0)?
        .is("/metadata/uid", made.text("/metadata/uid"))?
        .is("/metadata/name", "a")?;
    Ok(())
}

async fn a_scale_is_written(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    let body = json!({"metadata": {"name": "a", "namespace": site.namespace()}, "spec": {"replicas": 4}});
    site.put("apps/v1/deployments/a/scale", body).await?.code(200)?.is("/spec/replicas", 4)?;
    site.get("apps/v1/deployments/a").await?.is("/spec/replicas", 4)?.is("/metadata/generation", 2)?;
    Ok(())
}

async fn a_scale_is_patched(site: Site) -> Outcome {
    site.create("apps/v1/statefulsets", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/statefulsets/a/scale", json!({"spec": {"replicas": 2}}))
        .await?
        .code(200)?
        .is("/spec/replicas", 2)?;
    site.get("apps/v1/statefulsets/a").await?.is("/spec/replicas", 2)?;
    Ok(())
}

async fn a_scale_is_not_negative(site: Site) -> Outcome {
    site.create("apps/v1/deployments", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/deployments/a/scale", json!({"spec": {"replicas": -1}}))
        .await?
        .invalid("FieldValueInvalid", "spec.replicas")?;
    Ok(())
}

async fn a_scale_may_conflict(site: Site) -> Outcome {
    let made = site.create("apps/v1/deployments", workload("a", 0)).await?;
    site.patch(MERGE, "apps/v1/deployments/a", json!({"metadata": {"labels": {"x": "y"}}}))
        .await?
        .code(200)?;
    let patch = json!({"metadata": {"resourceVersion": made.version()}, "spec": {"replicas": 2}});
    site.patch(MERGE, "apps/v1/deployments/a/scale", patch).await?.refused(409, "Conflict")?;
    Ok(())
}

async fn not_every_kind_scales(site: Site) -> Outcome {
    site.create("apps/v1/daemonsets", workload_without_replicas()).await?;
    site.get("apps/v1/daemonsets/a/scale").await?.refused(404, "NotFound")?;
    Ok(())
}

async fn a_binding_schedules(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    let body = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "somewhere"}});
    site.post("pods/a/binding", body).await?.code(201)?.is("/kind", "Status")?.is("/status", "Success")?;
    let bound = site.get("pods/a").await?.is("/spec/nodeName", "somewhere")?;
    let scheduled = bound
        .list("/status/conditions")
        .iter()
        .any(|one| one["type"] == "PodScheduled" && one["status"] == "True");
    bound.check(scheduled, "the condition PodScheduled")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_pod_is_bound_once(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    let body = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "elsewhere"}});
    site.post("pods/a/binding", body)
        .await?
        .refused(409, "Conflict")?
        .mentions("/message", "pod a is already assigned to node \"nowhere\"")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_binding_has_a_target(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.post("pods/a/binding", json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": ""}}))
        .await?
        .code(500)?
        .is("/message", "target.name: Required value")?;
    Ok(())
}

async fn an_eviction_deletes(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.post("pods/a/eviction", eviction("a"))
        .await?
        .code(201)?
        .is("/kind", "Status")?
        .is("/status", "Success")?;
    site.get("pods/a").await?.code(404)?;
    Ok(())
}

async fn a_budget_refuses(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["metadata"]["labels"] = json!({"app": "a"});
    site.create("pods", made).await?;
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    site.patch(MERGE, "pods/a/status", ready).await?.code(200)?;
    site.create("policy/v1/poddisruptionbudgets", budget(1)).await?;
    let status = json!({"status": {
        "observedGeneration": 1, "disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 1,
        "expectedPods": 1,
    }});
    site.patch(MERGE, "policy/v1/poddisruptionbudgets/b/status", status).await?.code(200)?;
    site.post("pods/a/eviction", eviction("a"))
        .await?
        .refused(429, "TooManyRequests")?
        .is("/message", "Cannot evict pod as it would violate the pod's disruption budget.")?
        .is("/details/causes/0/reason", "DisruptionBudget")?;
    site.get("pods/a").await?.code(200)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn a_budget_counts(site: Site) -> Outcome {
    let mut made = bound_pod("a");
    made["metadata"]["labels"] = json!({"app": "a"});
    site.create("pods", made).await?;
    let ready = json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    site.patch(MERGE, "pods/a/status", ready).await?.code(200)?;
    site.create("policy/v1/poddisruptionbudgets", budget(0)).await?;
    let status = json!({"status": {
        "observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 1, "desiredHealthy": 0,
        "expectedPods": 1,
    }});
    site.patch(MERGE, "policy/v1/poddisruptionbudgets/b/status", status).await?.code(200)?;
    site.post("pods/a/eviction", eviction("a")).await?.code(201)?;
    site.get("policy/v1/poddisruptionbudgets/b")
        .await?
        .is("/status/disruptionsAllowed", 0)?
        .has("/status/disruptedPods/a")?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn an_eviction_has_options(site: Site) -> Outcome {
    site.create("pods", bound_pod("a")).await?;
    let mut body = eviction("a");
    body["deleteOptions"] = json!({"gracePeriodSeconds": 9});
    site.post("pods/a/eviction", body).await?.code(201)?;
    site.get("pods/a").await?.is("/metadata/deletionGracePeriodSeconds", 9)?;
    site.delete("pods/a?gracePeriodSeconds=0").await?.code(200)?;
    Ok(())
}

async fn an_eviction_needs_its_pod(site: Site) -> Outcome {
    site.post("pods/none/eviction", eviction("none")).await?.refused(404, "NotFound")?;
    Ok(())
}

async fn ephemeral_containers(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    let patch = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "debug:1"}]}});
    site.patch(STRATEGIC, "pods/a/ephemeralcontainers", patch.clone())
        .await?
        .code(200)?
        .is("/spec/ephemeralContainers/0/name", "debug")?;
    site.patch(MERGE, "pods/a", json!({"spec": {"ephemeralContainers": null}}))
        .await?
        .refused(422, "Invalid")?;
    Ok(())
}

async fn an_unknown_subresource(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.get("pods/a/nonsense").await?.refused(404, "NotFound")?;
    Ok(())
}

async fn a_token_is_made(site: Site) -> Outcome {
    site.create("serviceaccounts", json!({"metadata": {"name": "a"}})).await?;
    let body = json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": [], "expirationSeconds": 600},
    });
    let made = site
        .post("serviceaccounts/a/token", body)
        .await?
        .code(201)?
        .is("/kind", "TokenRequest")?
        .has("/status/expirationTimestamp")?;
    let jwt = made.text("/status/token").split('.').count() == 3;
    made.check(jwt, "a token of three parts")?;
    Ok(())
}

async fn a_status_takes_json_patches(site: Site) -> Outcome {
    site.create("pods", pod("a")).await?;
    site.patch(JSON, "pods/a/status", json!([{"op": "replace", "path": "/status/phase", "value": "Failed"}]))
        .await?
        .code(200)?
        .is("/status/phase", "Failed")?;
    Ok(())
}

async fn subresources_of_nothing(site: Site) -> Outcome {
    site.get("apps/v1/deployments/none/scale").await?.refused(404, "NotFound")?;
    site.get("apps/v1/deployments/none/status").await?.refused(404, "NotFound")?;
    Ok(())
}

/// A DaemonSet's body.
fn workload_without_replicas() -> Value {
    let mut body = workload("a", 0);
    if let Some(spec) = body["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    body
}
