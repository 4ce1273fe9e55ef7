//! `PriorityLevelConfiguration`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::registry::{
    Column, Kind, Strategy, cells, column,
    defaults::{self, Fields},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain(
        "flowcontrol.apiserver.k8s.io",
        "v1",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
    )
    .cluster()
    .status()
    .columns(columns())
    .strategy(&STRATEGY)
}

static STRATEGY: Strategy =
    Strategy { set_defaults: |level| set_spec_defaults(defaults::spec(level)), ..base::BASE };

fn set_spec_defaults(spec: &mut Fields) {
    if let Some(limited) = defaults::object(spec, "limited") {
        defaults::fill(limited, [("nominalConcurrencyShares", json!(30)), ("lendablePercent", json!(0))]);
        if let Some(queuing) =
            defaults::object(limited, "limitResponse").and_then(|answer| defaults::object(answer, "queuing"))
        {
            defaults::fill(
                queuing,
                [("queues", json!(64)), ("handSize", json!(8)), ("queueLengthLimit", json!(50))],
            );
        }
    }
    if let Some(exempt) = defaults::object(spec, "exempt") {
        defaults::fill(exempt, [("nominalConcurrencyShares", json!(0)), ("lendablePercent", json!(0))]);
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::text("Type", "/spec/type"),
        column::computed("NominalConcurrencyShares", concurrency_shares),
        column::computed("Queues", queues),
        column::computed("HandSize", hand_size),
        column::computed("QueueLengthLimit", queue_length_limit),
    ])
}

fn limited(level: &Value, pointer: &str) -> Value {
    level
        .pointer("/spec/limited")
        .and_then(|limited| limited.pointer(pointer))
        .cloned()
        .unwrap_or(cells::NONE.into())
}

fn concurrency_shares(level: &Value, _: Timestamp) -> Value {
    limited(level, "/nominalConcurrencyShares")
}

fn queues(level: &Value, _: Timestamp) -> Value {
    limited(level, "/limitResponse/queuing/queues")
}

fn hand_size(level: &Value, _: Timestamp) -> Value {
    limited(level, "/limitResponse/queuing/handSize")
}

fn queue_length_limit(level: &Value, _: Timestamp) -> Value {
    limited(level, "/limitResponse/queuing/queueLengthLimit")
}
