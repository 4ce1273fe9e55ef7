//! [`User`]: who a request is made by.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::api::{
    names::{is_label, is_subdomain},
    parameters::unescape,
    status::{Result, Status},
};

/// The group whose members may do everything, whatever RBAC's objects say.
const MASTERS: &str = "system:masters";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const SERVICE_ACCOUNT: &str = "system:serviceaccount:";
const ANONYMOUS: &str = "system:anonymous";

/// Who a request is made by: what authentication finds out and RBAC's subjects name.
///
/// Whoever is known also belongs to the group `system:authenticated`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// A user in no group but `system:authenticated`.
    pub fn new(name: impl Into<String>) -> Self {
        Self::bare(name.into()).completed()
    }

    /// The administrator: a member of `system:masters`, who may do everything.
    pub fn admin() -> Self {
        Self::new("admin").group(MASTERS)
    }

    /// Whoever sends no token: `system:anonymous`.
    pub fn anonymous() -> Self {
        Self { groups: vec![UNAUTHENTICATED.to_owned()], ..Self::bare(ANONYMOUS.to_owned()) }
    }

    /// The service account `name` of `namespace`, in the groups that upstream puts it into.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        Self::bare(format!("{SERVICE_ACCOUNT}{namespace}:{name}")).completed()
    }

    /// The same user, in one more group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.insert(0, group.into());
        self
    }

    /// The name that RBAC's subjects name it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The groups that it belongs to.
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    pub(crate) fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }

    /// The namespace and the name of the service account that this is. A name with another colon is a user's.
    pub(crate) fn account(&self) -> Option<(&str, &str)> {
        let (namespace, name) = self.name.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
        (is_label(namespace) && is_subdomain(name)).then_some((namespace, name))
    }

    fn bare(name: String) -> Self {
        Self { name, uid: String::new(), groups: Vec::new(), extra: BTreeMap::new() }
    }

    /// Adds the groups that follow from the name.
    pub(crate) fn completed(mut self) -> Self {
        let mut more = Vec::new();
        if let (Some((namespace, _)), true) = (self.account(), self.groups.is_empty()) {
            more = vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
        }
        let is_either = |group: &String| group == AUTHENTICATED || group == UNAUTHENTICATED;
        if self.name == ANONYMOUS {
            more.push(UNAUTHENTICATED.to_owned());
        } else if !self.groups.iter().any(is_either) {
            more.push(AUTHENTICATED.to_owned());
        }
        more.retain(|group| !self.groups.contains(group));
        self.groups.extend(more);
        self
    }

    /// The user as Go writes it.
    fn in_go(&self) -> String {
        let list = |texts: &[String]| match texts {
            [] => "[]string(nil)".to_owned(),
            texts => {
                let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
                format!("[]string{{{}}}", texts.join(", "))
            }
        };
        let extra: Vec<String> =
            self.extra.iter().map(|(key, values)| format!("{key:?}:{}", list(values))).collect();
        let extra = if extra.is_empty() { "(nil)".to_owned() } else { format!("{{{}}}", extra.join(", ")) };
        let (name, uid, groups) = (&self.name, &self.uid, list(&self.groups));
        format!(
            "&user.DefaultInfo{{Name:{name:?}, UID:{uid:?}, Groups:{groups}, Extra:map[string][]string{extra}}}"
        )
    }

    /// A `UserInfo`, as reviews show it.
    pub(crate) fn to_json(&self) -> Value {
        let mut info = json!({"username": self.name, "groups": self.groups});
        if !self.uid.is_empty() {
            info["uid"] = self.uid.clone().into();
        }
        if !self.extra.is_empty() {
            info["extra"] = json!(self.extra);
        }
        info
    }
}

/// The user whom the sender of these headers wants to be, with the groups that were named, and no others.
pub(crate) fn impersonated(headers: &HeaderMap) -> Result<Option<User>> {
    let texts = |name: &str| headers.get_all(name).iter().map(text).collect::<Result<Vec<String>>>();
    let first = |name: &str| texts(name).map(|texts| texts.into_iter().next().unwrap_or_default());
    let mut user = User::bare(first("impersonate-user")?);
    user.groups = texts("impersonate-group")?;
    user.uid = first("impersonate-uid")?;
    for (header, value) in headers {
        if let Some(key) = header.as_str().strip_prefix("impersonate-extra-") {
            let key = unescape(key).unwrap_or_else(|| key.to_owned());
            user.extra.entry(key).or_default().push(text(value)?);
        }
    }
    if !user.name.is_empty() {
        return Ok(Some(user));
    }
    if user == User::bare(String::new()) {
        return Ok(None);
    }
    Err(Status::bad_request(format!("requested {} without impersonating a user name", user.in_go())))
}

/// A header's text. One that is none must not be left out: the rest would be another user.
fn text(value: &HeaderValue) -> Result<String> {
    let text = std::str::from_utf8(value.as_bytes());
    text.map(str::to_owned).map_err(|_| Status::bad_request("a header of impersonation is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        });
        pairs.collect()
    }

    #[test]
    fn a_service_account_belongs_to_its_groups() {
        let robot = User::service_account("shop", "robot");
        assert_eq!(robot.name(), "system:serviceaccount:shop:robot");
        assert_eq!(
            robot.groups(),
            ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"]
        );
        assert_eq!(robot.account(), Some(("shop", "robot")));
        assert_eq!(User::new("ada").account(), None);
        for name in ["a:b:c", "a:", ":b", "a", "A:b"] {
            assert_eq!(User::new(format!("{SERVICE_ACCOUNT}{name}")).account(), None, "{name} is a user's");
        }
    }

    #[test]
    fn impersonation_is_read_from_headers_and_needs_a_name() {
        assert_eq!(impersonated(&HeaderMap::new()), Ok(None));
        let ada = headers(&[("impersonate-user", "ada"), ("impersonate-group", "ops")]);
        let ada = impersonated(&ada).expect("complete").expect("somebody").completed();
        assert_eq!((ada.name(), ada.groups()), ("ada", &["ops".to_owned(), AUTHENTICATED.to_owned()][..]));
        let nameless =
            impersonated(&headers(&[("impersonate-group", "ops")])).expect_err("a name is missing");
        assert_eq!(nameless.code(), 400);
        let message = nameless.to_json()["message"].as_str().map(str::to_owned);
        let expected = r#"requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"ops"}, Extra:map[string][]string(nil)} without impersonating a user name"#;
        assert_eq!(message.as_deref(), Some(expected));
    }

    #[test]
    fn no_header_of_impersonation_is_left_out() {
        let mut headers =
            headers(&[("impersonate-user", "ada"), ("impersonate-extra-example.com%2fscopes", "view")]);
        let ada = impersonated(&headers).expect("complete").expect("somebody");
        assert_eq!(ada.extra["example.com/scopes"], ["view"]);
        headers.insert("impersonate-group", HeaderValue::from_bytes("größe".as_bytes()).expect("a value"));
        let ada = impersonated(&headers).expect("complete").expect("somebody");
        assert_eq!(ada.groups, ["größe"]);
        headers.insert("impersonate-group", HeaderValue::from_bytes(b"gr\xf6\xdfe").expect("a value"));
        let refused = impersonated(&headers).expect_err("the group is no text");
        assert_eq!(refused.code(), 400);
    }
}
