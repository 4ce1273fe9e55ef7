//! [`Attributes`]: what somebody wants to do, in the words of RBAC's rules.

use std::borrow::Cow;

use http::{Method, StatusCode};

use super::User;
use crate::http::{
    query::{Query, decode},
    status::Status,
};

/// What somebody wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: Cow<'a, str>,
    pub(crate) target: Target<'a>,
}

/// To what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// Objects.
    Resource {
        group: &'a str,
        /// The plural name.
        plural: &'a str,
        /// Empty for the object itself.
        subresource: &'a str,
        /// Empty for all of them, and for cluster-scoped objects.
        namespace: &'a str,
        /// Empty for a collection.
        name: Cow<'a, str>,
    },
    /// A path that names no objects, such as `/version`.
    Path(&'a str),
}

impl Attributes<'_> {
    /// 403 in upstream's words.
    pub(crate) fn forbidden(&self, user: &User) -> Status {
        let (who, verb) = (user.name(), &self.verb);
        let Target::Resource { group, plural, subresource, namespace, name } = &self.target else {
            let Target::Path(path) = self.target else { unreachable!("the other of two") };
            let message = format!("forbidden: User {who:?} cannot {verb} path {path:?}");
            return Status::new(StatusCode::FORBIDDEN, "Forbidden", message);
        };
        let slash = if subresource.is_empty() { "" } else { "/" };
        let place = match *namespace {
            "" => "at the cluster scope".to_owned(),
            namespace => format!("in the namespace {namespace:?}"),
        };
        let because = format!(
            "User {who:?} cannot {verb} resource \"{plural}{slash}{subresource}\" in API group {group:?} {place}"
        );
        Status::forbidden_resource(group, plural, name, &because)
    }
}

/// The parts of a path, decoded where that is possible.
pub(super) fn segments(path: &str) -> Vec<Cow<'_, str>> {
    let parts = path.trim_matches('/').split('/');
    parts.map(|part| decode(part).unwrap_or(Cow::Borrowed(part))).collect()
}

/// What a request wants: upstream's `RequestInfo`, which looks at the path alone, whatever is served.
pub(super) fn of_request<'a>(
    method: &Method,
    path: &'a str,
    segments: &'a [Cow<'a, str>],
    query: &str,
) -> Attributes<'a> {
    let segments: Vec<&str> = segments.iter().map(|segment| &**segment).collect();
    let (group, rest) = match *segments {
        ["api", _, ref rest @ ..] if !rest.is_empty() => ("", rest.to_vec()),
        ["apis", group, _, ref rest @ ..] if !rest.is_empty() => (group, rest.to_vec()),
        _ => {
            let verb = method.as_str().to_lowercase().into();
            return Attributes { verb, target: Target::Path(path) };
        }
    };
    let (rest, by_path) = match rest.split_first() {
        Some((&"watch", below)) if !below.is_empty() => (below.to_vec(), true),
        _ => (rest, false),
    };
    let (namespace, rest) = match *rest {
        ["namespaces", namespace] | ["namespaces", namespace, "status" | "finalize"] => {
            (namespace, &rest[..])
        }
        ["namespaces", namespace, ..] => (namespace, &rest[2..]),
        _ => ("", &rest[..]),
    };
    let part = |position: usize| rest.get(position).copied().unwrap_or_default();
    let mut name = Cow::Borrowed(part(1));
    let watches = by_path || Query::asks_to_watch(query).unwrap_or(false);
    let verb = match method.as_str() {
        "GET" | "HEAD" if watches => "watch",
        "GET" | "HEAD" if name.is_empty() => "list",
        "GET" | "HEAD" => "get",
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" if name.is_empty() => "deletecollection",
        "DELETE" => "delete",
        _ => "",
    };
    if name.is_empty() && matches!(verb, "list" | "watch" | "deletecollection") {
        name = selected_name(query).map_or(name, Cow::Owned);
    }
    let target = Target::Resource { group, plural: part(0), subresource: part(2), namespace, name };
    Attributes { verb: verb.into(), target }
}

