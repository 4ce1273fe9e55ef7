//! Which kinds the server serves, and what is special about each.

pub(crate) mod admission;
mod cells;
mod columns;
pub(crate) mod custom;
mod defaults;
pub(crate) mod json_path;
pub(crate) mod names;
mod parts;
pub(crate) mod quantity;
pub(crate) mod rules;
pub(crate) mod services;
mod table;
mod validation;
mod version;
pub(crate) mod warnings;

pub(crate) use cells::completed;
pub(crate) use defaults::qos_class;
pub(crate) use version::{as_stored, in_version};

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use k8s_openapi::jiff::Timestamp;
use parking_lot::RwLock;
use serde_json::Value;
use sha2::{Digest, Sha256};
use trimtab_managed_fields::TypeDef;
use trimtab_schema::{Schema, StructuralSchema};

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
    /// Where `/scale` finds its numbers, if the kind can be scaled.
    pub(crate) scale: Option<Scale>,
    /// Other subresources, such as a Pod's `/binding`.
    pub(crate) subresources: &'static [Subresource],
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

/// A column of `kubectl get`.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The heading.
    pub(crate) name: String,
    /// `string`, `integer`, `date` or `boolean`.
    pub(crate) kind: String,
    /// The format, such as `date-time`; usually empty.
    pub(crate) format: String,
    /// 0 is always shown, more than 0 with `-o wide`.
    pub(crate) priority: i32,
    /// Where the cell comes from.
    pub(crate) cell: Cell,
}

/// Where a cell comes from.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// A JSON pointer (built-in kinds) into the object.
    Pointer(&'static str),
    /// How long ago the time behind a JSON pointer was, as in `Age`.
    Since(&'static str),
    /// A JSON path as CustomResourceDefinitions write it, such as `.spec.replicas`.
    Path(json_path::Path),
    /// A cell that upstream computes from an object and the present time, such as a Pod's `READY`.
    Computed(fn(&Value, Timestamp) -> Value),
}

/// The verbs of every stored kind.
pub(crate) const VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

impl Kind {
    /// A kind with nothing special about it: objects in a namespace, without subresources, and the
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
    fn source(&self) -> Option<&Value> {
        self.schema.as_deref().map(StructuralSchema::source)
    }

    /// Whether an object that was stored at `version` was written by the rules of the present schema.
    pub(crate) fn has_judged(&self, version: u64) -> bool {
        self.schema_since == 0 || version > self.schema_since
    }

    /// Whether an object of it is a question, which is answered and never stored.
    pub(crate) fn is_review(&self) -> bool {
        matches!(&*self.group, "authentication.k8s.io" | "authorization.k8s.io")
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

impl Column {
    /// A column that is always shown.
    pub(crate) fn new(name: &str, kind: &str, cell: Cell) -> Self {
        Self { name: name.to_owned(), kind: kind.to_owned(), format: String::new(), priority: 0, cell }
    }

    /// The same column, shown with `-o wide` only.
    pub(crate) fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }
}

/// All served kinds; custom ones come and go.
#[derive(Debug)]
pub(crate) struct Kinds {
    /// By group, then version, then plural name.
    served: RwLock<BTreeMap<(String, String, String), Arc<Kind>>>,
}

impl Kinds {
    /// The built-in kinds.
    pub(crate) fn built_in() -> Self {
        let kinds = Self { served: RwLock::default() };
        table::built_in().into_iter().for_each(|kind| kinds.insert(kind));
        kinds
    }

    /// Returns the kind that a path names.
    pub(crate) fn get(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Kind>> {
        self.served.read().get(&(group.to_owned(), version.to_owned(), plural.to_owned())).cloned()
    }

    /// The kind of objects that call themselves `kind` of `api_version`, such as `apps/v1`.
    pub(crate) fn of_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Kind>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let served = self.served.read();
        served
            .values()
            .find(|served| (&*served.group, &*served.version, &*served.kind) == (group, version, kind))
            .cloned()
    }

    /// All kinds, ordered by group, version and plural name.
    pub(crate) fn all(&self) -> Vec<Arc<Kind>> {
        self.served.read().values().cloned().collect()
    }

    /// Serves `kind`, in place of an earlier one of the same path.
    pub(crate) fn insert(&self, kind: Kind) {
        let path = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        self.served.write().insert(path, Arc::new(kind));
    }

    /// Serves `kinds`, and no other versions of `plural` of `group`, from one moment to the next.
    pub(crate) fn replace(&self, group: &str, plural: &str, kinds: Vec<Kind>) {
        let mut served = self.served.write();
        let path = |kind: &Kind| (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        let kinds = kinds.into_iter().map(|kind| {
            let before = served.get(&path(&kind));
            let same = before.filter(|before| before.source() == kind.source());
            let schema_since = same.map_or(kind.schema_since, |before| before.schema_since);
            (path(&kind), Arc::new(Kind { schema_since, ..kind }))
        });
        let kinds: Vec<_> = kinds.collect();
        served.retain(|(g, _, p), kind| g != group || p != plural || !rules::is_custom(kind));
        served.extend(kinds);
    }

    /// Stops serving `plural` of `group` in every version.
    pub(crate) fn remove(&self, group: &str, plural: &str) {
        self.replace(group, plural, Vec::new());
    }
}

#[cfg(test)]
mod types_tests;
