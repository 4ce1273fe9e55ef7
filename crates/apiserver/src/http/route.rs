//! [`Route`]: what a request asks of the kinds that are served.

use std::sync::Arc;

use super::{
    request_info::RequestInfo,
    status::{Result, Status},
};
use crate::kinds::{Kind, Kinds};

/// The verb of a request: RBAC's verbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// Reads one object.
    Get,
    /// Reads all objects of a kind.
    List,
    /// Follows the changes of a kind.
    Watch,
    /// Makes an object.
    Create,
    /// Replaces an object.
    Update,
    /// Changes parts of an object.
    Patch,
    /// Deletes one object.
    Delete,
    /// Deletes all objects that match.
    DeleteCollection,
}

impl Verb {
    /// The word in discovery and in RBAC's rules.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

/// A part of an object with a path of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Subresource {
    /// The status that the system reports.
    Status,
    /// The number of replicas, in the same form for every kind.
    Scale,
    /// Where a Pod runs.
    Binding,
    /// A deletion that may be refused.
    Eviction,
    /// A namespace's own finalizers.
    Finalize,
    /// The output of a Pod's containers.
    Log,
    /// The containers that are added to a Pod that runs.
    EphemeralContainers,
    /// The resources of a Pod that runs.
    Resize,
    /// Whether a certificate is to be signed.
    Approval,
    /// A service account's bearer tokens.
    Token,
    /// A connection to what runs on a node: the last part of the path, such as `exec`.
    Connect(&'static str),
}

impl Subresource {
    /// Returns the subresource `name` of a kind that has it.
    fn named(name: &'static str) -> Self {
        match name {
            "approval" => Self::Approval,
            "binding" => Self::Binding,
            "ephemeralcontainers" => Self::EphemeralContainers,
            "eviction" => Self::Eviction,
            "finalize" => Self::Finalize,
            "log" => Self::Log,
            "resize" => Self::Resize,
            "token" => Self::Token,
            connection => Self::Connect(connection),
        }
    }

    /// The last part of the path.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Approval => "approval",
            Self::Binding => "binding",
            Self::EphemeralContainers => "ephemeralcontainers",
            Self::Eviction => "eviction",
            Self::Finalize => "finalize",
            Self::Log => "log",
            Self::Resize => "resize",
            Self::Token => "token",
            Self::Connect(connection) => connection,
        }
    }
}

/// The verbs of a status or a scale.
pub(crate) const SUBRESOURCE_VERBS: &[&str] = &["get", "patch", "update"];

/// The kind, object and verb of a request.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) verb: Verb,
    pub(crate) kind: Arc<Kind>,
    /// Empty for a cluster-scoped kind, and for all namespaces.
    pub(crate) namespace: String,
    /// Empty for the collection.
    pub(crate) name: String,
    pub(crate) subresource: Option<Subresource>,
}

impl Route {
    /// Finds the kind and the verb of what `info` names.
    pub(crate) fn of(kinds: &Kinds, info: &RequestInfo) -> Result<Self> {
        let resource = info.resource.as_ref().ok_or_else(Status::no_such_path)?;
        let kind = kinds.get(&resource.group, &resource.version, &resource.plural);
        let kind = kind.ok_or_else(Status::no_such_path)?;
        let is_collection = resource.depth == 1;
        // A namespace is in itself; nothing else that is in no namespace can be reached through one, where other rights
        // would count.
        let is_itself =
            resource.plural == "namespaces" && resource.name == resource.namespace && !is_collection;
        let is_within = !resource.namespace.is_empty() && !is_itself;
        let is_misplaced = if kind.namespaced { !is_collection && !is_within } else { is_within };
        if is_misplaced || !is_collection && resource.name.is_empty() {
            return Err(Status::no_such_path());
        }
        let (subresource, verbs) = match resource.depth {
            1 | 2 => (None, kind.verbs),
            // What follows is meant for the one who is connected to.
            3.. if resource.depth == 3 || resource.subresource == "proxy" => {
                let sub = subresource(&kind, &resource.subresource).ok_or_else(Status::no_such_path)?;
                (Some(sub.0), sub.1)
            }
            _ => return Err(Status::no_such_path()),
        };
        let verb = verb(info, !is_collection, subresource.is_some())
            .filter(|verb| verbs.contains(&verb.word()))
            .ok_or_else(Status::method_not_allowed)?;
        let everywhere = kind.namespaced && resource.namespace.is_empty();
        if everywhere && !matches!(verb, Verb::List | Verb::Watch) {
            return Err(Status::method_not_allowed());
        }
        let namespace = if kind.namespaced { resource.namespace.clone() } else { String::new() };
        // That a selector leaves one object makes a list no other request.
        let name = if is_collection { String::new() } else { resource.name.clone() };
        Ok(Self { verb, kind, namespace, name, subresource })
    }
}

/// Returns the subresource `name` of `kind`, and its verbs.
fn subresource(kind: &Kind, name: &str) -> Option<(Subresource, &'static [&'static str])> {
    match name {
        "status" if kind.status => Some((Subresource::Status, SUBRESOURCE_VERBS)),
        "scale" if kind.scale.is_some() => Some((Subresource::Scale, SUBRESOURCE_VERBS)),
        _ => {
            let sub = kind.subresources.iter().find(|sub| sub.name == name)?;
            Some((Subresource::named(sub.name), sub.verbs))
        }
    }
}

/// Returns the authorized verb, if the path takes it.
fn verb(info: &RequestInfo, named: bool, below: bool) -> Option<Verb> {
    Some(match (&*info.verb, named) {
        ("watch", _) if info.reads() && !below => Verb::Watch,
        ("get", true) => Verb::Get,
        ("list", false) => Verb::List,
        ("create", false) => Verb::Create,
        ("create", true) if below => Verb::Create,
        ("update", true) => Verb::Update,
        ("patch", true) => Verb::Patch,
        ("delete", true) => Verb::Delete,
        ("deletecollection", false) => Verb::DeleteCollection,
        _ => return None,
    })
}
