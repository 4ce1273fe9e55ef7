//! The columns of what steers the server: admission, extension, flow control and access.

use super::{Cell, Column, cells, computed, number, text, with_age};

pub(in crate::registry) fn mutating_admission_policy() -> Vec<Column> {
    with_age(vec![
        Column::new("Mutations", "integer", Cell::Computed(cells::mutations)),
        computed("ParamKind", cells::param_kind),
    ])
}

pub(in crate::registry) fn validating_admission_policy() -> Vec<Column> {
    with_age(vec![
        Column::new("Validations", "integer", Cell::Computed(cells::validations)),
        computed("ParamKind", cells::param_kind),
    ])
}

pub(in crate::registry) fn admission_policy_binding() -> Vec<Column> {
    with_age(vec![text("PolicyName", "/spec/policyName"), computed("ParamRef", cells::param_ref)])
}

pub(in crate::registry) fn webhooks() -> Vec<Column> {
    with_age(vec![Column::new("Webhooks", "integer", Cell::Computed(cells::webhooks))])
}

pub(in crate::registry) fn api_service() -> Vec<Column> {
    with_age(vec![
        computed("Service", cells::backing_service),
        computed("Available", cells::service_availability),
    ])
}

pub(in crate::registry) fn signing_request() -> Vec<Column> {
    let mut columns = with_age(Vec::new());
    columns.extend([
        computed("SignerName", cells::signer_name),
        text("Requestor", "/spec/username"),
        computed("RequestedDuration", cells::requested_duration),
        computed("Condition", cells::signing_condition),
    ]);
    columns
}

pub(in crate::registry) fn flow_schema() -> Vec<Column> {
    let mut columns = with_age(vec![
        text("PriorityLevel", "/spec/priorityLevelConfiguration/name"),
        Column { kind: "string".to_owned(), ..number("MatchingPrecedence", "/spec/matchingPrecedence") },
        computed("DistinguisherMethod", cells::distinguisher_method),
    ]);
    columns.push(computed("MissingPL", cells::missing_priority_level));
    columns
}

pub(in crate::registry) fn priority_level() -> Vec<Column> {
    with_age(vec![
        text("Type", "/spec/type"),
        computed("NominalConcurrencyShares", cells::concurrency_shares),
        computed("Queues", cells::queues),
        computed("HandSize", cells::hand_size),
        computed("QueueLengthLimit", cells::queue_length_limit),
    ])
}

pub(in crate::registry) fn role_binding() -> Vec<Column> {
    let mut columns = with_age(vec![computed("Role", cells::role)]);
    columns.extend([
        computed("Users", cells::bound_users).wide(),
        computed("Groups", cells::bound_groups).wide(),
        computed("ServiceAccounts", cells::bound_accounts).wide(),
    ]);
    columns
}
