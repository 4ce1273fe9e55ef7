//! [`Route`]: what a request asks of the kinds that are served.

use std::sync::Arc;

use http::{HeaderMap, header};

use super::{Kind, Kinds};
use crate::api::{
    filter::Origin,
    request_info::RequestInfo,
    status::{Result, Status},
    subresource::{SUBRESOURCE_VERBS, Subresource},
    verb::Verb,
};

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

    /// Returns the sender, named by its `headers`, and the target of the request.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Origin {
        let user_agent =
            headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Origin {
            verb: self.verb,
            resource: self.kind.resource(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            user_agent: user_agent.to_owned(),
        }
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
