//! `PriorityClass`es.

use serde_json::{Value, json};

use crate::{
    api::{object, status::Cause},
    registry::{Column, Kind, Strategy, column, defaults, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses")
        .cluster()
        .short("pc")
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |class| {
        defaults::fill(defaults::whole(class), [("preemptionPolicy", json!("PreemptLowerPriority"))]);
    },
    counts_generations: true,
    validate,
    validate_change,
    ..Strategy::PLAIN
};

fn validate(class: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(class);
    if name.starts_with("system-") && !matches!(name, "system-cluster-critical" | "system-node-critical") {
        let because = format!(
            "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a \
             known system priority class"
        );
        causes.push(Cause::forbidden("metadata.name", because));
    }
}

fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    validation::fixed(old, new, "/preemptionPolicy", causes);
    if old["value"] != new["value"] {
        causes.push(Cause::forbidden("value", "may not be changed in an update."));
    }
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::number("Value", "/value"),
        column::boolean("Global-Default", "/globalDefault"),
    ]);
    columns.push(column::text("PreemptionPolicy", "/preemptionPolicy"));
    columns
}
