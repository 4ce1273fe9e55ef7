//! `CSIStorageCapacity`s.

use super::base;
use crate::registry::{Kind, Strategy, defaults};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities").strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |capacity| defaults::quantity_of(defaults::whole(capacity), "capacity"),
    ..base::BASE
};
