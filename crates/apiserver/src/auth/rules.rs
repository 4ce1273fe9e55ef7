//! [`Rule`]: what a role allows.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use super::attributes::{Attributes, Target};

/// The group of the objects that decide.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// The rules that a role has itself.
pub(crate) fn of_role(role: &Value) -> Vec<Rule> {
    role["rules"].as_array().into_iter().flatten().map(Rule::of).collect()
}

/// One rule of a role: upstream's `PolicyRule`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    verbs: Vec<String>,
    groups: Vec<String>,
    resources: Vec<String>,
    names: Vec<String>,
    paths: Vec<String>,
}

impl Rule {
    /// The rule as a role's JSON holds it.
    pub(crate) fn of(rule: &Value) -> Self {
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
    pub(crate) fn everything() -> [Self; 2] {
        let star = || vec!["*".to_owned()];
        [
            Self { verbs: star(), groups: star(), resources: star(), ..Self::default() },
            Self { verbs: star(), paths: star(), ..Self::default() },
        ]
    }

    /// Whether it allows this.
    pub(crate) fn allows(&self, attributes: &Attributes<'_>) -> bool {
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
    pub(crate) fn is_about_resources(&self) -> bool {
        !self.resources.is_empty()
    }

    /// The same rights as rules of one verb, one resource, one name and one path.
    pub(crate) fn singles(&self) -> Vec<Self> {
        let mut singles = Vec::new();
        let one = |text: &String| vec![text.clone()];
        let names: Vec<Vec<String>> =
            if self.names.is_empty() { vec![Vec::new()] } else { self.names.iter().map(one).collect() };
        for verb in &self.verbs {
            for (group, resource) in self
                .groups
                .iter()
                .flat_map(|group| self.resources.iter().map(move |resource| (group, resource)))
            {
                singles.extend(names.iter().map(|names| Self {
                    verbs: one(verb),
                    groups: one(group),
                    resources: one(resource),
                    names: names.clone(),
                    ..Self::default()
                }));
            }
            singles.extend(self.paths.iter().map(|path| Self {
                verbs: one(verb),
                paths: one(path),
                ..Self::default()
            }));
        }
        singles
    }

    /// Whether it grants all that `single` grants, which has one of everything at most.
    pub(crate) fn covers(&self, single: &Self) -> bool {
        let has = |own: &[String], wanted: &[String]| {
            own.iter().any(|one| one == "*") || wanted.iter().all(|wanted| own.contains(wanted))
        };
        let covers_resource = |wanted: &String| {
            let star = wanted.split_once('/').map(|(_, sub)| format!("*/{sub}"));
            self.resources.iter().any(|own| own == "*" || own == wanted || Some(own) == star.as_ref())
        };
        let covers_path = |wanted: &String| self.paths.iter().any(|own| is_below(own, wanted));
        let names_fit = self.names.is_empty()
            || !single.names.is_empty() && single.names.iter().all(|name| self.names.contains(name));
        has(&self.verbs, &single.verbs)
            && has(&self.groups, &single.groups)
            && single.resources.iter().all(covers_resource)
            && names_fit
            && single.paths.iter().all(covers_path)
    }

    /// The rule as `SelfSubjectRulesReview` shows it.
    pub(crate) fn to_json(&self) -> Value {
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

impl fmt::Display for Rule {
    /// As upstream writes a missing right: `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.paths),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let quoted =
            |list: &[String]| list.iter().map(|one| format!("{one:?}")).collect::<Vec<_>>().join(" ");
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let parts: Vec<String> = lists.map(|(name, list)| format!("{name}:[{}]", quoted(list))).collect();
        write!(f, "{{{}}}", parts.join(", "))
    }
}

/// The same rules, those that differ in their verbs alone made one.
pub(crate) fn compacted(singles: Vec<Rule>) -> Vec<Rule> {
    let mut rest = Vec::new();
    let mut merged: BTreeMap<[Vec<String>; 3], Rule> = BTreeMap::new();
    for rule in singles {
        if !rule.paths.is_empty() {
            rest.push(rule);
            continue;
        }
        let key = [rule.groups.clone(), rule.resources.clone(), rule.names.clone()];
        let into = merged.entry(key).or_insert_with(|| Rule { verbs: Vec::new(), ..rule.clone() });
        into.verbs
            .extend(rule.verbs.into_iter().filter(|verb| !into.verbs.contains(verb)).collect::<Vec<_>>());
    }
    rest.extend(merged.into_values());
    rest
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
    fn a_rule_covers_what_it_names_and_what_its_stars_mean() {
        let rule = |verbs: &[&str], groups: &[&str], resources: &[&str], names: &[&str]| {
            let rule = json!({
                "verbs": verbs, "apiGroups": groups, "resources": resources, "resourceNames": names,
            });
            Rule::of(&rule)
        };
        let covers = |own: &Rule, wanted: &Rule| wanted.singles().iter().all(|single| own.covers(single));
        let own = rule(&["get", "list"], &[""], &["pods", "*/status"], &[]);
        assert!(covers(&own, &rule(&["get"], &[""], &["pods", "nodes/status"], &[])));
        assert!(covers(&own, &rule(&["get"], &[""], &["pods"], &["web"])), "a name is less than all");
        assert!(!covers(&own, &rule(&["get", "watch"], &[""], &["pods"], &[])), "another verb");
        assert!(!covers(&own, &rule(&["*"], &[""], &["pods"], &[])), "every verb");
        assert!(!covers(&own, &rule(&["get"], &["*"], &["pods"], &[])), "every group");
        assert!(!covers(&own, &rule(&["get"], &[""], &["pods/log"], &[])), "another subresource");
        let named = rule(&["get"], &[""], &["secrets"], &["mine"]);
        assert!(covers(&named, &named) && !covers(&named, &rule(&["get"], &[""], &["secrets"], &[])));
        let path = |path: &str| Rule::of(&json!({"verbs": ["get"], "nonResourceURLs": [path]}));
        assert!(covers(&path("/apis/*"), &path("/apis/apps")) && !covers(&path("/apis"), &path("/apis/*")));
    }

    #[test]
    fn missing_rights_are_written_as_upstream_writes_them() {
        let rule = json!({
            "verbs": ["get", "list"], "apiGroups": ["apps", ""], "resources": ["pods"], "resourceNames": ["a"],
        });
        let lines: Vec<String> = compacted(Rule::of(&rule).singles()).iter().map(Rule::to_string).collect();
        assert_eq!(
            lines,
            [
                r#"{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}"#,
                r#"{APIGroups:["apps"], Resources:["pods"], ResourceNames:["a"], Verbs:["get" "list"]}"#,
            ]
        );
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
