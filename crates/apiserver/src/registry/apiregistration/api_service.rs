//! `APIService`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use crate::registry::{
    Column, Kind, Strategy, cells, column,
    defaults::{self, Fields},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("apiregistration.k8s.io", "v1", "APIService", "apiservices")
        .category("api-extensions")
        .cluster()
        .status()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |service| set_spec_defaults(defaults::spec(service)),
    takes_bare_finalizers: true,
    ..Strategy::PLAIN
};

fn set_spec_defaults(spec: &mut Fields) {
    if let Some(service) = defaults::object(spec, "service") {
        defaults::fill(service, [("port", json!(443))]);
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![
        column::computed("Service", backing_service),
        column::computed("Available", service_availability),
    ])
}

/// `Local`, or the Service that answers for a group.
fn backing_service(service: &Value, _: Timestamp) -> Value {
    match service.pointer("/spec/service").filter(|backing| !backing.is_null()) {
        None => "Local".into(),
        Some(backing) => {
            format!("{}/{}", cells::text(backing, "/namespace"), cells::text(backing, "/name")).into()
        }
    }
}

fn service_availability(service: &Value, _: Timestamp) -> Value {
    match cells::condition(service, "Available") {
        None => "Unknown".into(),
        Some(condition) if condition["status"] == "True" => "True".into(),
        Some(condition) => {
            format!("{} ({})", cells::text(condition, "/status"), cells::text(condition, "/reason")).into()
        }
    }
}
