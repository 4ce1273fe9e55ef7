//! Validation of Ingresses, autoscalers, volumes, `StorageClass`es and `EndpointSlice`s.

use super::refusals::{DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, refuse};
use crate::case::{Case, Outcome, case};
use crate::objects::extended;
use crate::site::Site;
use serde_json::{Value, json};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(ingresses)
            .rule("Ingresses: hosts, paths, backends and TLS.")
            .source("kubernetes/pkg/apis/networking/validation: ValidateIngressCreate"),
        case(autoscalers)
            .rule("Autoscalers: bounds, targets, metrics and behaviour.")
            .source("kubernetes/pkg/apis/autoscaling/validation: ValidateHorizontalPodAutoscaler"),
        case(volumes)
            .rule("Volumes and classes of storage.")
            .source("kubernetes/pkg/apis/core/validation: ValidatePersistentVolume"),
        case(endpoint_slices)
            .rule("Slices of endpoints: the type of address, the addresses and the ports.")
            .source("kubernetes/pkg/apis/discovery/validation: ValidateEndpointSlice"),
        case(scopes_of_quotas)
            .rule("Scopes of a quota: known ones, which fit its resources and one another.")
            .source("kubernetes/pkg/apis/core/validation: ValidateResourceQuotaSpec"),
    ]
}

/// An autoscaler of a Deployment with what else its spec has.
fn autoscaler(more: Value) -> Value {
    let spec = json!({"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "a"}});
    json!({"spec": extended(spec, more)})
}

/// A volume on the host with what else its spec has.
fn volume(more: Value) -> Value {
    let spec = json!({
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"},
    });
    json!({"spec": extended(spec, more)})
}

async fn ingresses(site: Site) -> Outcome {
    let rule =
        |host: &str, path: Value| json!({"spec": {"rules": [{"host": host, "http": {"paths": [path]}}]}});
    let service = json!({"service": {"name": "a", "port": {"number": 80}}});
    let path = |kind: &str, path: &str| json!({"pathType": kind, "path": path, "backend": service});
    let bodies = [
        (json!({"spec": {}}), INVALID, "spec"),
        (rule("A_B", path("Prefix", "/")), INVALID, "spec.rules[0].host"),
        (rule("1.2.3.4", path("Prefix", "/")), INVALID, "spec.rules[0].host"),
        (rule("*.*.a", path("Prefix", "/")), INVALID, "spec.rules[0].host"),
        (rule("a.b", path("Prefix", "a")), INVALID, "spec.rules[0].http.paths[0].path"),
        (rule("a.b", path("Prefix", "/a//b")), INVALID, "spec.rules[0].http.paths[0].path"),
        (rule("a.b", path("X", "/")), NOT_SUPPORTED, "spec.rules[0].http.paths[0].pathType"),
        (
            rule("a.b", json!({"path": "/", "backend": service})),
            REQUIRED,
            "spec.rules[0].http.paths[0].pathType",
        ),
        (json!({"spec": {"rules": [{"http": {"paths": []}}]}}), REQUIRED, "spec.rules[0].http.paths"),
        (json!({"spec": {"defaultBackend": {"service": {"name": "a"}}}}), REQUIRED, "spec.defaultBackend"),
        (
            json!({"spec": {"defaultBackend": service, "tls": [{"hosts": ["A"]}]}}),
            INVALID,
            "spec.tls[0].hosts[0]",
        ),
    ];
    refuse(&site, "networking.k8s.io/v1/ingresses", &bodies).await?;
    let bodies = [
        (json!({"spec": {"controller": "no-domain"}}), INVALID, "spec.controller"),
        (
            json!({"spec": {"controller": "a.b/c", "parameters": {
                "kind": "K",
                "name": "n",
                "scope": "Namespace",
            }}}),
            REQUIRED,
            "spec.parameters.namespace",
        ),
    ];
    refuse(&site, "/apis/networking.k8s.io/v1/ingressclasses", &bodies).await?;
    Ok(())
}

async fn autoscalers(site: Site) -> Outcome {
    let metric = |metric: Value| autoscaler(json!({"metrics": [metric]}));
    let policies = |policies: Value| autoscaler(json!({"behavior": {"scaleUp": {"policies": policies}}}));
    let bodies = [
        (autoscaler(json!({"maxReplicas": 0})), INVALID, "spec.maxReplicas"),
        (autoscaler(json!({"minReplicas": 4})), INVALID, "spec.maxReplicas"),
        (autoscaler(json!({"minReplicas": -1})), INVALID, "spec.minReplicas"),
        (
            autoscaler(json!({"scaleTargetRef": {"kind": "", "name": "a"}})),
            REQUIRED,
            "spec.scaleTargetRef.kind",
        ),
        (metric(json!({"type": "Resource"})), REQUIRED, "spec.metrics[0].resource"),
        (metric(json!({"type": "X"})), NOT_SUPPORTED, "spec.metrics[0].type"),
        (
            metric(json!({"type": "Resource", "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 0},
            }})),
            INVALID,
            "spec.metrics[0].resource.target.averageUtilization",
        ),
        (
            policies(json!([{"type": "Pods", "value": 0, "periodSeconds": 1}])),
            INVALID,
            "spec.behavior.scaleUp.policies[0].value",
        ),
        (
            policies(json!([{"type": "Pods", "value": 1, "periodSeconds": 1801}])),
            INVALID,
            "spec.behavior.scaleUp.policies[0].periodSeconds",
        ),
        (
            autoscaler(json!({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}})),
            INVALID,
            "spec.behavior.scaleDown.stabilizationWindowSeconds",
        ),
    ];
    refuse(&site, "autoscaling/v2/horizontalpodautoscalers", &bodies).await?;
    Ok(())
}

