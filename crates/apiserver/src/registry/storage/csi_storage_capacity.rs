//! `CSIStorageCapacity`s.

use serde_json::Value;

use super::base;
use crate::{
    api::{names, path::Path, status::Cause},
    registry::{Kind, Strategy, defaults, quantity, validation},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities").strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |capacity| defaults::quantity_of(defaults::whole(capacity), "capacity"),
    updates_unconditionally: false,
    validate_new,
    validate_change: |old, new, causes| {
        for pointer in ["/nodeTopology", "/storageClassName"] {
            validation::fixed(old, new, pointer, causes);
        }
    },
    ..base::BASE
};

fn validate_new(capacity: &Value, causes: &mut Vec<Cause>) {
    validation::parts::selector(&capacity["nodeTopology"], &Path::Root("nodeTopology"), causes);
    let class = validation::text(capacity, "storageClassName");
    validation::faulty(class, "storageClassName", names::subdomain_faults(class), causes);
    if quantity::of(&capacity["capacity"]).is_some_and(|amount| amount.signum() < 0) {
        let because = "must be greater than or equal to 0";
        causes.push(Cause::invalid("capacity", &capacity["capacity"], because));
    }
}
