//! Pods of 4 KB of JSON, as a Deployment of some service makes them.

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

/// The size of a Pod that is sent.
const SIZE: usize = 4096;

/// A Pod without a name, of [`SIZE`] bytes with a name of 15 characters.
pub(crate) fn template() -> Value {
    let probe = |path: &str| {
        json!({
            "httpGet": {"path": path, "port": 8080, "scheme": "HTTP"},
            "initialDelaySeconds": 5, "periodSeconds": 10, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3,
        })
    };
    let container = |name: &str| {
        let variable =
            |n: usize| json!({"name": format!("SETTING_{n}"), "value": format!("some value of setting {n}")});
        json!({
            "name": name,
            "image": "registry.example.com/shop/checkout:1.27.3",
            "imagePullPolicy": "IfNotPresent",
            "args": ["--listen=:8080", "--verbosity=2", "--config=/etc/checkout/config.yaml"],
            "env": (0..8).map(variable).collect::<Vec<_>>(),
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "livenessProbe": probe("/healthz"),
            "readinessProbe": probe("/ready"),
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [
                {"name": "config", "mountPath": "/etc/checkout", "readOnly": true},
                {"name": "scratch", "mountPath": "/tmp"},
            ],
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
        })
    };
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "",
            "namespace": "default",
            "labels": {"app": "checkout", "pod-template-hash": "6d4cf56db6", "tier": "backend"},
            "annotations": {"example.com/filler": ""},
        },
        "spec": {
            "containers": [container("main"), container("sidecar")],
            "dnsPolicy": "ClusterFirst",
            "enableServiceLinks": true,
            "restartPolicy": "Always",
            "schedulerName": "default-scheduler",
            "securityContext": {"runAsNonRoot": true, "fsGroup": 1000},
            "terminationGracePeriodSeconds": 30,
            "tolerations": [
                {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
                {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
            ],
            "volumes": [
                {"name": "config", "configMap": {"name": "checkout-config", "defaultMode": 420}},
                {"name": "scratch", "emptyDir": {}},
            ],
        },
    });
    let missing = SIZE - pod.to_string().len() - name(0).len();
    pod["metadata"]["annotations"]["example.com/filler"] = "x".repeat(missing).into();
    pod
}

/// The name of the Pod with that number.
pub(crate) fn name(number: usize) -> String {
    format!("checkout-{number:06}")
}

/// `count` Pods as a client holds them.
pub(crate) fn pods(count: usize) -> Vec<Pod> {
    let pod: Pod = serde_json::from_value(template()).expect("a Pod");
    let named = |number| {
        let mut pod = pod.clone();
        pod.metadata.name = Some(name(number));
        pod
    };
    (0..count).map(named).collect()
}