async fn volumes(site: Site) -> Outcome {
    let bodies = [
        (volume(json!({"accessModes": []})), REQUIRED, "spec.accessModes"),
        (volume(json!({"accessModes": ["X"]})), NOT_SUPPORTED, "spec.accessModes"),
        (volume(json!({"capacity": {"cpu": "1"}})), NOT_SUPPORTED, "spec.capacity"),
        (volume(json!({"capacity": {"storage": "0"}})), INVALID, "spec.capacity[storage]"),
        (volume(json!({"hostPath": null})), REQUIRED, "spec"),
        (volume(json!({"nfs": {"server": "a", "path": "/"}})), FORBIDDEN, "spec.nfs"),
        (
            volume(json!({"persistentVolumeReclaimPolicy": "X"})),
            NOT_SUPPORTED,
            "spec.persistentVolumeReclaimPolicy",
        ),
        (
            volume(json!({"hostPath": {"path": "/"}, "persistentVolumeReclaimPolicy": "Recycle"})),
            FORBIDDEN,
            "spec.persistentVolumeReclaimPolicy",
        ),
        (volume(json!({"storageClassName": "A"})), INVALID, "spec.storageClassName"),
    ];
    refuse(&site, "/api/v1/persistentvolumes", &bodies).await?;
    let parameters = json!({"": "x"});
    let bodies = [
        (json!({"provisioner": ""}), REQUIRED, "provisioner"),
        (json!({"provisioner": "a.b/c", "reclaimPolicy": "X"}), NOT_SUPPORTED, "reclaimPolicy"),
        (json!({"provisioner": "a.b/c", "volumeBindingMode": "X"}), NOT_SUPPORTED, "volumeBindingMode"),
        (json!({"provisioner": "a.b/c", "parameters": parameters}), INVALID, "parameters"),
    ];
    refuse(&site, "/apis/storage.k8s.io/v1/storageclasses", &bodies).await?;
    Ok(())
}

async fn endpoint_slices(site: Site) -> Outcome {
    let slice =
        |kind: &str, endpoint: Value| json!({"addressType": kind, "endpoints": [endpoint], "ports": []});
    let ports = |ports: Value| json!({"addressType": "IPv4", "endpoints": [], "ports": ports});
    let bodies = [
        (slice("X", json!({"addresses": ["1.2.3.4"]})), NOT_SUPPORTED, "addressType"),
        (slice("IPv4", json!({"addresses": []})), REQUIRED, "endpoints[0].addresses"),
        (slice("IPv4", json!({"addresses": ["::1"]})), INVALID, "endpoints[0].addresses[0]"),
        (slice("IPv4", json!({"addresses": ["127.0.0.1"]})), INVALID, "endpoints[0].addresses[0]"),
        (slice("FQDN", json!({"addresses": ["a_b"]})), INVALID, "endpoints[0].addresses[0]"),
        (
            slice("IPv4", json!({"addresses": ["1.2.3.4"], "hostname": "a.b"})),
            INVALID,
            "endpoints[0].hostname",
        ),
        (ports(json!([{"name": "a", "port": 1}, {"name": "a", "port": 2}])), DUPLICATE, "ports[1].name"),
        (ports(json!([{"name": "A_b", "port": 1}])), INVALID, "ports[0].name"),
        (ports(json!([{"protocol": "X"}])), NOT_SUPPORTED, "ports[0].protocol"),
    ];
    refuse(&site, "discovery.k8s.io/v1/endpointslices", &bodies).await?;
    Ok(())
}

async fn scopes_of_quotas(site: Site) -> Outcome {
    let scoped = |scopes: &[&str]| json!({"spec": {"hard": {"pods": "1", "cpu": "1"}, "scopes": scopes}});
    let selector = |scope: &str, operator: &str, values: &[&str]| {
        let expression = json!({"scopeName": scope, "operator": operator, "values": values});
        json!({"spec": {"hard": {"pods": "1"}, "scopeSelector": {"matchExpressions": [expression]}}})
    };
    let path = "spec.scopeSelector.matchExpressions";
    let field = |name: &str| format!("{path}.{name}");
    let (operator, values, name) = (field("operator"), field("values"), field("scopeName"));
    let bodies = [
        (scoped(&["Odd"]), INVALID, "spec.scopes"),
        (scoped(&["BestEffort"]), INVALID, "spec.scopes"),
        (scoped(&["Terminating", "NotTerminating"]), INVALID, "spec.scopes"),
        (scoped(&["VolumeAttributesClass"]), INVALID, "spec.scopes"),
        (selector("Odd", "Exists", &[]), INVALID, &*name),
        (selector("Terminating", "In", &["a"]), INVALID, &*operator),
        (selector("PriorityClass", "Odd", &[]), INVALID, &*operator),
        (selector("PriorityClass", "In", &[]), REQUIRED, &*values),
        (selector("PriorityClass", "Exists", &["a"]), INVALID, &*values),
        (selector("VolumeAttributesClass", "Exists", &[]), INVALID, path),
    ];
    refuse(&site, "resourcequotas", &bodies).await
}
