//! The rules that the kinds of the group share.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    api::status::Cause,
    registry::{
        Column, MetadataCheck, Strategy, cells, column,
        defaults::{self, Fields},
        strategy::{Grants, NameRule},
        validation,
    },
};

/// The rules that all kinds of the group share.
pub(super) const BASE: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Whole, MetadataCheck::Change],
    name: NameRule::PathSegment,
    creates_on_update: true,
    // A writer needs the rights that a role grants, which are beside the metadata.
    reads_beyond_metadata: true,
    ..Strategy::PLAIN
};

/// The rules that bindings share.
pub(super) const BINDING: Strategy = Strategy {
    set_defaults: |binding| set_binding_defaults(defaults::whole(binding)),
    validate_change: validate_role,
    grants: Grants::Role,
    ..BASE
};

/// Sets the group of subjects that name none: RBAC's for users and groups, the core group for service accounts.
pub(super) fn set_binding_defaults(binding: &mut Fields) {
    for subject in defaults::items(binding, "subjects") {
        if subject.get("kind").is_some_and(|kind| kind != "ServiceAccount") {
            if subject.get("apiGroup").is_some_and(|group| group == "") {
                subject.remove("apiGroup");
            }
            defaults::fill(subject, [("apiGroup", json!("rbac.authorization.k8s.io"))]);
        }
    }
    if let Some(role) = defaults::object(binding, "roleRef") {
        if role.get("apiGroup").is_some_and(|group| group == "") {
            role.remove("apiGroup");
        }
        defaults::fill(role, [("apiGroup", json!("rbac.authorization.k8s.io"))]);
    }
}

/// Validates a binding of a role of one of the `kinds`.
pub(super) fn validate_binding(binding: &Value, kinds: &[&str], causes: &mut Vec<Cause>) {
    validation::rbac::binding(binding, kinds.contains(&"Role"), causes);
}

/// Validates that the role of a binding does not change.
pub(super) fn validate_role(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if old["roleRef"] != new["roleRef"] {
        let part = |field| validation::text(&new["roleRef"], field);
        // Upstream shows its Go struct, in its order.
        let shown = format!(
            "{{\"APIGroup\":{:?},\"Kind\":{:?},\"Name\":{:?}}}",
            part("apiGroup"),
            part("kind"),
            part("name")
        );
        causes.push(Cause::invalid_json("roleRef", &shown, "cannot change roleRef"));
    }
}

pub(super) fn binding_columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![column::computed("Role", role_reference)]);
    columns.extend([
        column::computed("Users", bound_users).wide(),
        column::computed("Groups", bound_groups).wide(),
        column::computed("ServiceAccounts", bound_accounts).wide(),
    ]);
    columns
}

/// The role that a binding gives.
pub(super) fn role_reference(binding: &Value, _: Timestamp) -> Value {
    format!("{}/{}", cells::text(binding, "/roleRef/kind"), cells::text(binding, "/roleRef/name")).into()
}

pub(super) fn subjects<'a>(binding: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    cells::array(binding, "/subjects").iter().filter(move |subject| subject["kind"] == kind)
}

pub(super) fn bound_users(binding: &Value, _: Timestamp) -> Value {
    cells::joined(subjects(binding, "User").map(|user| cells::text(user, "/name")), ", ").into()
}

pub(super) fn bound_groups(binding: &Value, _: Timestamp) -> Value {
    cells::joined(subjects(binding, "Group").map(|group| cells::text(group, "/name")), ", ").into()
}

pub(super) fn bound_accounts(binding: &Value, _: Timestamp) -> Value {
    let accounts = subjects(binding, "ServiceAccount");
    let accounts = accounts
        .map(|account| format!("{}/{}", cells::text(account, "/namespace"), cells::text(account, "/name")));
    accounts.collect::<Vec<_>>().join(", ").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn subjects_are_listed_by_their_kind() {
        let binding = json!({"subjects": [
            {"kind": "User", "name": "ann"}, {"kind": "Group", "name": "ops"}, {"kind": "User", "name": "bob"},
            {"kind": "ServiceAccount", "namespace": "team", "name": "bot"},
        ]});
        let cells = [bound_users, bound_groups, bound_accounts].map(|cell| cell(&binding, NOW));
        assert_eq!(cells, ["ann, bob", "ops", "team/bot"]);
    }
}
