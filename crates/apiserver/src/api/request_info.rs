//! [`RequestInfo`]: what a request asks for, read once from its method and its URL. Authorization, admission, the
//! request log and the handlers all go by it: whatever one of them takes a request for, the others do, too.

use std::borrow::Cow;

use http::{Method, Uri};

use super::{
    parameters::{Parameters, unescape},
    query::Query,
    status::{Result, Status},
};

/// The parts of a request's URL: upstream's `RequestInfo`, which does not depend on the served kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestInfo {
    pub(crate) method: Method,
    /// The decoded path.
    pub(crate) path: String,
    pub(crate) parameters: Parameters,
    /// RBAC's verb; the method in lower case where the path names no objects, and empty for a method that no object
    /// takes.
    pub(crate) verb: Cow<'static, str>,
    /// `None` if the path names no objects, such as `/version`.
    pub(crate) resource: Option<ResourceInfo>,
}

/// The objects that a path names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ResourceInfo {
    pub(crate) group: String,
    pub(crate) version: String,
    /// Empty for all namespaces and for cluster-scoped objects; a namespace is in itself.
    pub(crate) namespace: String,
    /// The plural name.
    pub(crate) plural: String,
    /// The name in the path, or the one name that the field selector of a list or a watch leaves; else empty.
    pub(crate) name: String,
    /// The part after the name; empty for the object itself.
    pub(crate) subresource: String,
    /// How many parts the path has from the plural name on.
    pub(crate) depth: usize,
}

impl RequestInfo {
    /// Reads a method and a URL.
    pub(crate) fn of(method: &Method, uri: &Uri) -> Result<Self> {
        let path = unescape(uri.path());
        let path =
            path.ok_or_else(|| Status::bad_request(format!("invalid URL escape in {:?}", uri.path())))?;
        let parameters = Parameters::of(uri.query().unwrap_or_default());
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let (group, version, rest) = match *parts {
            ["api", version, ref rest @ ..] if !rest.is_empty() => ("", version, rest),
            ["apis", group, version, ref rest @ ..] if !rest.is_empty() => (group, version, rest),
            _ => {
                let verb = Cow::Owned(method.as_str().to_lowercase());
                return Ok(Self { method: method.clone(), verb, resource: None, parameters, path });
            }
        };
        let (special, rest) = match *rest {
            ["watch", ref below @ ..] if !below.is_empty() => (Some("watch"), below),
            ["proxy", ref below @ ..] if !below.is_empty() => (Some("proxy"), below),
            _ => (None, rest),
        };
        let (namespace, rest) = match *rest {
            ["namespaces", namespace, "status" | "finalize", ..] | ["namespaces", namespace] => {
                (namespace, rest)
            }
            ["namespaces", namespace, ref below @ ..] => (namespace, below),
            _ => ("", rest),
        };
        let part = |position: usize| rest.get(position).copied().unwrap_or_default().to_owned();
        let mut resource = ResourceInfo {
            group: group.to_owned(),
            version: version.to_owned(),
            namespace: namespace.to_owned(),
            plural: part(0),
            name: part(1),
            subresource: if special == Some("proxy") { String::new() } else { part(2) },
            depth: rest.len(),
        };
        let is_named = !resource.name.is_empty();
        let verb = match (special, method.as_str()) {
            (Some(special), _) => special,
            (None, "GET" | "HEAD") if is_named => "get",
            (None, "GET" | "HEAD") if Query::asks_to_watch(&parameters) => "watch",
            (None, "GET" | "HEAD") => "list",
            (None, "POST") => "create",
            (None, "PUT") => "update",
            (None, "PATCH") => "patch",
            (None, "DELETE") if is_named => "delete",
            (None, "DELETE") => "deletecollection",
            (None, _) => "",
        };
        // Of a deletion, no selector supplies the name: all that match are deleted.
        if special.is_none() && matches!(verb, "list" | "watch") {
            resource.name = Query::selected_name(&parameters).unwrap_or_default();
        }
        Ok(Self { method: method.clone(), verb: verb.into(), resource: Some(resource), parameters, path })
    }

