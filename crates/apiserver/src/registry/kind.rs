//! [`Kind`]: one kind of objects in one version, with its names, verbs and subresources.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use trimtab_managed_fields::TypeDef;
use trimtab_schema::{Schema, StructuralSchema};

use super::{
    Strategy,
    column::{Cell, Column},
};
use crate::api::resource::Resource;

/// One served kind in one version: what a path resolves to, and what discovery tells.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    /// The API group; empty for the core group.
    pub(crate) group: String,
    /// The served version, such as `v1`.
    pub(crate) version: String,
    /// The kind, such as `ReplicaSet`.
    pub(crate) kind: String,
    /// The kind of a list of them, such as `ReplicaSetList`.
    pub(crate) list_kind: String,
    /// The plural name in paths, such as `replicasets`.
    pub(crate) plural: String,
    /// The singular name, such as `replicaset`.
    pub(crate) singular: String,
    /// Short names for kubectl, such as `rs`.
    pub(crate) short_names: Vec<String>,
    /// Groups of kinds that kubectl knows, such as `all`.
    pub(crate) categories: Vec<String>,
    /// Whether objects live in a namespace.
    pub(crate) namespaced: bool,
    /// The verbs of objects and collections, as discovery lists them.
    pub(crate) verbs: &'static [&'static str],
    /// Whether there is a `/status`: then a write to the object leaves its status alone.
    pub(crate) status: bool,
    /// The fields of `/scale`, if the kind can be scaled.
    pub(crate) scale: Option<Scale>,
    /// Other subresources, such as a Pod's `/binding`.
    pub(crate) subresources: &'static [Subresource],
    /// The rules of its objects.
    pub(crate) strategy: &'static Strategy,
    /// The group under which the objects are stored: two groups may show the same objects.
    pub(crate) storage_group: String,
    /// The version that discovery's hash of the storage tells.
    pub(crate) storage_version: String,
    /// The grace period of a deletion that names none, in seconds; 0 removes at once.
    pub(crate) grace_seconds: i64,
    /// The columns of `kubectl get`, all of them, in order.
    pub(crate) columns: Vec<Column>,
    /// The fields by which objects of a custom kind can be selected, such as `spec.colour`.
    pub(crate) selectable_fields: Vec<String>,
    /// The structural schema of a custom kind.
    pub(crate) schema: Option<Arc<StructuralSchema>>,
    /// The warning of a custom kind's deprecated version.
    pub(crate) deprecation: Option<String>,
    /// The version with which that schema came: what was stored up to it was written by the rules of another.
    pub(crate) schema_since: u64,
}

/// A path below an object's other than `/status` and `/scale`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subresource {
    /// The last part of the path, such as `binding`.
    pub(crate) name: &'static str,
    /// The group of what is sent and answered, if `version` tells one.
    pub(crate) group: &'static str,
    /// The version of what is sent and answered; empty for the parent's own group and version.
    pub(crate) version: &'static str,
    /// The kind of what is sent and answered.
    pub(crate) kind: &'static str,
    /// Its verbs.
    pub(crate) verbs: &'static [&'static str],
}

/// JSON pointers to what `/scale` reads and writes.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    /// `/spec/replicas`.
    pub(crate) spec: String,
    /// `/status/replicas`.
    pub(crate) status: String,
    /// Where the selector is, if the kind has one: a `LabelSelector` object or a string.
    pub(crate) selector: Option<String>,
}

/// The verbs of every stored kind.
const VERBS: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The verbs of a proxied connection.
pub(super) const CONNECT: &[&str] = &["create", "delete", "get", "patch", "update"];

