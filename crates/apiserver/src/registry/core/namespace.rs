//! Namespaces.

use serde_json::{Value, json};

use crate::{
    api::object,
    registry::{Column, Kind, Strategy, Subresource, column, strategy::NameRule},
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
    name: NameRule::Label,
    selectable_fields: &["status.phase"],
    set_defaults: label,
    prepare_for_create: |namespace| namespace["spec"] = json!({"finalizers": ["kubernetes"]}),
    first_status: |_, _| Some(json!({"phase": "Active"})),
    fixes_spec: true,
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
    let labels = object::metadata_mut(namespace).entry("labels").or_insert_with(|| json!({}));
    if let Some(labels) = labels.as_object_mut() {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("Status", "/status/phase")])
}
