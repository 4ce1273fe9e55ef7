//! [`Rule`]: what a role allows.

use serde_json::{Value, json};

use super::attributes::{Attributes, Target};

/// One rule of a role: upstream's `PolicyRule`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rule {
    verbs: Vec<String>,
    groups: Vec<String>,
    resources: Vec<String>,
    names: Vec<String>,
    paths: Vec<String>,
}

impl Rule {
    /// The rule as a role's JSON holds it.
    pub(super) fn of(rule: &Value) -> Self {
        let texts = |field: &str| -> Vec<String> {
            let list = rule[field].as_array().into_iter().flatten();
            list.filter_map(|value| value.as_str().map(str::to_owned)).collect()
        };
        Self {
            verbs: texts("verbs"),
            groups: texts("apiGroups"),
            resources: texts("resources"),
            names: texts("resourceNames"),
            paths: texts("nonResourceURLs"),
        }
    }

    /// A rule that allows everything: what `system:masters` may do.
    pub(super) fn everything() -> [Self; 2] {
        let star = || vec!["*".to_owned()];
        [
            Self { verbs: star(), groups: star(), resources: star(), ..Self::default() },
            Self { verbs: star(), paths: star(), ..Self::default() },
        ]
    }

    /// Whether it allows this.
    pub(super) fn allows(&self, attributes: &Attributes<'_>) -> bool {
        let holds = |list: &[String], wanted: &str| list.iter().any(|one| one == "*" || one == wanted);
        if !holds(&self.verbs, &attributes.verb) {
            return false;
        }
        match &attributes.target {
            Target::Path(path) => self.paths.iter().any(|allowed| is_below(allowed, path)),
            Target::Resource { group, plural, subresource, name, .. } => {
                holds(&self.groups, group)
                    && self.resources.iter().any(|allowed| is_resource(allowed, plural, subresource))
                    && (self.names.is_empty() || self.names.iter().any(|allowed| allowed == name))
            }
        }
    }

    /// Whether it is about objects, and not about other paths.
    pub(super) fn is_about_resources(&self) -> bool {
        !self.resources.is_empty()
    }

    /// The rule as `SelfSubjectRulesReview` shows it.
    pub(super) fn to_json(&self) -> Value {
        if !self.is_about_resources() {
            return json!({"verbs": self.verbs, "nonResourceURLs": self.paths});
        }
        let mut rule = json!({"verbs": self.verbs, "apiGroups": self.groups, "resources": self.resources});
        if !self.names.is_empty() {
            rule["resourceNames"] = json!(self.names);
        }
        rule
    }
}

/// `*`, `pods`, `pods/status` or `*/status`.
fn is_resource(allowed: &str, plural: &str, subresource: &str) -> bool {
    match allowed.split_once('/') {
        None => allowed == "*" || (allowed == plural && subresource.is_empty()),
        Some((of, sub)) => (of == "*" || of == plural) && !subresource.is_empty() && sub == subresource,
    }
}

/// `/version`, or `/apis/*` for all that begins alike.
fn is_below(allowed: &str, path: &str) -> bool {
    match allowed.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => allowed == path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on<'a>(verb: &'a str, group: &'a str, resource: &'a str, name: &'a str) -> Attributes<'a> {
        let (plural, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let target = Target::Resource { group, plural, subresource, namespace: "shop", name: name.into() };
        Attributes { verb: verb.into(), target }
    }

    #[test]
    fn a_rule_allows_its_verbs_on_its_resources() {
        let rule =
            Rule::of(&json!({"verbs": ["get", "list"], "apiGroups": ["apps"], "resources": ["deployments"]}));
        assert!(rule.allows(&on("get", "apps", "deployments", "web")));
        assert!(!rule.allows(&on("delete", "apps", "deployments", "web")), "another verb");
        assert!(!rule.allows(&on("get", "", "deployments", "web")), "another group");
        assert!(
            !rule.allows(&on("get", "apps", "deployments/scale", "web")),
            "a subresource is not included"
        );
    }

    #[test]
    fn stars_and_subresources_are_patterns() {
        let allows = |resource: &str, wanted: &str| {
            Rule::of(&json!({"verbs": ["*"], "apiGroups": ["*"], "resources": [resource]}))
                .allows(&on("patch", "batch", wanted, "x"))
        };
        assert!(allows("*", "jobs/status") && allows("*/status", "jobs/status"));
        assert!(allows("jobs/status", "jobs/status") && !allows("jobs/status", "jobs"));
        assert!(!allows("*/status", "jobs") && !allows("*/status", "jobs/scale"));
    }

    #[test]
    fn named_objects_and_paths_are_told_apart() {
        let one = Rule::of(
            &json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["mine"]}),
        );
        assert!(one.allows(&on("get", "", "secrets", "mine")) && !one.allows(&on("get", "", "secrets", "")));
        let path = |path| Attributes { verb: "get".into(), target: Target::Path(path) };
        let paths = Rule::of(&json!({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/apis/*"]}));
        assert!(paths.allows(&path("/healthz")) && paths.allows(&path("/apis/apps")));
        assert!(!paths.allows(&path("/metrics")) && !paths.allows(&on("get", "", "pods", "")));
    }
}
