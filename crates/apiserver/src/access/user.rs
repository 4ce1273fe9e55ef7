//! [`User`]: who a request is made by.

use std::collections::BTreeMap;

use http::HeaderMap;
use serde_json::{Value, json};

use crate::http::status::{Result, Status};

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
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) groups: Vec<String>,
    pub(super) extra: BTreeMap<String, Vec<String>>,
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

    pub(super) fn is_master(&self) -> bool {
        self.groups.iter().any(|group| group == MASTERS)
    }

    /// The namespace and the name of the service account that this is.
    pub(super) fn account(&self) -> Option<(&str, &str)> {
        self.name.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')
    }

    fn bare(name: String) -> Self {
        Self { name, uid: String::new(), groups: Vec::new(), extra: BTreeMap::new() }
    }

    /// Adds the groups that follow from the name.
    pub(super) fn completed(mut self) -> Self {
        let mut more = Vec::new();
        if let (Some((namespace, _)), true) = (self.account(), self.groups.is_empty()) {
            more = vec!["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
        }
        more.push(if self.name == ANONYMOUS { UNAUTHENTICATED } else { AUTHENTICATED }.to_owned());
        more.retain(|group| !self.groups.contains(group));
        self.groups.extend(more);
        self
    }

    /// A `UserInfo`, as reviews show it.
    pub(super) fn to_json(&self) -> Value {
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
pub(super) fn impersonated(headers: &HeaderMap) -> Result<Option<User>> {
    let texts = |name: &str| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok().map(str::to_owned)).collect()
    };
    let [name, uid] = ["impersonate-user", "impersonate-uid"].map(|header| texts(header).pop());
    let mut user = User { groups: texts("impersonate-group"), ..User::bare(name.unwrap_or_default()) };
    user.uid = uid.unwrap_or_default();
    for (header, value) in headers {
        if let (Some(key), Ok(value)) = (header.as_str().strip_prefix("impersonate-extra-"), value.to_str()) {
            user.extra.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }
    if !user.name.is_empty() {
        return Ok(Some(user));
    }
    if user == User::bare(String::new()) {
        return Ok(None);
    }
    Err(Status::bad_request(
        "requested an impersonation of groups, a UID or extra without impersonating a user name",
    ))
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
    }
}