/// The one name that a field selector leaves, if it leaves one.
fn selected_name(query: &str) -> Option<String> {
    let selector = query.split('&').find_map(|pair| pair.strip_prefix("fieldSelector="))?;
    let selector = decode(selector).ok()?;
    let name = selector.split(',').find_map(|term| term.strip_prefix("metadata.name="))?;
    Some(name.trim_start_matches('=').to_owned())
}

/// What it takes to act as `user`.
pub(super) fn of_impersonation(user: &User) -> Vec<Attributes<'_>> {
    let mut all = Vec::new();
    let mut add = |group, plural, subresource, namespace, name: &'_ str| {
        let name = Cow::Owned(name.to_owned());
        let target = Target::Resource { group, plural, subresource, namespace, name };
        all.push(Attributes { verb: "impersonate".into(), target });
    };
    match user.account() {
        Some((namespace, name)) => add("", "serviceaccounts", "", namespace, name),
        None => add("", "users", "", "", user.name()),
    }
    user.groups.iter().for_each(|group| add("", "groups", "", "", group));
    if !user.uid.is_empty() {
        add("authentication.k8s.io", "uids", "", "", &user.uid);
    }
    for (key, values) in &user.extra {
        values.iter().for_each(|value| add("authentication.k8s.io", "userextras", key, "", value));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(method: &'static str, path: &str, query: &str) -> String {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let segments = segments(path);
        let Attributes { verb, target } = of_request(&method, path, &segments, query);
        match target {
            Target::Path(path) => format!("{verb} {path}"),
            Target::Resource { group, plural, subresource, namespace, name } => {
                format!("{verb} {group}|{plural}|{subresource}|{namespace}|{name}")
            }
        }
    }

    #[test]
    fn a_path_and_a_method_become_a_verb_and_a_resource() {
        assert_eq!(attributes("GET", "/version", ""), "get /version");
        assert_eq!(attributes("GET", "/apis/apps/v1", ""), "get /apis/apps/v1");
        assert_eq!(attributes("GET", "/api/v1/pods", ""), "list |pods|||");
        assert_eq!(attributes("GET", "/api/v1/namespaces/shop/pods", "watch=1"), "watch |pods||shop|");
        assert_eq!(attributes("GET", "/api/v1/watch/namespaces/shop/pods", ""), "watch |pods||shop|");
        assert_eq!(attributes("GET", "/api/v1/namespaces/shop", ""), "get |namespaces||shop|shop");
        assert_eq!(
            attributes("PUT", "/api/v1/namespaces/shop/finalize", ""),
            "update |namespaces|finalize|shop|shop"
        );
        assert_eq!(
            attributes("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/scale", ""),
            "patch apps|deployments|scale|shop|web"
        );
        assert_eq!(
            attributes("DELETE", "/apis/apps/v1/namespaces/shop/deployments", ""),
            "deletecollection apps|deployments||shop|"
        );
        assert_eq!(
            attributes("GET", "/api/v1/pods", "fieldSelector=metadata.name%3Dweb"),
            "list |pods|||web"
        );
        assert_eq!(attributes("GET", "/apis/nope.io/v1/things", ""), "list nope.io|things|||");
    }

    #[test]
    fn a_refusal_says_who_wanted_what_where() {
        let ada = User::new("ada");
        let text = |method: Method, path: &str| {
            let status = of_request(&method, path, &segments(path), "").forbidden(&ada).to_json();
            status["message"].as_str().expect("a message").to_owned()
        };
        assert_eq!(
            text(Method::GET, "/api/v1/namespaces/default/pods/x/status"),
            "pods \"x\" is forbidden: User \"ada\" cannot get resource \"pods/status\" in API group \"\" in the \
             namespace \"default\""
        );
        assert_eq!(
            text(Method::POST, "/apis/apps/v1/namespaces/default/deployments"),
            "deployments.apps is forbidden: User \"ada\" cannot create resource \"deployments\" in API group \
             \"apps\" in the namespace \"default\""
        );
        assert_eq!(
            text(Method::GET, "/api/v1/nodes"),
            "nodes is forbidden: User \"ada\" cannot list resource \"nodes\" in API group \"\" at the cluster scope"
        );
        assert_eq!(text(Method::GET, "/metrics"), "forbidden: User \"ada\" cannot get path \"/metrics\"");
    }
}
