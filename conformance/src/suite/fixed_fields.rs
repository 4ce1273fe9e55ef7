//! Fields that an update may not change, and the values that a status may have.

use super::refusals::{DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, with_template};
use crate::answer::Mismatch;
use crate::case::{Case, Outcome, case};
use crate::objects::{extended, pod};
use crate::site::{MERGE, Site};
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(claims_and_volumes)
            .rule("The source, the volume that is bound and the size of a claim.")
            .source("kubernetes/pkg/apis/core/validation: ValidatePersistentVolumeClaimUpdate"),
        case(classes_of_claims)
            .rule("The class of a claim, by its field or its annotation, and a class of attributes that is applied.")
            .source("kubernetes/pkg/apis/core/validation: ValidatePersistentVolumeClaimUpdate"),
        case(statuses_of_budgets)
            .rule("The status of a disruption budget: its conditions, and numbers that are not negative.")
            .source("kubernetes/pkg/apis/policy/validation: ValidatePodDisruptionBudgetStatusUpdate"),
        case(classes_and_slices).rule("Classes, slices of endpoints and controllers of Ingresses.").source(
            "kubernetes/pkg/apis: ValidateStorageClassUpdate, ValidateEndpointSliceUpdate, \
             ValidateIngressClassUpdate",
        ),
        case(pods)
            .rule("A Pod's containers: their number, their names, and all but the image.")
            .source("kubernetes/pkg/apis/core/validation: ValidatePodUpdate"),
        case(jobs)
            .rule("The selector, the template and the completions of a Job, and its controller.")
            .source("kubernetes/pkg/apis/batch/validation: ValidateJobUpdate"),
        case(workloads)
            .rule(
                "StatefulSets say what may change; the counts of a workload's status are no less than 0 and \
                 go together.",
            )
            .source(
                "kubernetes/pkg/apis/apps/validation: ValidateStatefulSetUpdate, ValidateDeploymentStatus",
            ),
        case(statuses)
            .rule("The status of Services, Ingresses and autoscalers.")
            .source("kubernetes/pkg/apis: ValidateLoadBalancerStatus, ValidateIngressStatusUpdate"),
        case(another_object_is_a_conflict)
            .rule(
                "A patch that names another object's UID is refused, and is a conflict if it names an old \
                 version as well.",
            )
            .source("registry/generic: Store.Update, the preconditions of the object"),
    ]
}

/// Makes an object, and checks that each merge patch of it is refused for its field.
async fn fixed(
    site: &Site,
    path: &str,
    body: Value,
    changes: &[(&str, Value, &str, &str)],
) -> Result<(), Mismatch> {
    let mut body = body;
    let name = site.unique("fixed");
    body["metadata"]["name"] = json!(name);
    let path = site.path(path);
    site.post(&path, body).await?.code(201)?;
    let object = format!("{path}/{name}");
    site.leave(&object).await;
    for (part, change, reason, field) in changes {
        let patched = site.patch(MERGE, &format!("{object}{part}"), change.clone()).await?;
        patched.invalid(reason, field)?;
    }
    Ok(())
}

async fn claims_and_volumes(site: Site) -> Outcome {
    let claim = json!({"spec": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "2Gi"}},
        "volumeName": "a",
    }});
    let changes = [
        ("", json!({"spec": {"volumeName": "b"}}), FORBIDDEN, "spec"),
        ("", json!({"spec": {"accessModes": ["ReadOnlyMany"]}}), FORBIDDEN, "spec"),
        ("", json!({"spec": {"volumeMode": "Block"}}), INVALID, "volumeMode"),
    ];
    fixed(&site, "persistentvolumeclaims", claim, &changes).await?;
    let volume = json!({"spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"},
    }});
    let changes = [
        ("", json!({"spec": {"hostPath": {"path": "/other"}}}), FORBIDDEN, "spec.persistentvolumesource"),
        (
            "",
            json!({"metadata": {"annotations": {"volume.beta.kubernetes.io/mount-options": "ro"}}}),
            FORBIDDEN,
            "metadata.annotations.volume.beta.kubernetes.io/mount-options",
        ),
        ("", json!({"spec": {"volumeMode": "Block"}}), INVALID, "volumeMode"),
    ];
    fixed(&site, "/api/v1/persistentvolumes", volume, &changes).await?;
    Ok(())
}

