//! [`Roles`]: the roles in a YAML file.

use serde::Deserialize;

use super::Permission;

/// The reason why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// The text is not YAML, or a role in it has a field of another type.
    #[error("the manifest cannot be read: {0}")]
    Invalid(String),
    /// The text has no role.
    #[error("the manifest has neither a Role nor a ClusterRole")]
    NoRole,
}

/// The roles of a manifest.
#[derive(Debug)]
pub(crate) struct Roles(pub(crate) Vec<Role>);

#[derive(Debug)]
pub(crate) struct Role {
    /// `ClusterRole web` or `Role web in shop`.
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    pub(crate) rules: Vec<Rule>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rule {
    pub(crate) api_groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    pub(crate) resource_names: Vec<String>,
    pub(crate) verbs: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Document {
    kind: String,
    metadata: Metadata,
    rules: Option<Vec<Rule>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: Option<String>,
}

impl Roles {
    pub(crate) fn read(manifest: &str) -> Result<Self, ManifestError> {
        let documents = serde_saphyr::from_multiple::<Option<Document>>(manifest);
        let documents = documents.map_err(|error| ManifestError::Invalid(error.to_string()))?;
        let roles: Vec<_> = documents.into_iter().flatten().filter_map(role).collect();
        if roles.is_empty() { Err(ManifestError::NoRole) } else { Ok(Self(roles)) }
    }
}

fn role(Document { kind, metadata, rules }: Document) -> Option<Role> {
    let Metadata { name, namespace } = metadata;
    let (name, namespace) = match &*kind {
        "ClusterRole" => (format!("ClusterRole {name}"), None),
        "Role" => {
            let namespace = namespace.unwrap_or_else(|| "default".to_owned());
            (format!("Role {name} in {namespace}"), Some(namespace))
        }
        _ => return None,
    };
    Some(Role { name, namespace, rules: rules.unwrap_or_default() })
}

impl Role {
    /// Returns whether the role applies to a namespace of a permission.
    pub(crate) fn applies_to(&self, permission: &Permission) -> bool {
        self.namespace.is_none() || self.namespace == permission.namespace
    }
}

impl Rule {
    pub(crate) fn grants(&self, permission: &Permission) -> bool {
        let has = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
        let names = &self.resource_names;
        has(&self.api_groups, &permission.group)
            && self.resources.iter().any(|resource| is_resource(resource, &permission.resource))
            && has(&self.verbs, permission.verb)
            && (names.is_empty() || permission.name.as_ref().is_some_and(|name| names.contains(name)))
    }
}

/// Returns whether a resource of a rule is `wanted`. `*/scale` is the subresource of every kind.
pub(crate) fn is_resource(rule: &str, wanted: &str) -> bool {
    rule == "*"
        || rule == wanted
        || match (rule.strip_prefix("*/"), wanted.split_once('/')) {
            (Some(subresource), Some((_, wanted))) => subresource == wanted,
            _ => false,
        }
}
