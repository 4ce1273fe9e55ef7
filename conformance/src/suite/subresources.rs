//! Subresources of many kinds: approval, status and scale.

use crate::case::{Case, Outcome, case};
use crate::objects::{config_map, pod, workload};
use crate::site::{MERGE, Site};
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
    ]
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

/// A DaemonSet's body.
fn workload_without_replicas() -> Value {
    let mut body = workload("a", 0);
    if let Some(spec) = body["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    body
}
