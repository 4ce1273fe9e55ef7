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

/// The highest priority of a class that is not the system's.
const HIGHEST: i64 = 1_000_000_000;

static STRATEGY: Strategy = Strategy {
    set_defaults: |class| {
        defaults::fill(defaults::whole(class), [("preemptionPolicy", json!("PreemptLowerPriority"))]);
    },
    counts_generations: true,
    validate_new: validate,
    validate_change,
    ..Strategy::PLAIN
};

fn validate(class: &Value, causes: &mut Vec<Cause>) {
    let name = object::name(class);
    let value = class["value"].as_i64().unwrap_or(0);
    if let Some(fault) = system_fault(name, value, class["globalDefault"] == true) {
        let reserved = "priority class names with 'system-' prefix are reserved for system use only";
        causes.push(Cause::forbidden("metadata.name", format!("{reserved}. error: {fault}")));
    } else if !name.starts_with("system-") && value > HIGHEST {
        let because = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        causes.push(Cause::forbidden("value", because));
    }
    let known = ["PreemptLowerPriority", "Never"];
    validation::one_of(&class["preemptionPolicy"], "preemptionPolicy", &known, causes);
}

/// Returns what is wrong with a class whose name is the system's (`IsKnownSystemPriorityClass`).
fn system_fault(name: &str, value: i64, is_default: bool) -> Option<String> {
    let known = match name {
        "system-node-critical" => 2 * HIGHEST + 1000,
        "system-cluster-critical" => 2 * HIGHEST,
        _ if name.starts_with("system-") => {
            return Some(format!("{name} is not a known system priority class"));
        }
        _ => return None,
    };
    if value != known {
        return Some(format!("value of {name} PriorityClass must be {known}"));
    }
    is_default.then(|| format!("globalDefault of {name} PriorityClass must be false"))
}

fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    if old["value"] != new["value"] {
        causes.push(Cause::forbidden("value", "may not be changed in an update."));
    }
    validation::fixed(old, new, "/preemptionPolicy", causes);
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::number("Value", "/value"),
        column::boolean("Global-Default", "/globalDefault"),
    ]);
    columns.push(column::text("PreemptionPolicy", "/preemptionPolicy"));
    columns
}
