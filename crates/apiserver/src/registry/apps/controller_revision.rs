//! `ControllerRevision`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::{
    api::status::Cause,
    registry::{Column, Kind, MetadataCheck, Strategy, cells, column, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("apps", "v1", "ControllerRevision", "controllerrevisions")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Change, MetadataCheck::Whole],
    validate,
    validate_new: |revision, causes| {
        if !revision["data"].is_object() {
            causes.push(Cause::required("data", "data must be a valid JSON object"));
        }
    },
    validate_change: |old, new, causes| validation::fixed(old, new, "/data", causes),
    ..Strategy::PLAIN
};

fn validate(revision: &Value, causes: &mut Vec<Cause>) {
    let number = &revision["revision"];
    if number.as_i64().is_some_and(|number| number < 0) {
        causes.push(Cause::invalid("revision", number, "must be greater than or equal to 0"));
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::computed("Controller", controller), column::computed("Revision", revision)])
}

/// The controlling owner, as `statefulset.apps/web`.
fn controller(object: &Value, _: Timestamp) -> Value {
    let owners = cells::array(object, "/metadata/ownerReferences");
    let Some(owner) = owners.iter().find(|owner| owner["controller"] == true) else {
        return cells::NONE.into();
    };
    let group = cells::text(owner, "/apiVersion").split_once('/').map_or("", |(group, _)| group);
    let dot = if group.is_empty() { "" } else { "." };
    format!("{}{dot}{group}/{}", cells::text(owner, "/kind").to_lowercase(), cells::text(owner, "/name"))
        .into()
}

fn revision(revision: &Value, _: Timestamp) -> Value {
    cells::number(revision, "/revision").into()
}
