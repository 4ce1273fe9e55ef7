//! Namespaces.

use serde_json::{Value, json};

use crate::{
    api::{names, object, status::Cause},
    registry::{
        Column, Kind, MetadataCheck, Strategy, Subresource, column, defaults, strategy::NameRule, validation,
    },
};

/// A collection of namespaces cannot be deleted.
const VERBS: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const FINALIZE: Subresource = Subresource::new("finalize", "Namespace", &["update"]);

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Namespace", "namespaces")
        .verbs(VERBS)
        .short("ns")
        .cluster()
        .status()
        .below(&[FINALIZE])
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Whole, MetadataCheck::Change],
    name: NameRule::Label,
    selectable_fields: &["status.phase"],
    set_defaults: label,
    set_status_defaults: |namespace| {
        label(namespace);
        defaults::phase(namespace, "Active");
    },
    prepare_for_create: hold,
    complete_named: label,
    first_status: |_, _| Some(json!({"phase": "Active"})),
    fixes_spec: true,
    validate,
    reads_beyond_metadata: true,
    undeletable: &["default", "kube-public", "kube-system"],
    has_spec_finalizers: true,
    prepare_for_delete: |namespace| {
        object::metadata_mut(namespace).remove("deletionGracePeriodSeconds");
        namespace["status"]["phase"] = "Terminating".into();
    },
    ..Strategy::PLAIN
};

/// Labels a namespace with its name.
fn label(namespace: &mut Value) {
    let name = object::name(namespace).to_owned();
    if name.is_empty() {
        return; // until it is generated
    }
    let labels = object::metadata_mut(namespace).entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

/// Adds Kubernetes' own finalizer.
fn hold(namespace: &mut Value) {
    let finalizers = namespace["spec"]["finalizers"].as_array().cloned().unwrap_or_default();
    let is_held = finalizers.iter().any(|held| held == "kubernetes");
    let own = (!is_held).then(|| json!("kubernetes"));
    namespace["spec"] = json!({"finalizers": finalizers.into_iter().chain(own).collect::<Vec<_>>()});
}

/// Validates the finalizers in the spec.
fn validate(namespace: &Value, causes: &mut Vec<Cause>) {
    for finalizer in validation::items(&namespace["spec"], "finalizers") {
        let (name, field) = (finalizer.as_str().unwrap_or_default(), "spec.finalizers");
        validation::faulty(name, field, names::qualified_faults(name), causes);
        if !name.contains('/') && !["kubernetes", "orphan", "foregroundDeletion"].contains(&name) {
            let because = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(field, finalizer, because));
        }
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("Status", "/status/phase")])
}