async fn classes_of_claims(site: Site) -> Outcome {
    let annotation = "volume.beta.kubernetes.io/storage-class";
    let field = &*format!("metadata.annotations.{annotation}");
    let of = |class: Value| json!({"metadata": {"annotations": {annotation: class}}});
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}});
    let body = json!({"metadata": {"name": "a", "annotations": {annotation: "x"}}, "spec": spec});
    let path = "persistentvolumeclaims/a";
    site.create("persistentvolumeclaims", body).await?;
    site.patch(MERGE, path, of(json!("y"))).await?.invalid(INVALID, field)?;
    site.patch(MERGE, path, of(json!(null))).await?.invalid(INVALID, field)?;
    let other = json!({"spec": {"storageClassName": "y"}});
    site.patch(MERGE, path, other).await?.invalid(FORBIDDEN, "spec")?;
    let moved = json!({"metadata": {"annotations": {annotation: null}}, "spec": {"storageClassName": "x"}});
    site.patch(MERGE, path, moved).await?.code(200)?.is("/spec/storageClassName", "x")?;
    let bound = json!({"status": {"phase": "Bound", "currentVolumeAttributesClassName": "v"}});
    site.patch(MERGE, &format!("{path}/status"), bound).await?.code(200)?;
    let attributes = |class: Value| json!({"spec": {"volumeAttributesClassName": class}});
    for class in ["v", "w"] {
        site.patch(MERGE, path, attributes(json!(class))).await?.code(200)?;
    }
    for class in [json!(""), json!(null)] {
        let refused = site.patch(MERGE, path, attributes(class)).await?;
        refused.invalid(FORBIDDEN, "spec.volumeAttributesClassName")?;
    }
    Ok(())
}

async fn statuses_of_budgets(site: Site) -> Outcome {
    site.create(
        "policy/v1/poddisruptionbudgets",
        json!({"metadata": {"name": "a"}, "spec": {"minAvailable": 1}}),
    )
    .await?;
    let good =
        json!({"type": "A", "status": "True", "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"});
    let with = |more: Value| json!({"conditions": [extended(good.clone(), more)]});
    let changes = [
        (json!({"currentHealthy": -1}), INVALID, "status.currentHealthy"),
        (json!({"desiredHealthy": -1}), INVALID, "status.desiredHealthy"),
        (json!({"disruptionsAllowed": -1}), INVALID, "status.disruptionsAllowed"),
        (json!({"expectedPods": -1}), INVALID, "status.expectedPods"),
        (with(json!({"type": "a b"})), INVALID, "status.conditions[0].type"),
        (with(json!({"status": "X"})), NOT_SUPPORTED, "status.conditions[0].status"),
        (with(json!({"observedGeneration": -1})), INVALID, "status.conditions[0].observedGeneration"),
        (with(json!({"lastTransitionTime": null})), REQUIRED, "status.conditions[0].lastTransitionTime"),
        (with(json!({"reason": ""})), REQUIRED, "status.conditions[0].reason"),
        (with(json!({"reason": "-"})), INVALID, "status.conditions[0].reason"),
        (json!({"conditions": [good, good]}), DUPLICATE, "status.conditions[1].type"),
    ];
    let path = "policy/v1/poddisruptionbudgets/a/status";
    for (status, reason, field) in changes {
        site.patch(MERGE, path, json!({"status": status})).await?.invalid(reason, field)?;
    }
    site.patch(MERGE, path, json!({"status": {"conditions": [good], "expectedPods": 1}})).await?.code(200)?;
    Ok(())
}

async fn classes_and_slices(site: Site) -> Outcome {
    let changes = [
        ("", json!({"provisioner": "a.b/d"}), INVALID, "provisioner"),
        ("", json!({"parameters": {"a": "b"}}), INVALID, "parameters"),
        ("", json!({"reclaimPolicy": "Retain"}), INVALID, "reclaimPolicy"),
        ("", json!({"volumeBindingMode": "WaitForFirstConsumer"}), INVALID, "volumeBindingMode"),
    ];
    fixed(&site, "/apis/storage.k8s.io/v1/storageclasses", json!({"provisioner": "a.b/c"}), &changes).await?;
    let changes = [("", json!({"addressType": "IPv6"}), INVALID, "addressType")];
    let slice = json!({"addressType": "IPv4", "endpoints": []});
    fixed(&site, "discovery.k8s.io/v1/endpointslices", slice, &changes).await?;
    let changes = [("", json!({"spec": {"controller": "a.b/d"}}), INVALID, "spec.controller")];
    let class = json!({"spec": {"controller": "a.b/c"}});
    fixed(&site, "/apis/networking.k8s.io/v1/ingressclasses", class, &changes).await?;
    Ok(())
}

