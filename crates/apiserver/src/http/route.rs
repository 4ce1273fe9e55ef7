//! [`Route`]: what a path and a method ask for.

use std::{borrow::Cow, sync::Arc};

use http::Method;

use super::{
    query::decode,
    status::{Result, Status},
};
use crate::kinds::{Kind, Kinds};

/// What a request does to objects: RBAC's verbs.
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
    /// What the system reports.
    Status,
    /// The number of replicas, in the same form for every kind.
    Scale,
    /// Where a Pod runs.
    Binding,
    /// A deletion that may be refused.
    Eviction,
    /// A namespace's own finalizers.
    Finalize,
    /// What a Pod's containers printed.
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
    /// What is called `name` below the objects of a kind that has it.
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

/// What may be done with a status or a scale.
pub(crate) const SUBRESOURCE_VERBS: &[&str] = &["get", "patch", "update"];

/// What a request asks for.
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

/// The part of a path that tells what it names.
struct Target<'a> {
    kind: Arc<Kind>,
    namespace: &'a str,
    name: &'a str,
    subresource: Option<Subresource>,
    /// What may be done with it.
    verbs: &'static [&'static str],
}

impl Route {
    /// Finds out what `path` names and what `method` does to it; `watch` is the parameter of that name.
    pub(crate) fn of(kinds: &Kinds, method: &Method, path: &str, watch: bool) -> Result<Self> {
        let segments: Vec<Cow<'_, str>> = path.split('/').skip(1).map(decode).collect::<Result<_>>()?;
        let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
        let (target, watch) = match *segments {
            // The way to watch from before there was a parameter for it.
            ["api", "v1", "watch", ref rest @ ..] => (target(kinds, "", "v1", rest), true),
            ["apis", group, version, "watch", ref rest @ ..] => (target(kinds, group, version, rest), true),
            ["api", "v1", ref rest @ ..] => (target(kinds, "", "v1", rest), watch),
            ["apis", group, version, ref rest @ ..] => (target(kinds, group, version, rest), watch),
            _ => (None, watch),
        };
        let Target { kind, namespace, name, subresource, verbs } = target.ok_or_else(Status::no_such_path)?;
        let verb = verb(method, !name.is_empty(), subresource.is_some(), watch)
            .filter(|verb| verbs.contains(&verb.word()))
            .ok_or_else(Status::method_not_allowed)?;
        let everywhere = kind.namespaced && namespace.is_empty();
        if everywhere && !matches!(verb, Verb::List | Verb::Watch) {
            return Err(Status::method_not_allowed());
        }
        Ok(Self { verb, kind, namespace: namespace.to_owned(), name: name.to_owned(), subresource })
    }
}

fn target<'a>(kinds: &Kinds, group: &str, version: &str, segments: &[&'a str]) -> Option<Target<'a>> {
    // `namespaces/x/pods` and `namespaces/x/status` look alike: first, what is in a namespace.
    if let ["namespaces", namespace, plural, ref rest @ ..] = *segments
        && let Some(kind) = kinds.get(group, version, plural).filter(|kind| kind.namespaced)
    {
        return within(kind, namespace, rest);
    }
    let (plural, rest) = segments.split_first()?;
    let kind = kinds.get(group, version, plural)?;
    if kind.namespaced && !rest.is_empty() {
        return None;
    }
    within(kind, "", rest)
}

fn within<'a>(kind: Arc<Kind>, namespace: &'a str, rest: &[&'a str]) -> Option<Target<'a>> {
    let (name, subresource, verbs) = match *rest {
        [] => ("", None, kind.verbs),
        [name] if !name.is_empty() => (name, None, kind.verbs),
        [name, sub] if !name.is_empty() => {
            let (subresource, verbs) = subresource(&kind, sub)?;
            (name, Some(subresource), verbs)
        }
        // What follows is meant for the one who is connected to.
        [name, "proxy", ..] if !name.is_empty() => {
            let (subresource, verbs) = subresource(&kind, "proxy")?;
            (name, Some(subresource), verbs)
        }
        _ => return None,
    };
    Some(Target { kind, namespace, name, subresource, verbs })
}

/// What is called `name` below the objects of `kind`, and what may be done with it.
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

fn verb(method: &Method, named: bool, below: bool, watch: bool) -> Option<Verb> {
    Some(match (method.as_str(), named) {
        ("GET" | "HEAD", _) if watch && !below => Verb::Watch,
        ("GET" | "HEAD", true) => Verb::Get,
        ("GET" | "HEAD", false) => Verb::List,
        ("POST", false) => Verb::Create,
        ("POST", true) if below => Verb::Create,
        ("PUT", true) => Verb::Update,
        ("PATCH", true) => Verb::Patch,
        ("DELETE", true) => Verb::Delete,
        ("DELETE", false) => Verb::DeleteCollection,
        _ => return None,
    })
}
