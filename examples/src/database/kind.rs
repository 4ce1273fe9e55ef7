//! [`Database`]: the custom kind.

use k8s_openapi::{
    Metadata, NamespaceResourceScope, Resource, apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde::{Deserialize, Serialize};

/// The group and the version.
pub(super) const API_VERSION: &str = "example.com/v1";

/// The definition, as a manifest.
pub const DEFINITION: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: databases.example.com}
spec:
  group: example.com
  names: {kind: Database, listKind: DatabaseList, plural: databases, singular: database}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [replicas, config]
            properties:
              replicas: {type: integer, minimum: 1, maximum: 5}
              config: {type: string}
          status:
            type: object
            properties:
              ready: {type: integer}
              configHash: {type: string}
";

/// A database with a number of members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    api_version: String,
    kind: String,
    metadata: ObjectMeta,
    /// The desired state.
    pub spec: DatabaseSpec,
    /// The observed state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<DatabaseStatus>,
}

/// The desired state of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSpec {
    /// The number of members.
    pub replicas: u32,
    /// The configuration with which every member starts.
    pub config: String,
}

/// The observed state of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStatus {
    /// The number of members that are up.
    #[serde(default)]
    pub ready: u32,
    /// The hash of the configuration that all members have; empty during a rollout.
    #[serde(default)]
    pub config_hash: String,
}

impl Database {
    /// Creates a database that is not stored yet.
    pub fn new(name: &str, spec: DatabaseSpec) -> Self {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some("default".to_owned()),
            ..ObjectMeta::default()
        };
        Self {
            api_version: API_VERSION.to_owned(),
            kind: Self::KIND.to_owned(),
            metadata,
            spec,
            status: None,
        }
    }
}

impl Resource for Database {
    const API_VERSION: &'static str = API_VERSION;
    const GROUP: &'static str = "example.com";
    const KIND: &'static str = "Database";
    const VERSION: &'static str = "v1";
    const URL_PATH_SEGMENT: &'static str = "databases";
    type Scope = NamespaceResourceScope;
}

impl Metadata for Database {
    type Ty = ObjectMeta;

    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn metadata_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// Returns a short hash of a configuration (FNV-1a) for a label.
pub fn config_hash(config: &str) -> String {
    let hash = config.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{:08x}", hash >> 32)
}
