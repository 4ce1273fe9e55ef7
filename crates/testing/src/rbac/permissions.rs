//! [`Permissions`]: the permissions that requests needed, and the smallest roles that grant them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
};

use trimtab_apiserver::{Exchange, Verb};

use super::{
    manifest::{ManifestError, Roles},
    report::RbacReport,
};

/// The group of Leases, whose names a program knows beforehand.
const LEASES: (&str, &str) = ("coordination.k8s.io", "leases");

/// The permission for one verb on one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Permission {
    /// The namespace; `None` for all namespaces and for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural name, with the subresource if there is one, such as `websites/status`.
    pub resource: String,
    /// The name of the object, if the permission is restricted to it.
    pub name: Option<String>,
    /// The verb of RBAC, such as `patch`.
    pub verb: &'static str,
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, " of {}", self.group)?;
        }
        if let Some(name) = &self.name {
            write!(f, " called {name}")?;
        }
        match &self.namespace {
            Some(namespace) => write!(f, " in {namespace}"),
            None => f.write_str(" in the cluster"),
        }
    }
}

/// The permissions that requests needed.
///
/// Requests for discovery and health need none. A streaming list, which takes `watch`, counts as a list, too: an informer
/// falls back to lists. The log does not show permissions that only admission plug-ins ask for, such
/// as `update` on `…/finalizers` for owner references that block a deletion.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// Collects the permissions that these requests needed, whether they were granted or not.
    pub fn of<'a>(requests: impl IntoIterator<Item = &'a Exchange>) -> Self {
        Self(requests.into_iter().flat_map(needed).collect())
    }

    /// Returns the permissions.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    /// Replaces the permissions in single namespaces by permissions in all, for a controller that works in every
    /// namespace; those for Leases stay.
    #[must_use]
    pub fn in_every_namespace(self) -> Self {
        let everywhere = |permission: Permission| match is_lease(&permission) {
            true => permission,
            false => Permission { namespace: None, ..permission },
        };
        Self(self.0.into_iter().map(everywhere).collect())
    }

    /// Writes the smallest `ClusterRole` and `Role`s with these permissions as YAML. They are called `name`.
    pub fn manifest(&self, name: &str) -> String {
        let mut roles: BTreeMap<Option<&str>, BTreeSet<&Permission>> = BTreeMap::new();
        for permission in &self.0 {
            // A permission in the cluster includes that in a namespace.
            let wider = Permission { namespace: None, ..permission.clone() };
            if permission.namespace.is_none() || !self.0.contains(&wider) {
                roles.entry(permission.namespace.as_deref()).or_default().insert(permission);
            }
        }
        let documents: Vec<_> =
            roles.into_iter().map(|(namespace, permissions)| role(name, namespace, &permissions)).collect();
        documents.join("---\n")
    }

    /// Compares the permissions with the roles in `manifest`, a YAML file with any documents.
    ///
    /// Each `ClusterRole` counts as bound in the cluster, and each `Role` in its namespace.
    ///
    /// # Errors
    ///
    /// The file is not YAML, or has no role.
    pub fn check(&self, manifest: &str) -> Result<RbacReport, ManifestError> {
        Ok(RbacReport::new(&self.0, &Roles::read(manifest)?))
    }

    /// Asserts that the roles in `manifest` grant these permissions and no others.
    ///
    /// # Panics
    ///
    /// If a permission is missing, if one is granted in vain, or if the manifest cannot be read. The message has the
    /// smallest roles.
    #[track_caller]
    pub fn assert_fits(&self, manifest: &str) {
        match self.check(manifest) {
            Ok(report) => {
                assert!(report.is_exact(), "{report}\nthe smallest roles are:\n{}", self.manifest("NAME"));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Returns the permissions that a request needed.
fn needed(exchange: &Exchange) -> impl Iterator<Item = Permission> + use<> {
    let plural = exchange.resource.split('.').next().unwrap_or_default();
    let resource = match exchange.subresource.is_empty() {
        true => plural.to_owned(),
        false => format!("{plural}/{}", exchange.subresource),
    };
    let base = Permission {
        namespace: (!exchange.namespace.is_empty()).then(|| exchange.namespace.clone()),
        group: exchange.group.clone(),
        resource,
        name: None,
        verb: exchange.verb.word(),
    };
    // An object that an apply or an update creates needs the verb create, too.
    let writes = matches!(exchange.verb, Verb::Patch | Verb::Update);
    let creates = (writes && exchange.code == Some(201))
        .then(|| Permission { verb: Verb::Create.word(), ..base.clone() });
    // An informer whose streaming list is refused, or ends with 410, falls back to a list.
    let lists = (exchange.verb == Verb::Watch && exchange.query.contains("sendInitialEvents=true"))
        .then(|| Permission { verb: Verb::List.word(), ..base.clone() });
    let is_named = is_lease(&base) && !exchange.name.is_empty();
    let name = is_named.then(|| exchange.name.clone());
    [Some(Permission { name, ..base }), creates, lists].into_iter().flatten()
}

fn is_lease(permission: &Permission) -> bool {
    (&*permission.group, &*permission.resource) == LEASES
}

/// Writes one role.
fn role(name: &str, namespace: Option<&str>, permissions: &BTreeSet<&Permission>) -> String {
    let mut verbs: BTreeMap<(&str, Option<&str>, &str), BTreeSet<&str>> = BTreeMap::new();
    for one in permissions {
        verbs.entry((&one.group, one.name.as_deref(), &one.resource)).or_default().insert(one.verb);
    }
    // Resources of a group with the same verbs share a rule.
    let mut rules: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for ((group, object, resource), verbs) in verbs {
        rules.entry((group, object, in_order(&verbs))).or_default().push(resource);
    }
    let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
    let mut yaml = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata:\n  name: {}\n",
        text(name)
    );
    if let Some(namespace) = namespace {
        _ = writeln!(yaml, "  namespace: {}", text(namespace));
    }
    yaml.push_str("rules:\n");
    for ((group, object, verbs), resources) in rules {
        _ = writeln!(yaml, "  - apiGroups: {}", list(&[group]));
        _ = writeln!(yaml, "    resources: {}", list(&resources));
        if let Some(object) = object {
            _ = writeln!(yaml, "    resourceNames: {}", list(&[object]));
        }
        _ = writeln!(yaml, "    verbs: {}", list(&verbs));
    }
    yaml
}

/// Sorts verbs as people write them: reads first.
fn in_order<'a>(verbs: &BTreeSet<&'a str>) -> Vec<&'a str> {
    const ORDER: [&str; 8] =
        ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
    let mut verbs: Vec<_> = verbs.iter().copied().collect();
    verbs.sort_by_key(|verb| ORDER.iter().position(|known| known == verb));
    verbs
}

/// Writes a list of strings in YAML's flow form.
fn list(items: &[&str]) -> String {
    let items: Vec<_> = items.iter().map(|item| text(item)).collect();
    format!("[{}]", items.join(", "))
}

/// Writes a string as JSON, which is YAML.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
