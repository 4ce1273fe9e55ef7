//! [`Call`]: the verb and the target of a request, from its method and path.

use std::fmt;

use http::Method;
use trimtab_apiserver::Verb;

/// A request for objects, for properties and faults.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Call {
    /// The verb. A request for discovery or health counts as `Get` of the resource that its path ends with.
    pub verb: Verb,
    /// The plural name and the group, such as `pods` or `replicasets.apps`.
    pub resource: String,
    /// The part of the object, such as `status`; empty for the object itself.
    pub subresource: String,
    /// The namespace in the path; empty for all namespaces and for cluster-scoped kinds.
    pub namespace: String,
    /// The name in the path; empty for a collection.
    pub name: String,
}

impl Call {
    pub(crate) fn of(method: &Method, path: &str, query: &str) -> Self {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let group = match parts.next() {
            Some("apis") => parts.next().unwrap_or_default(),
            _ => "",
        };
        parts.next(); // the version
        let mut rest: Vec<&str> = parts.collect();
        let mut namespace = "";
        if rest.len() > 2 && rest[0] == "namespaces" && !matches!(rest[2], "status" | "finalize") {
            namespace = rest[1];
            rest.drain(..2);
        }
        let part = |index: usize| rest.get(index).copied().unwrap_or_default();
        let (plural, name) = (part(0), part(1));
        let watches = query.split('&').any(|pair| matches!(pair, "watch=true" | "watch=1"));
        let verb = match (method, name.is_empty()) {
            (&Method::POST, _) => Verb::Create,
            (&Method::PUT, _) => Verb::Update,
            (&Method::PATCH, _) => Verb::Patch,
            (&Method::DELETE, true) => Verb::DeleteCollection,
            (&Method::DELETE, false) => Verb::Delete,
            _ if watches => Verb::Watch,
            (_, true) if !plural.is_empty() => Verb::List,
            _ => Verb::Get,
        };
        Self {
            verb,
            resource: if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") },
            subresource: part(2).to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Returns whether the request changes objects.
    pub fn is_write(&self) -> bool {
        !matches!(self.verb, Verb::Get | Verb::List | Verb::Watch)
    }

    /// Returns the request's kind for the coverage, such as `patch pods/status`.
    pub(crate) fn kind(&self) -> String {
        match &*self.subresource {
            "" => format!("{} {}", self.verb.word(), self.resource),
            part => format!("{} {}/{part}", self.verb.word(), self.resource),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb.word(), self.resource)?;
        for part in [&self.namespace, &self.name, &self.subresource] {
            if !part.is_empty() {
                write!(f, "/{part}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_is_asked_for() {
        let call = |method, path: &str, query: &str| Call::of(&method, path, query).to_string();
        assert_eq!(call(Method::POST, "/api/v1/namespaces/shop/pods", ""), "create pods/shop");
        assert_eq!(call(Method::GET, "/api/v1/pods", "&watch=true&timeoutSeconds=9"), "watch pods");
        assert_eq!(call(Method::GET, "/api/v1/namespaces/shop", ""), "get namespaces/shop");
        assert_eq!(
            call(Method::PUT, "/api/v1/namespaces/shop/finalize", ""),
            "update namespaces/shop/finalize"
        );
        assert_eq!(
            call(Method::PATCH, "/apis/apps/v1/namespaces/shop/replicasets/web/status", ""),
            "patch replicasets.apps/shop/web/status"
        );
        assert_eq!(call(Method::DELETE, "/api/v1/namespaces/shop/pods", ""), "deletecollection pods/shop");
        assert_eq!(call(Method::GET, "/api/v1/nodes", ""), "list nodes");
    }
}
