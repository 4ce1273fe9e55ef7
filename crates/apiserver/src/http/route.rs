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
    /// A service account's bearer tokens.
    Token,
}

impl Subresource {
    /// The last part of the path.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Binding => "binding",
            Self::Eviction => "eviction",
            Self::Finalize => "finalize",
            Self::Token => "token",
        }
    }
}

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
}

impl Route {
    /// Finds out what `path` names and what `method` does to it; `watch` is the parameter of that name.
    pub(crate) fn of(kinds: &Kinds, method: &Method, path: &str, watch: bool) -> Result<Self> {
        let segments: Vec<Cow<'_, str>> = path.split('/').skip(1).map(decode).collect::<Result<_>>()?;
        let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
        let target = match *segments {
            ["api", "v1", ref rest @ ..] => target(kinds, "", "v1", rest),
            ["apis", group, version, ref rest @ ..] => target(kinds, group, version, rest),
            _ => None,
        };
        let Target { kind, namespace, name, subresource } = target.ok_or_else(Status::no_such_path)?;
        let verb =
            verb(method, !name.is_empty(), subresource, watch).ok_or_else(Status::method_not_allowed)?;
        if subresource.is_none() && !kind.verbs.contains(&verb.word()) {
            return Err(Status::method_not_allowed());
        }
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
    let (name, subresource) = match *rest {
        [] => ("", None),
        [name] if !name.is_empty() => (name, None),
        [name, sub] if !name.is_empty() => (name, Some(subresource(&kind, sub)?)),
        _ => return None,
    };
    Some(Target { kind, namespace, name, subresource })
}

fn subresource(kind: &Kind, name: &str) -> Option<Subresource> {
    let is = |wanted: &str| kind.group.is_empty() && kind.kind == wanted;
    match name {
        "status" if kind.status => Some(Subresource::Status),
        "scale" if kind.scale.is_some() => Some(Subresource::Scale),
        "binding" if is("Pod") => Some(Subresource::Binding),
        "eviction" if is("Pod") => Some(Subresource::Eviction),
        "token" if is("ServiceAccount") => Some(Subresource::Token),
        "finalize" if is("Namespace") => Some(Subresource::Finalize),
        _ => None,
    }
}

fn verb(method: &Method, named: bool, subresource: Option<Subresource>, watch: bool) -> Option<Verb> {
    use Subresource::{Binding, Eviction, Finalize, Token};
    let verb = match (method.as_str(), named) {
        ("GET" | "HEAD", _) if watch && subresource.is_none() => Verb::Watch,
        ("GET" | "HEAD", true) => Verb::Get,
        ("GET" | "HEAD", false) => Verb::List,
        ("POST", false) => Verb::Create,
        ("POST", true) if matches!(subresource, Some(Binding | Eviction | Token)) => Verb::Create,
        ("PUT", true) => Verb::Update,
        ("PATCH", true) => Verb::Patch,
        ("DELETE", true) => Verb::Delete,
        ("DELETE", false) => Verb::DeleteCollection,
        _ => return None,
    };
    let fits = match subresource {
        None => true,
        Some(Binding | Eviction | Token) => verb == Verb::Create,
        Some(Finalize) => verb == Verb::Update,
        Some(_) => matches!(verb, Verb::Get | Verb::Update | Verb::Patch),
    };
    fits.then_some(verb)
}
