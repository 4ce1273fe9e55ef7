//! Bindings of Pods to nodes.

use crate::registry::{Kind, Strategy};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "Binding", "bindings").create_only().strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { is_binding: true, ..Strategy::PLAIN };
