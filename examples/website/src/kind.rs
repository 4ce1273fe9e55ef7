//! [`Website`]: the custom kind. Its definition, with the schema, is `manifests/crd.yaml`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use serde::{Deserialize, Serialize};

/// The desired state of a website.
#[derive(CustomResource, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[kube(group = "example.com", version = "v1", kind = "Website", namespaced, status = "WebsiteStatus")]
#[kube(doc = "A website.", schema = "disabled", crates(kube_core = "kube_client::core"))]
pub struct WebsiteSpec {
    /// The page at `/`.
    pub html: String,
    /// The number of Pods that serve it.
    pub replicas: i32,
    /// The name of a `ConfigMap` with `style.css`, which websites of the namespace share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}

/// The observed state of a website.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebsiteStatus {
    /// The number of Pods that serve the page.
    #[serde(default)]
    pub ready_replicas: i32,
    /// The condition `Ready`.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

#[cfg(test)]
mod tests {
    use kube_client::core::CustomResourceExt;

    use super::Website;

    #[test]
    fn the_committed_definition_has_the_names_of_the_type() {
        let (committed, derived) = (include_str!("../manifests/crd.yaml"), Website::crd());
        let (name, spec) = (derived.metadata.name.unwrap_or_default(), derived.spec);
        for line in [
            format!("  name: {name}"),
            format!("  group: {}", spec.group),
            format!("    kind: {}", spec.names.kind),
            format!("    plural: {}", spec.names.plural),
            format!("  scope: {}", spec.scope),
            format!("    - name: {}", spec.versions[0].name),
        ] {
            assert!(committed.lines().any(|committed| committed == line), "{line}");
        }
    }
}
