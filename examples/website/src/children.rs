//! The objects that a website consists of.

use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Service},
};
use serde_json::json;

use crate::kind::WebsiteSpec;

/// Returns the pages of a website and their style.
pub(crate) fn pages(name: &str, spec: &WebsiteSpec, style: &str) -> serde_json::Result<ConfigMap> {
    let data = json!({"index.html": spec.html, "style.css": style});
    serde_json::from_value(json!({"metadata": {"name": format!("{name}-pages")}, "data": data}))
}

/// Returns the Deployment whose Pods serve the pages. New pages make new Pods.
pub(crate) fn deployment(name: &str, spec: &WebsiteSpec, style: &str) -> serde_json::Result<Deployment> {
    let mut hasher = DefaultHasher::new();
    (&spec.html, style).hash(&mut hasher);
    let (labels, pages) = (json!({"website": name}), format!("{:016x}", hasher.finish()));
    let pod = json!({
        "containers": [{
            "name": "nginx", "image": "nginx:1.29", "ports": [{"containerPort": 80}],
            "volumeMounts": [{"name": "pages", "mountPath": "/usr/share/nginx/html"}],
        }],
        "volumes": [{"name": "pages", "configMap": {"name": format!("{name}-pages")}}],
    });
    let template =
        json!({"metadata": {"labels": labels, "annotations": {"example.com/pages": pages}}, "spec": pod});
    let spec = json!({"replicas": spec.replicas, "selector": {"matchLabels": labels}, "template": template});
    serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec}))
}

/// Returns the Service of the website.
pub(crate) fn service(name: &str) -> serde_json::Result<Service> {
    let spec = json!({"selector": {"website": name}, "ports": [{"port": 80, "targetPort": 80}]});
    serde_json::from_value(json!({"metadata": {"name": name}, "spec": spec}))
}
