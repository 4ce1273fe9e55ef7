//! `LimitRange`s.

use crate::registry::{
    Kind, Strategy,
    defaults::{self, Fields},
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "LimitRange", "limitranges").short("limits").strategy(&STRATEGY)
}

static STRATEGY: Strategy =
    Strategy { set_defaults: |range| set_spec_defaults(defaults::spec(range)), ..Strategy::PLAIN };

fn set_spec_defaults(spec: &mut Fields) {
    for limit in defaults::items(spec, "limits") {
        for field in ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"] {
            defaults::quantities(limit, field);
        }
    }
}
