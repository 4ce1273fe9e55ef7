//! [`Website`]: the custom kind. Its definition is `manifests/crd.yaml`.

use k8s_openapi::{
    Metadata, NamespaceResourceScope, Resource,
    apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta},
};
use serde::{Deserialize, Serialize};

/// A website, by hand: kube's derive generates the same from `WebsiteSpec`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Website {
    api_version: String,
    kind: String,
    /// The metadata.
    pub metadata: ObjectMeta,
    /// The desired state.
    pub spec: WebsiteSpec,
    /// The observed state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<WebsiteStatus>,
}

/// The desired state of a website.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

impl Website {
    /// Creates a website that is not stored yet.
    pub fn new(name: &str, spec: WebsiteSpec) -> Self {
        let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
        Self { api_version: Self::API_VERSION.into(), kind: Self::KIND.into(), metadata, spec, status: None }
    }
}

impl Resource for Website {
    const API_VERSION: &'static str = "example.com/v1";
    const GROUP: &'static str = "example.com";
    const KIND: &'static str = "Website";
    const VERSION: &'static str = "v1";
    const URL_PATH_SEGMENT: &'static str = "websites";
    type Scope = NamespaceResourceScope;
}

impl Metadata for Website {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
