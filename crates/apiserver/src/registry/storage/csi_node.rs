//! `CSINode`s.

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::base;
use crate::{
    api::{names, path::Path, status::Cause},
    registry::{
        Cell, Column, Kind, Strategy, cells, column,
        validation::{self, items, text, volume_source::driver_name},
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "CSINode", "csinodes")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    updates_unconditionally: false,
    validate,
    validate_change,
    validates_change_last: true,
    returns_deleted: true,
    ..base::BASE
};

fn validate(node: &Value, causes: &mut Vec<Cause>) {
    let root = Path::Root("spec");
    let (list, drivers) = (root.child("drivers"), items(&node["spec"], "drivers"));
    for (position, driver) in drivers.iter().enumerate() {
        let path = list.index(position);
        driver_name(text(driver, "name"), path.child("name"), causes);
        match text(driver, "nodeID") {
            "" => causes.push(Cause::required(path.child("nodeID"), "")),
            id if id.len() > 256 => {
                let because = "must be 256 characters or less";
                causes.push(Cause::invalid(path.child("nodeID"), &id.into(), because));
            }
            _ => {}
        }
        validation::at_least(0, &driver["allocatable"], &path.child("allocatable"), "count", causes);
        if drivers[..position].iter().any(|other| other["name"] == driver["name"]) {
            causes.push(validation::duplicate(path.child("name"), &driver["name"]));
        }
        validate_topology(items(driver, "topologyKeys"), &path, causes);
    }
}

fn validate_topology(keys: &[Value], path: &Path<'_>, causes: &mut Vec<Cause>) {
    for (position, key) in keys.iter().enumerate() {
        let name = key.as_str().unwrap_or_default();
        if name.is_empty() {
            causes.push(Cause::required(path, ""));
        }
        if keys[..position].contains(key) {
            causes.push(validation::duplicate(path, key));
        }
        validation::faulty(name, path, names::qualified_faults(name), causes);
    }
}

/// Validates that a driver stays as it is, but for the number of its volumes.
fn validate_change(old: &Value, new: &Value, causes: &mut Vec<Cause>) {
    let without_limit = |driver: &Value| {
        let mut driver = driver.clone();
        driver.as_object_mut().map(|fields| fields.remove("allocatable"));
        driver
    };
    for before in items(&old["spec"], "drivers") {
        let same = items(&new["spec"], "drivers").iter().filter(|after| after["name"] == before["name"]);
        for after in same.map(without_limit).filter(|after| *after != without_limit(before)) {
            causes.push(Cause::invalid("spec.drivers", &after, "field is immutable"));
        }
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![Column::new("Drivers", "integer", Cell::Computed(drivers))])
}

fn drivers(node: &Value, _: Timestamp) -> Value {
    cells::array(node, "/spec/drivers").len().into()
}
