//! `DeviceClass`es.

use super::base;
use crate::registry::{Kind, Strategy, column};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("resource.k8s.io", "v1", "DeviceClass", "deviceclasses")
        .cluster()
        .columns(column::age())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { counts_generations: true, returns_deleted: true, ..base::BASE };
