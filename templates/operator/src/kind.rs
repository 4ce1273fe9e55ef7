//! [`{{kind}}`]: the custom kind, and its [`definition`], from which `manifests/crd.yaml` is printed.

use k8s_openapi::{
    Metadata, NamespaceResourceScope, Resource,
    apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An application. By hand, so that the package compiles fast: see README.md for kube's derive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct {{kind}} {
    api_version: String,
    kind: String,
    /// The metadata.
    pub metadata: ObjectMeta,
    /// The desired state.
    pub spec: Spec,
    /// The observed state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

/// The desired state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// The image of the containers.
    pub image: String,
    /// The number of Pods.
    pub replicas: i32,
}

/// The observed state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The number of Pods that are ready.
    #[serde(default)]
    pub ready_replicas: i32,
    /// The condition `Ready`.
    #[serde(default)]
    pub conditions: Vec<Condition>,
}

impl {{kind}} {
    /// Creates an object that is not stored yet.
    pub fn new(name: &str, spec: Spec) -> Self {
        let name = Some(name.to_owned());
        Self {
            api_version: Self::API_VERSION.to_owned(),
            kind: Self::KIND.to_owned(),
            metadata: ObjectMeta { name, ..ObjectMeta::default() },
            spec,
            status: None,
        }
    }
}

impl Resource for {{kind}} {
    const API_VERSION: &'static str = "{{group}}/v1";
    const GROUP: &'static str = "{{group}}";
    const KIND: &'static str = "{{kind}}";
    const VERSION: &'static str = "v1";
    const URL_PATH_SEGMENT: &'static str = "{{kind | downcase}}s";
    type Scope = NamespaceResourceScope;
}

impl Metadata for {{kind}} {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// Returns the CustomResourceDefinition of the kind.
///
/// A server drops fields that the schema lacks: a test compares it with the types above.
pub fn definition() -> Value {
    let plural = {{kind}}::URL_PATH_SEGMENT;
    let names = json!({
        "kind": {{kind}}::KIND,
        "listKind": format!("{}List", {{kind}}::KIND),
        "plural": plural,
        "singular": {{kind}}::KIND.to_lowercase(),
    });
    let column = |name: &str, type_: &str, path: &str| json!({"name": name, "type": type_, "jsonPath": path});
    let version = json!({
        "name": {{kind}}::VERSION,
        "served": true,
        "storage": true,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status"),
            column("Pods", "integer", ".status.readyReplicas"),
            column("Age", "date", ".metadata.creationTimestamp"),
        ],
        "schema": {"openAPIV3Schema": schema()},
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{}", {{kind}}::GROUP)},
        "spec": {
            "group": {{kind}}::GROUP,
            "names": names,
            "scope": "Namespaced",
            "versions": [version],
        },
    })
}

fn schema() -> Value {
    let spec = json!({
        "type": "object",
        "required": ["image", "replicas"],
        "properties": {
            "image": {"type": "string", "minLength": 1},
            "replicas": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 100},
        },
    });
    let text = json!({"type": "string"});
    let condition = json!({
        "type": "object",
        "required": ["type", "status", "reason", "message", "lastTransitionTime"],
        "properties": {
            "type": text,
            "status": text,
            "reason": text,
            "message": text,
            "lastTransitionTime": {"type": "string", "format": "date-time"},
            "observedGeneration": {"type": "integer", "format": "int64"},
        },
    });
    let status = json!({
        "type": "object",
        "properties": {
            "readyReplicas": {"type": "integer", "format": "int32"},
            "conditions": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": condition,
            },
        },
    });
    json!({
        "type": "object",
        "required": ["spec"],
        "properties": {"spec": spec, "status": status},
    })
}