    /// Refuses a `timeout` that is no span of time, as upstream does for every request but a watch. No answer takes as long
    /// as any that is one.
    pub(crate) fn check_timeout(&self) -> Result<()> {
        let timeout = self.parameters.first("timeout").filter(|_| self.verb != "watch");
        match timeout {
            Some(value) if !value.is_empty() && trimtab_cel::parse_duration(value).is_none() => {
                Err(Status::bad_request(format!(
                    "invalid timeout specified in the request URL - time: invalid duration {value:?}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Whether the method reads.
    pub(crate) fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(method: &str, uri: &str) -> RequestInfo {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        RequestInfo::of(&method, &uri.parse().expect("a URL")).expect("well formed")
    }

    fn read(method: &str, uri: &str) -> String {
        let RequestInfo { path, verb, resource, .. } = info(method, uri);
        match resource {
            None => format!("{verb} {path}"),
            Some(ResourceInfo { group, plural, subresource, namespace, name, .. }) => {
                format!("{verb} {group}|{plural}|{subresource}|{namespace}|{name}")
            }
        }
    }

    #[test]
    fn a_path_and_a_method_become_a_verb_and_a_resource() {
        for (method, uri, expected) in [
            ("GET", "/version", "get /version"),
            ("GET", "/apis/apps/v1", "get /apis/apps/v1"),
            ("GET", "/api/v1/pods", "list |pods|||"),
            ("GET", "/api/v1/namespaces/shop/pods?watch=1", "watch |pods||shop|"),
            ("GET", "/api/v1/watch/namespaces/shop/pods", "watch |pods||shop|"),
            ("GET", "/api/v1/watch/namespaces/shop/pods/web", "watch |pods||shop|web"),
            ("GET", "/api/v1/namespaces/shop", "get |namespaces||shop|shop"),
            ("PUT", "/api/v1/namespaces/shop/finalize", "update |namespaces|finalize|shop|shop"),
            (
                "DELETE",
                "/apis/apps/v1/namespaces/shop/deployments",
                "deletecollection apps|deployments||shop|",
            ),
            ("GET", "/apis/nope.io/v1/things", "list nope.io|things|||"),
            ("GET", "/api/v1/namespaces/shop%2Fpods", "list |pods||shop|"),
            ("GET", "/%61pi/v1/pods/", "list |pods|||"),
        ] {
            assert_eq!(read(method, uri), expected, "{method} {uri}");
        }
        let scale = read("PATCH", "/apis/apps/v1/namespaces/shop/deployments/web/scale");
        assert_eq!(scale, "patch apps|deployments|scale|shop|web");
    }

    #[test]
    fn a_named_object_is_got_whatever_the_parameters_say() {
        assert_eq!(read("GET", "/api/v1/namespaces/shop/pods/web?watch=1"), "get |pods||shop|web");
        assert_eq!(
            read("GET", "/api/v1/namespaces/shop/pods/web/status?watch=1"),
            "get |pods|status|shop|web"
        );
    }

    #[test]
    fn only_the_field_selector_that_selects_supplies_a_name_and_never_for_a_deletion() {
        let name = |method: &str, query: &str| {
            info(method, &format!("/api/v1/secrets?{query}")).resource.expect("objects").name
        };
        assert_eq!(name("GET", "fieldSelector=metadata.name%3Dmine"), "mine");
        assert_eq!(name("GET", "fieldSelector=type%3Da,metadata.name%3D%3Dmine&watch=1"), "mine");
        for trick in [
            "fieldSelector=&fieldSelector=metadata.name%3Dmine",
            "field%53elector=&fieldSelector=metadata.name%3Dmine",
            "fieldSelector=type!%3Da%5C,metadata.name%3Dmine",
            "fieldSelector=metadata.name!%3Dmine",
            "fieldSelector=metadata.name%3Dmine%3Dtoo",
            "fieldSelector=metadata.name%3Da/b",
            "fieldSelector=metadata.name%3Dmine&limit=many",
            "fieldSelector=metadata.name%3Dmine&labelSelector=%28",
        ] {
            assert_eq!(name("GET", trick), "", "{trick}");
        }
        assert_eq!(name("DELETE", "fieldSelector=metadata.name%3Dmine"), "");
    }

    #[test]
    fn a_malformed_escape_is_refused() {
        let refused = RequestInfo::of(&Method::GET, &Uri::from_static("/api/v1/pods/%zz"));
        assert_eq!(refused.map_err(|status| status.code().as_u16()), Err(400));
    }
}
