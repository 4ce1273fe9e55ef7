//! `StorageClass`es.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

use super::base;
use crate::{
    api::{object, path::Path, status::Cause},
    registry::{
        Cell, Column, Kind, MetadataCheck, Strategy, cells, column,
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
    metadata_checks: &[MetadataCheck::Whole, MetadataCheck::Change],
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
    base::validate_provisioner(class, "provisioner", causes);
    base::validate_parameters(&class["parameters"], "parameters", causes);
    validation::one_of(&class["reclaimPolicy"], "reclaimPolicy", &["Delete", "Retain"], causes);
    let known = ["Immediate", "WaitForFirstConsumer"];
    validation::one_of(&class["volumeBindingMode"], "volumeBindingMode", &known, causes);
    let list = Path::Root("allowedTopologies");
    let terms = validation::items(class, "allowedTopologies");
    for (position, term) in terms.iter().enumerate() {
        let path = list.index(position);
        validate_term(term, &path.child("matchLabelExpressions"), causes);
        let same =
            terms[..position].iter().filter(|other| values_by_key(other) == values_by_key(term)).count();
        // Upstream compares a term with as many empty ones as there are terms, too.
        let empty = if validation::items(term, "matchLabelExpressions").is_empty() { terms.len() } else { 0 };
        for _ in 0..same + empty {
            causes.push(validation::duplicate(path.child("matchLabelExpressions"), &json!("")));
        }
    }
}

/// The values of a term by their label, both without an order.
fn values_by_key(term: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let expressions = validation::items(term, "matchLabelExpressions").iter();
    let values = |expression| validation::items(expression, "values").iter().filter_map(Value::as_str);
    expressions
        .map(|expression| (validation::text(expression, "key"), values(expression).collect()))
        .collect()
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
