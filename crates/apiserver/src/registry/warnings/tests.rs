//! Objects and what a kube-apiserver 1.36 warns of them.

use serde_json::json;

use super::*;
use crate::registry::Kinds;

fn warned(group: &str, version: &str, plural: &str, object: &Value) -> Vec<String> {
    let kind = Kinds::built_in().get(group, version, plural).expect("a built-in kind");
    of_write(&kind, None, None, object)
}

#[test]
fn pods_are_looked_through() {
    let pod = json!({
        "metadata": {"name": "a.b", "annotations": {"scheduler.alpha.kubernetes.io/critical-pod": ""}},
        "spec": {
            "nodeSelector": {"beta.kubernetes.io/arch": "amd64"},
            "containers": [
                {
                    "name": "a",
                    "env": [{"name": "X", "value": "1"}, {"name": "X", "value": "2"}, {"name": "X", "value": "$(X)3"}],
                    "resources": {"limits": {"memory": "1500m"}},
                    "ports": [{"name": "p", "containerPort": 80, "protocol": "TCP"}],
                },
                {"name": "b", "ports": [{"name": "p", "containerPort": 80, "protocol": "TCP"}]},
            ],
            "imagePullSecrets": [{"name": "s"}, {"name": "s"}, {}],
            "volumes": [{"name": "v", "glusterfs": {}}],
            "topologySpreadConstraints": [{"topologyKey": "failure-domain.beta.kubernetes.io/zone"}],
        },
    });
    let warnings = warned("", "v1", "pods", &pod);
    let expected = [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is \
         recommended: [must not contain dots]",
        "spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use \"kubernetes.io/arch\" instead",
        "spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; \
         use \"topology.kubernetes.io/zone\" instead",
        "spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod",
        "metadata.annotations[scheduler.alpha.kubernetes.io/critical-pod]: non-functional in v1.16+; use the \
         \"priorityClassName\" field instead",
        "spec.volumes[0].glusterfs: deprecated in v1.25, non-functional in v1.26+",
        "spec.imagePullSecrets[1].name: duplicate name \"s\"",
        "spec.imagePullSecrets[2].name: invalid empty name \"\"",
        "spec.containers[0].resources.limits[memory]: fractional byte value \"1500m\" is invalid, must be an integer",
        "spec.containers[0].env[1]: hides previous definition of \"X\", which may be dropped when using apply",
        "spec.containers[1].ports[0]: duplicate port definition with spec.containers[0].ports[0]",
        "spec.containers[1].ports[0]: duplicate port name \"p\" with spec.containers[0].ports[0], services and probes that \
         select ports by name will use spec.containers[0].ports[0]",
    ];
    assert_eq!(warnings, expected);
}

#[test]
fn templates_have_longer_paths_and_are_told_once() {
    let deployment = json!({"metadata": {"name": "a"}, "spec": {"template": {"spec": {
        "nodeSelector": {"beta.kubernetes.io/os": "linux"},
    }}}});
    let told = "spec.template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead";
    assert_eq!(warned("apps", "v1", "deployments", &deployment), [told]);
    let kind = Kinds::built_in().get("apps", "v1", "deployments").expect("a built-in kind");
    assert_eq!(of_write(&kind, None, Some(&deployment), &deployment), Vec::<String>::new());
    assert_eq!(of_write(&kind, Some(Subresource::Status), None, &deployment), Vec::<String>::new());
}

#[test]
fn other_kinds_have_warnings_of_their_own() {
    let claim = json!({
        "metadata": {"name": "a", "annotations": {"volume.beta.kubernetes.io/storage-class": "x"}},
        "spec": {"resources": {"requests": {"storage": "100m"}}},
    });
    let expected = [
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use \"storageClassName\" \
         attribute instead",
        "spec.resources.requests[storage]: fractional byte value \"100m\" is invalid, must be an integer",
    ];
    assert_eq!(warned("", "v1", "persistentvolumeclaims", &claim), expected);
    let ingress = json!({"metadata": {"annotations": {"kubernetes.io/ingress.class": "x"}}, "spec": {}});
    let told = "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead";
    assert_eq!(warned("networking.k8s.io", "v1", "ingresses", &ingress), [told]);
    let definition = json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": {"type": "object", "properties": {
        "a": {"type": "string", "format": "url"}, "b": {"type": "string", "format": "date-time"},
        "c": {"type": "integer", "format": "uint"},
    }}}}]}});
    let expected = ["unrecognized format \"url\"", "unrecognized format \"uint\""];
    assert_eq!(warned("apiextensions.k8s.io", "v1", "customresourcedefinitions", &definition), expected);
}
