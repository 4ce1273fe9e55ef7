//! [`Policy`]: what RBAC's objects say together.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{
    User,
    attributes::{Attributes, Target},
    rules::{self, GROUP, Rule},
};
use crate::{
    api::{object, selector::LabelSelector},
    store::Store,
};

/// All roles and bindings at one moment.
#[derive(Debug, Default)]
pub(crate) struct Policy {
    /// By namespace (empty for `ClusterRole`s) and name.
    roles: HashMap<(String, String), Vec<Rule>>,
    bindings: Vec<Binding>,
}

/// Who gets a role, and where.
#[derive(Debug)]
struct Binding {
    /// Empty: everywhere.
    namespace: String,
    subjects: Vec<Subject>,
    /// As in `Policy::roles`.
    role: (String, String),
}

#[derive(Debug, PartialEq, Eq)]
enum Subject {
    User(String),
    Group(String),
    Account { namespace: String, name: String },
}

impl Policy {
    /// Reads all objects of the group.
    pub(crate) fn read(store: &Store) -> Self {
        let objects = |plural: &str| -> Vec<_> {
            let page = store.list(&format!("{plural}.{GROUP}"), "", None, None, usize::MAX, |_| true);
            page.map_or_else(|_| Vec::new(), |page| page.items.iter().map(|stored| stored.value()).collect())
        };
        let [cluster, local] = ["clusterroles", "roles"].map(objects);
        let bindings = ["clusterrolebindings", "rolebindings"].map(objects);
        Self::of(
            cluster.iter().chain(&local).map(|role| &**role),
            bindings.iter().flatten().map(|binding| &**binding),
        )
    }

    /// Builds the policy of these roles and bindings.
    fn of<'a>(roles: impl Iterator<Item = &'a Value>, bindings: impl Iterator<Item = &'a Value>) -> Self {
        let roles: Vec<&Value> = roles.collect();
        let named = |role: &&Value| {
            ((object::namespace(role).to_owned(), object::name(role).to_owned()), gathered(role, &roles))
        };
        Self { roles: roles.iter().map(named).collect(), bindings: bindings.map(Binding::of).collect() }
    }

    /// Whether a rule allows it.
    pub(crate) fn allows(&self, user: &User, attributes: &Attributes<'_>) -> bool {
        let namespace = match attributes.target {
            Target::Resource { namespace, .. } => namespace,
            Target::Path(_) => "",
        };
        self.rules(user, namespace).any(|rule| rule.allows(attributes))
    }

    /// The rules of a role; `namespace` is empty for a `ClusterRole`.
    pub(crate) fn role(&self, namespace: &str, name: &str) -> Option<&[Rule]> {
        self.roles.get(&(namespace.to_owned(), name.to_owned())).map(Vec::as_slice)
    }

    /// Returns the rules for the user in `namespace`, or in the whole cluster if it is empty.
    pub(crate) fn rules(&self, user: &User, namespace: &str) -> impl Iterator<Item = &Rule> {
        let here = move |binding: &&Binding| binding.namespace.is_empty() || binding.namespace == namespace;
        let bound = self.bindings.iter().filter(here).filter(|binding| binding.binds(user));
        bound.filter_map(|binding| self.roles.get(&binding.role)).flatten()
    }
}

/// The rules of a role, of the roles that it selects, and of those that they select: upstream's controller writes
/// them into the role, one round after the other.
fn gathered<'a>(role: &'a Value, roles: &[&'a Value]) -> Vec<Rule> {
    let (mut all, mut met, mut left) = (Vec::new(), BTreeSet::from([object::name(role)]), vec![role]);
    while let Some(role) = left.pop() {
        all.extend(rules::of_role(role));
        let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array();
        let selectors: Vec<LabelSelector> =
            selectors.into_iter().flatten().filter_map(LabelSelector::from_json).collect();
        let is_chosen = |other: &Value| {
            let label = |key: &str| object::label(other, key);
            object::namespace(other).is_empty()
                && selectors.iter().any(|selector| selector.matches_labels(label))
        };
        left.extend(roles.iter().filter(|other| is_chosen(other) && met.insert(object::name(other))));
    }
    all
}

impl Binding {
    fn of(binding: &Value) -> Self {
        let namespace = object::namespace(binding).to_owned();
        let text = |pointer| binding.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let home = if text("/roleRef/kind") == "Role" { namespace.clone() } else { String::new() };
        let subjects = binding["subjects"].as_array().into_iter().flatten();
        Self {
            role: (home, text("/roleRef/name")),
            subjects: subjects.filter_map(|subject| Subject::of(subject, &namespace)).collect(),
            namespace,
        }
    }