async fn pods(site: Site) -> Outcome {
    let changes = [
        ("", json!({"spec": {"nodeSelector": {"a": "b"}}}), FORBIDDEN, "spec"),
        (
            "",
            json!({"spec": {"schedulingGates": [{"name": "a"}]}}),
            FORBIDDEN,
            "spec.schedulingGates[0].name",
        ),
        ("", json!({"spec": {"activeDeadlineSeconds": -1}}), INVALID, "spec.activeDeadlineSeconds"),
        ("/status", json!({"status": {"nominatedNodeName": "A B"}}), INVALID, "status.nominatedNodeName"),
    ];
    fixed(&site, "pods", pod("a"), &changes).await?;
    Ok(())
}

async fn jobs(site: Site) -> Outcome {
    let changes = [
        ("", json!({"spec": {"completions": 3}}), INVALID, "spec.completions"),
        ("", json!({"spec": {"managedBy": "a.b/c"}}), INVALID, "spec.managedBy"),
        (
            "",
            json!({"spec": {"completionMode": "Indexed", "completions": 1}}),
            INVALID,
            "spec.completionMode",
        ),
        (
            "",
            json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 3}}}}),
            INVALID,
            "spec.template",
        ),
    ];
    fixed(&site, "batch/v1/jobs", json!({"spec": with_template(json!({}), "Never")}), &changes).await?;
    Ok(())
}

async fn workloads(site: Site) -> Outcome {
    let spec = || with_template(json!({"selector": {"matchLabels": {"a": "b"}}}), "Always");
    let changes = [
        ("", json!({"spec": {"serviceName": "b"}}), FORBIDDEN, "spec"),
        ("", json!({"spec": {"podManagementPolicy": "Parallel"}}), FORBIDDEN, "spec"),
        ("/status", json!({"status": {"replicas": -1}}), INVALID, "status.replicas"),
    ];
    fixed(&site, "apps/v1/statefulsets", json!({"spec": spec()}), &changes).await?;
    let changes = [
        ("", json!({"spec": {"selector": {"matchLabels": {"c": "d"}}}}), INVALID, "spec.selector"),
        ("/status", json!({"status": {"replicas": 1, "readyReplicas": 2}}), INVALID, "status.readyReplicas"),
        (
            "/status",
            json!({"status": {"replicas": 1, "availableReplicas": -1}}),
            INVALID,
            "status.availableReplicas",
        ),
    ];
    fixed(&site, "apps/v1/deployments", json!({"spec": spec()}), &changes).await?;
    let changes = [("/status", json!({"status": {"numberReady": -1}}), INVALID, "status.numberReady")];
    fixed(&site, "apps/v1/daemonsets", json!({"spec": spec()}), &changes).await?;
    Ok(())
}

async fn statuses(site: Site) -> Outcome {
    let balancer = json!({"spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}});
    let changes = [
        (
            "/status",
            json!({"status": {"loadBalancer": {"ingress": [{"ip": "1.2"}]}}}),
            INVALID,
            "status.loadBalancer.ingress[0].ip",
        ),
        (
            "/status",
            json!({"status": {"loadBalancer": {"ingress": [{"ip": "1.2.3.4", "ipMode": "X"}]}}}),
            NOT_SUPPORTED,
            "status.loadBalancer.ingress[0].ipMode",
        ),
    ];
    fixed(&site, "services", balancer, &changes).await?;
    let ingress = json!({"spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}});
    let changes = [(
        "/status",
        json!({"status": {"loadBalancer": {"ingress": [{"hostname": "1.2.3.4"}]}}}),
        INVALID,
        "status.loadBalancer.ingress[0].hostname",
    )];
    fixed(&site, "networking.k8s.io/v1/ingresses", ingress, &changes).await?;
    let quota = json!({"spec": {"hard": {"pods": "1"}}});
    let changes = [
        ("", json!({"spec": {"scopes": ["BestEffort"]}}), INVALID, "spec.scopes"),
        ("/status", json!({"status": {"used": {"pods": "-1"}}}), INVALID, "status.used[pods]"),
    ];
    fixed(&site, "resourcequotas", quota, &changes).await?;
    Ok(())
}

async fn another_object_is_a_conflict(site: Site) -> Outcome {
    let made = site.create("configmaps", json!({"metadata": {"name": "a"}})).await?;
    let version = made.json["metadata"]["resourceVersion"].clone();
    site.patch(MERGE, "configmaps/a", json!({"data": {"a": "b"}})).await?.code(200)?;
    let patch = json!({"metadata": {"uid": "another", "resourceVersion": version}, "data": {"a": "c"}});
    site.patch(MERGE, "configmaps/a", patch).await?.refused(409, "Conflict")?;
    site.patch(MERGE, "configmaps/a", json!({"metadata": {"uid": "another"}}))
        .await?
        .invalid(INVALID, "metadata.uid")?;
    Ok(())
}
