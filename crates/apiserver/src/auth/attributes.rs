//! [`Attributes`]: what somebody wants to do, in the words of RBAC's rules.

use std::borrow::Cow;

use http::StatusCode;

use super::User;
use crate::api::{request_info::RequestInfo, status::Status};

/// The attributes of a request to authorize.
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

/// Reads the attributes of a request that authorization decides by.
pub(crate) fn of_request(info: &RequestInfo) -> Attributes<'_> {
    let target = match &info.resource {
        None => Target::Path(&info.path),
        Some(resource) => Target::Resource {
            group: &resource.group,
            plural: &resource.plural,
            subresource: &resource.subresource,
            namespace: &resource.namespace,
            name: Cow::Borrowed(&resource.name),
        },
    };
    Attributes { verb: Cow::Borrowed(&info.verb), target }
}

/// Returns the permissions that impersonating `user` needs.
pub(crate) fn of_impersonation(user: &User) -> Vec<Attributes<'_>> {
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
    use http::Method;

    use super::*;

    #[test]
    fn a_refusal_says_who_wanted_what_where() {
        let ada = User::new("ada");
        let text = |method: Method, path: &str| {
            let info = RequestInfo::of(&method, &path.parse().expect("a path")).expect("well formed");
            let status = of_request(&info).forbidden(&ada).to_json();
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
