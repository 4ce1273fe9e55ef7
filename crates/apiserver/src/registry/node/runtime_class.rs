//! `RuntimeClass`es.

use crate::registry::{Column, Kind, Strategy, column};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses")
        .cluster()
        .columns(columns())
        .strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy { takes_bare_finalizers: true, ..Strategy::PLAIN };

fn columns() -> Vec<Column> {
    column::with_age(vec![column::text("Handler", "/handler")])
}
