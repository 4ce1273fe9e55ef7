//! `StorageClass`es.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::{
    api::{names, object, path::Path, status::Cause},
    registry::{
        Cell, Column, Kind, Strategy, cells, column,
        defaults::{self, Fields},
        validation,
    },
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "StorageClass", "storageclasses")
        .short("sc")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |class| set_class_defaults(defaults::whole(class)),
    validate,
    validate_change: |old, new, causes| {
        for pointer in ["/parameters", "/provisioner", "/reclaimPolicy", "/volumeBindingMode"] {
            validation::fixed(old, new, pointer, causes);
        }
    },
    returns_deleted: true,
    ..base::BASE
};

fn set_class_defaults(class: &mut Fields) {
    defaults::fill(class, [("reclaimPolicy", json!("Delete")), ("volumeBindingMode", json!("Immediate"))]);
}

fn validate(class: &Value, causes: &mut Vec<Cause>) {
    let provisioner = validation::text(class, "provisioner");
    if provisioner.is_empty() {
        causes.push(Cause::required("provisioner", ""));
    } else {
        let lower = provisioner.to_lowercase();
        validation::faulty(&lower, "provisioner", names::qualified_faults(&lower), causes);
    }
    base::validate_parameters(&class["parameters"], "parameters", causes);
    validation::one_of(&class["reclaimPolicy"], "reclaimPolicy", &["Delete", "Retain"], causes);
    let known = ["Immediate", "WaitForFirstConsumer"];
    validation::one_of(&class["volumeBindingMode"], "volumeBindingMode", &known, causes);
    let list = Path::Root("allowedTopologies");
    for (position, term) in validation::items(class, "allowedTopologies").iter().enumerate() {
        validate_term(term, &list.index(position).child("matchLabelExpressions"), causes);
    }
}

fn validate_term(term: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    let mut keys = BTreeSet::new();
    for (position, expression) in validation::items(term, "matchLabelExpressions").iter().enumerate() {
        let path = path.index(position);
        let values = validation::items(expression, "values");
        if values.is_empty() {
            causes.push(Cause::required(path.child("values"), ""));
        }
        for (index, value) in
            values.iter().enumerate().filter(|(index, value)| values[..*index].contains(value))
        {
            causes.push(validation::duplicate(path.child("values").index(index), value));
        }
        let key = validation::text(expression, "key");
        validation::parts::label_name(key, path.child("key"), causes);
        if !keys.insert(key) {
            causes.push(validation::duplicate(path.child("key"), &json!(key)));
        }
    }
}

fn columns() -> Vec<Column> {
    let mut columns = column::with_age(vec![
        column::text("Provisioner", "/provisioner"),
        column::computed("ReclaimPolicy", reclaim_policy),
        column::computed("VolumeBindingMode", volume_binding_mode),
        column::computed("AllowVolumeExpansion", volume_expansion),
    ]);
    columns[0].cell = Cell::Computed(name_or_default_class);
    columns
}

/// The name, and whether Volumes without a class get this one.
fn name_or_default_class(class: &Value, _: Timestamp) -> Value {
    let is_default =
        ["storageclass.kubernetes.io~1is-default-class", "storageclass.beta.kubernetes.io~1is-default-class"]
            .iter()
            .any(|key| cells::text(class, &format!("/metadata/annotations/{key}")) == "true");
    format!("{}{}", object::name(class), if is_default { " (default)" } else { "" }).into()
}

fn reclaim_policy(class: &Value, _: Timestamp) -> Value {
    cells::text_or(class, "/reclaimPolicy", "Delete")
}

fn volume_binding_mode(class: &Value, _: Timestamp) -> Value {
    cells::text_or(class, "/volumeBindingMode", "Immediate")
}

fn volume_expansion(class: &Value, _: Timestamp) -> Value {
    (class["allowVolumeExpansion"] == true).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_default_class_says_so() {
        let class = |value: &str| {
            json!({"metadata": {"name": "fast",
                "annotations": {"storageclass.kubernetes.io/is-default-class": value}}})
        };
        assert_eq!(name_or_default_class(&class("true"), NOW), "fast (default)");
        assert_eq!(name_or_default_class(&class("false"), NOW), "fast");
    }
}