    fn binds(&self, user: &User) -> bool {
        self.subjects.iter().any(|subject| match subject {
            Subject::User(name) => name == user.name(),
            Subject::Group(name) => user.groups().contains(name),
            Subject::Account { namespace, name } => user.account() == Some((namespace, name)),
        })
    }
}

impl Subject {
    /// A subject of a binding in `home`, where a service account is that names no namespace.
    fn of(subject: &Value, home: &str) -> Option<Self> {
        let text = |field: &str| subject[field].as_str().unwrap_or_default().to_owned();
        Some(match subject["kind"].as_str()? {
            "User" => Self::User(text("name")),
            "Group" => Self::Group(text("name")),
            "ServiceAccount" => {
                let namespace = Some(text("namespace")).filter(|namespace| !namespace.is_empty());
                Self::Account { namespace: namespace.unwrap_or_else(|| home.to_owned()), name: text("name") }
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role(namespace: &str, name: &str, verb: &str) -> Value {
        json!({
            "metadata": {"namespace": namespace, "name": name, "labels": {"verb": verb}},
            "rules": [{"verbs": [verb], "apiGroups": [""], "resources": ["pods"]}],
        })
    }

    fn binding(namespace: &str, kind: &str, role: &str, subject: &Value) -> Value {
        json!({
            "metadata": {"namespace": namespace, "name": "b"},
            "roleRef": {"kind": kind, "name": role}, "subjects": [subject],
        })
    }

    fn may(policy: &Policy, user: &User, verb: &str, namespace: &str) -> bool {
        let target =
            Target::Resource { group: "", plural: "pods", subresource: "", namespace, name: "web".into() };
        policy.allows(user, &Attributes { verb: verb.into(), target })
    }

    #[test]
    fn a_cluster_binding_holds_everywhere_and_a_binding_in_its_namespace() {
        let roles = [role("", "reader", "get"), role("shop", "writer", "create")];
        let bindings = [
            binding("", "ClusterRole", "reader", &json!({"kind": "Group", "name": "ops"})),
            binding("shop", "Role", "writer", &json!({"kind": "User", "name": "ada"})),
            binding("bank", "ClusterRole", "reader", &json!({"kind": "ServiceAccount", "name": "robot"})),
        ];
        let policy = Policy::of(roles.iter(), bindings.iter());
        let (ada, ops) = (User::new("ada"), User::new("eve").group("ops"));
        assert!(may(&policy, &ops, "get", "shop") && may(&policy, &ops, "get", ""));
        assert!(!may(&policy, &ops, "create", "shop"));
        assert!(may(&policy, &ada, "create", "shop") && !may(&policy, &ada, "create", "bank"));
        let robot = User::service_account("bank", "robot");
        assert!(may(&policy, &robot, "get", "bank") && !may(&policy, &robot, "get", "shop"));
    }

    #[test]
    fn an_aggregated_role_has_the_rules_of_those_that_it_selects() {
        let mut all = role("", "all", "none");
        all["rules"] = json!([]);
        all["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": {"verb": "get"}}]});
        let roles = [all, role("", "one", "get"), role("", "other", "delete")];
        let bindings = [binding("", "ClusterRole", "all", &json!({"kind": "User", "name": "ada"}))];
        let policy = Policy::of(roles.iter(), bindings.iter());
        let ada = User::new("ada");
        assert!(may(&policy, &ada, "get", "shop") && !may(&policy, &ada, "delete", "shop"));
    }

    /// As the built-in `admin` has what `view` may do, because it selects `edit`, which selects `view`.
    #[test]
    fn roles_are_aggregated_over_roles_that_are_aggregated_themselves() {
        let aggregating = |name: &str, labels: Value, wanted: Value| {
            json!({
                "metadata": {"name": name, "labels": labels}, "rules": null,
                "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": wanted}]},
            })
        };
        let roles = [
            aggregating("all", json!({"verb": "more"}), json!({"verb": "more"})),
            aggregating("more", json!({"verb": "more"}), json!({"verb": "get"})),
            role("", "one", "get"),
        ];
        let bindings = [binding("", "ClusterRole", "all", &json!({"kind": "User", "name": "ada"}))];
        let policy = Policy::of(roles.iter(), bindings.iter());
        assert!(may(&policy, &User::new("ada"), "get", "shop"));
    }

    #[test]
    fn a_binding_to_a_missing_role_allows_nothing() {
        let bindings = [binding("", "ClusterRole", "gone", &json!({"kind": "User", "name": "ada"}))];
        let policy = Policy::of([].iter(), bindings.iter());
        assert!(!may(&policy, &User::new("ada"), "get", "shop"));
    }
}
