//! `ComponentStatus`es, which are virtual.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::registry::{Column, Kind, Strategy, cells, column};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "ComponentStatus", "componentstatuses")
        .verbs(&["get", "list"])
        .short("cs")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy =
    Strategy { deprecation: Some("v1 ComponentStatus is deprecated in v1.19+"), ..Strategy::PLAIN };

fn columns() -> Vec<Column> {
    vec![
        column::name(),
        column::computed("Status", component_health),
        column::text("Message", "/conditions/0/message"),
        column::text("Error", "/conditions/0/error"),
    ]
}

/// Returns whether a component is healthy.
fn component_health(component: &Value, _: Timestamp) -> Value {
    match cells::array(component, "/conditions").iter().find(|condition| condition["type"] == "Healthy") {
        None => "Unknown".into(),
        Some(condition) if condition["status"] == "True" => "Healthy".into(),
        Some(_) => "Unhealthy".into(),
    }
}
