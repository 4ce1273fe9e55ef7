//! The objects that a website consists of.

use crate::operator::Website;
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The pages of a website and their style.
pub fn pages(website: &Website, style: &str) -> Value {
    let name = format!("{}-pages", website.name_any());
    let data = json!({"index.html": website.spec.html, "style.css": style});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(website, &name), "data": data})
}

/// The Deployment whose Pods serve the pages. New pages make new Pods.
pub fn deployment(website: &Website, style: &str) -> Value {
    let (name, mut hasher) = (website.name_any(), DefaultHasher::new());
    (&website.spec.html, style).hash(&mut hasher);
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
    let replicas = website.spec.replicas;
    let spec = json!({"replicas": replicas, "selector": {"matchLabels": labels}, "template": template});
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata(website, &name), "spec": spec})
}

/// The Service of a website.
pub fn service(website: &Website) -> Value {
    let name = website.name_any();
    let spec = json!({"selector": {"website": name}, "ports": [{"port": 80, "targetPort": 80}]});
    json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata(website, &name), "spec": spec})
}

fn metadata(website: &Website, name: &str) -> Value {
    let owners: Vec<_> = website.controller_owner_ref(&()).into_iter().collect();
    json!({"name": name, "ownerReferences": owners})
}
