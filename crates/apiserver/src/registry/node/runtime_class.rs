//! `RuntimeClass`es.

use serde_json::{Value, json};

use crate::{
    api::{names, path::Path, status::Cause},
    registry::{Column, Kind, MetadataCheck, Strategy, column, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    metadata_checks: &[MetadataCheck::Whole, MetadataCheck::Change],
    creates_on_update: true,
    updates_unconditionally: false,
    takes_bare_finalizers: true,
    validate,
    validate_change: |old, new, causes| validation::fixed(old, new, "/handler", causes),
    validates_change_last: true,
    ..Strategy::PLAIN
};

fn validate(class: &Value, causes: &mut Vec<Cause>) {
    match validation::text(class, "handler") {
        "" => causes.push(Cause::required("handler", "")),
        handler => validation::faulty(handler, "handler", names::label_faults(handler), causes),
    }
    let overhead = json!({"limits": class["overhead"]["podFixed"]});
    validation::resources::of_overhead(&overhead, &Path::Root("overhead"), causes);
    let (scheduling, path) = (&class["scheduling"], Path::Root("scheduling"));
    validation::parts::labels(&scheduling["nodeSelector"], path.child("nodeSelector"), causes);
    validation::placement::tolerations(scheduling, &path, causes);
    let tolerations = validation::items(scheduling, "tolerations");
    let identity =
        |toleration: &Value| ["key", "operator", "value", "effect"].map(|field| toleration[field].clone());
    for (position, toleration) in tolerations.iter().enumerate() {
        if tolerations[..position].iter().any(|other| identity(other) == identity(toleration)) {
            causes.push(validation::duplicate(path.child("tolerations").index(position), toleration));
        }
    }
}

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("Handler", "/handler")])
}