impl Kind {
    /// Makes a kind without rules: namespaced objects without subresources, and the
    /// columns `Name` and `Created At`.
    pub(crate) fn plain(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            list_kind: format!("{kind}List"),
            plural: plural.to_owned(),
            singular: kind.to_lowercase(),
            short_names: Vec::new(),
            categories: Vec::new(),
            namespaced: true,
            verbs: VERBS,
            status: false,
            scale: None,
            subresources: &[],
            strategy: &Strategy::PLAIN,
            storage_group: group.to_owned(),
            storage_version: version.to_owned(),
            grace_seconds: 0,
            columns: vec![
                Column::new("Name", "string", Cell::Pointer("/metadata/name")),
                Column::new("Created At", "date", Cell::Pointer("/metadata/creationTimestamp")),
            ],
            selectable_fields: Vec::new(),
            schema: None,
            deprecation: None,
            schema_since: 0,
        }
    }

    /// Returns the type of the kind's objects; `None` if nothing is known of them.
    pub(crate) fn structure(&self) -> Option<Schema<'_>> {
        match &self.schema {
            Some(declared) => Some(declared.schema()),
            None => Schema::named(&self.group, &self.version, &self.kind),
        }
    }

    /// Returns the type of the kind's objects for managed fields; `None` if nothing is known of them.
    pub(crate) fn managed_type(&self) -> Option<&TypeDef> {
        match &self.schema {
            Some(declared) => Some(declared.managed_type()),
            None => Schema::managed_type(&self.group, &self.version, &self.kind),
        }
    }

    /// Returns the schema that a custom kind's definition declares.
    pub(super) fn source(&self) -> Option<&Value> {
        self.schema.as_deref().map(StructuralSchema::source)
    }

    /// Whether an object that was stored at `version` was written by the rules of the present schema.
    pub(crate) fn has_judged(&self, version: u64) -> bool {
        self.schema_since == 0 || version > self.schema_since
    }

    /// Returns whether a `CustomResourceDefinition` made this kind.
    pub(crate) fn is_custom(&self) -> bool {
        self.schema.is_some()
    }

    /// Whether an object of it is a question, which is answered and never stored.
    pub(crate) fn is_review(&self) -> bool {
        self.strategy.review.is_some()
    }

    /// `v1` or `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether an `apiVersion` is this kind's.
    pub(crate) fn has_api_version(&self, text: &str) -> bool {
        let (group, version) = text.split_once('/').unwrap_or(("", text));
        (group, version) == (&*self.group, &*self.version)
    }

    /// The group and the plural name, `replicasets.apps`: under this the storage keeps the objects,
    /// whichever version they are read in.
    pub(crate) fn resource(&self) -> String {
        match self.storage_group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// Whether there are objects of this kind, and not only questions about others.
    pub(crate) fn is_stored(&self) -> bool {
        self.verbs.contains(&"watch")
    }

    /// Returns the hash by which clients know that two kinds show the same stored objects.
    pub(crate) fn storage_version_hash(&self) -> String {
        let Self { storage_group, storage_version, kind, .. } = self;
        let hash = Sha256::digest(format!("{storage_group}/{storage_version}/{kind}"));
        STANDARD.encode(&hash[..8])
    }
}

impl<'a> From<&'a Kind> for Resource<'a> {
    fn from(kind: &'a Kind) -> Self {
        Self {
            group: &kind.group,
            storage_group: &kind.storage_group,
            plural: &kind.plural,
            kind: &kind.kind,
        }
    }
}

impl<'a> From<&'a Arc<Kind>> for Resource<'a> {
    fn from(kind: &'a Arc<Kind>) -> Self {
        Self::from(&**kind)
    }
}

impl Subresource {
    /// A subresource whose bodies have the parent's group and version.
    pub(crate) const fn new(name: &'static str, kind: &'static str, verbs: &'static [&'static str]) -> Self {
        Self { name, group: "", version: "", kind, verbs }
    }

    /// The group and version of what is sent and answered below an object of `parent`.
    pub(crate) fn group_version<'a>(&self, parent: &'a Kind) -> (&'a str, &'a str) {
        if self.version.is_empty() { (&parent.group, &parent.version) } else { (self.group, self.version) }
    }
}
