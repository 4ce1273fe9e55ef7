//! `FlowSchema`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::registry::{Column, Kind, Strategy, cells, column, defaults};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas")
        .cluster()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |schema| defaults::fill(defaults::spec(schema), [("matchingPrecedence", json!(1000))]),
    ..base::BASE
};

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::text("PriorityLevel", "/spec/priorityLevelConfiguration/name"),
        Column {
            kind: "string".to_owned(),
            ..column::number("MatchingPrecedence", "/spec/matchingPrecedence")
        },
        column::computed("DistinguisherMethod", distinguisher_method),
    ]);
    columns.push(column::computed("MissingPL", missing_priority_level));
    columns
}

fn distinguisher_method(schema: &Value, _: Timestamp) -> Value {
    cells::text_or(schema, "/spec/distinguisherMethod/type", cells::NONE)
}

fn missing_priority_level(schema: &Value, _: Timestamp) -> Value {
    cells::condition(schema, "Dangling").map_or("?", |condition| cells::text(condition, "/status")).into()
}
