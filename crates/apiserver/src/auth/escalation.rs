//! Escalation: nobody grants rights by a role or a binding that they do not have themselves, unless `escalate` or `bind`
//! allows it.

use std::{borrow::Cow, collections::BTreeSet, sync::Arc};

use serde_json::Value;

use super::{
    Caller,
    attributes::{Attributes, Target},
    policy::Policy,
    rules::{self, GROUP, Rule},
};
use crate::{
    api::{
        object::{self, MANAGED_FIELDS},
        status::{Result, Status},
    },
    registry::{Kind, strategy::Grants},
};

/// Refuses a role or a binding that grants more than its writer has: 403. Objects of other groups pass.
///
/// `old` is the object before an update.
pub(crate) fn check(caller: &Caller<'_>, new: &Value, old: Option<&Value>) -> Result<()> {
    let kind = &*caller.route.kind;
    let is_free =
        !caller.access.enforced || caller.user.is_master() || kind.strategy.grants == Grants::Nothing;
    if is_free
        || caller.route.subresource.is_some()
        || old.is_some_and(|old| differ_for_garbage_alone(old, new))
    {
        return Ok(());
    }
    let writer = Writer { caller, kind, policy: caller.access.policy(caller.context) };
    match kind.strategy.grants {
        Grants::Nothing => Ok(()),
        Grants::Rules | Grants::AggregatedRules => writer.check_role(new, old),
        Grants::Role => writer.check_binding(new),
    }
}

/// Returns whether nothing changes but what the garbage collector has to change.
pub(super) fn differ_for_garbage_alone(old: &Value, new: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        for field in ["finalizers", "ownerReferences", MANAGED_FIELDS] {
            object::metadata_mut(&mut object).remove(field);
        }
        object
    };
    rest(old) == rest(new)
}

/// The writer of a role or a binding.
struct Writer<'a> {
    caller: &'a Caller<'a>,
    kind: &'a Kind,
    policy: Arc<Policy>,
}

impl Writer<'_> {
    fn check_role(&self, new: &Value, old: Option<&Value>) -> Result<()> {
        let route = &self.caller.route;
        if self.may("escalate", &self.kind.plural, &route.name) {
            return Ok(());
        }
        let aggregates = |role: &Value| {
            let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array();
            selectors.is_some_and(|selectors| !selectors.is_empty())
        };
        // A selector may gather any rule later on.
        if self.kind.strategy.grants == Grants::AggregatedRules
            && (aggregates(new) || old.is_some_and(aggregates))
            && !self.missing(&Rule::everything()).is_empty()
        {
            let because = "must have cluster-admin privileges to use the aggregationRule";
            return Err(self.forbidden(object::name(new), because));
        }
        self.check_rules(object::name(new), &rules::of_role(new))
    }

    fn check_binding(&self, new: &Value) -> Result<()> {
        let text = |field: &str| new["roleRef"][field].as_str().unwrap_or_default();
        let (kind, name) = (text("kind"), text("name"));
        let (plural, namespace) = match kind {
            "ClusterRole" => ("clusterroles", ""),
            "Role" => ("roles", &*self.caller.route.namespace),
            _ => return Err(Status::internal(format!("unsupported role reference kind: {kind:?}"))),
        };
        if self.may("bind", plural, name) {
            return Ok(());
        }
        // Upstream names the binding's resource here, with the role's name.
        let rules = self.policy.role(namespace, name);
        let rules = rules.ok_or_else(|| Status::not_found(self.kind, name))?;
        self.check_rules(object::name(new), rules)
    }

    /// Whether the writer may do `verb` to the role `name`.
    fn may(&self, verb: &'static str, plural: &str, name: &str) -> bool {
        let namespace = &self.caller.route.namespace;
        let target =
            Target::Resource { group: GROUP, plural, subresource: "", namespace, name: Cow::Borrowed(name) };
        self.caller.is_allowed(&Attributes { verb: verb.into(), target })
    }

    fn check_rules(&self, name: &str, granted: &[Rule]) -> Result<()> {
        let missing = self.missing(granted);
        if missing.is_empty() {
            return Ok(());
        }
        let lines: BTreeSet<String> = rules::compacted(missing).iter().map(Rule::to_string).collect();
        let groups: Vec<String> =
            self.caller.user.groups().iter().map(|group| format!("{group:?}")).collect();
        let because = format!(
            "user {:?} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
            self.caller.user.name(),
            groups.join(" "),
            lines.into_iter().collect::<Vec<_>>().join("\n")
        );
        Err(self.forbidden(name, &because))
    }

    fn forbidden(&self, name: &str, because: &str) -> Status {
        Status::forbidden_resource(GROUP, &self.kind.plural, name, because)
    }

    /// The rights of `granted` that the writer does not have, one by one.
    fn missing(&self, granted: &[Rule]) -> Vec<Rule> {
        let own: Vec<&Rule> = self.policy.rules(self.caller.user, &self.caller.route.namespace).collect();
        let single = granted.iter().flat_map(Rule::singles);
        single.filter(|single| !own.iter().any(|own| own.covers(single))).collect()
    }
}
