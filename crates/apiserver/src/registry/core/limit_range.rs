//! `LimitRange`s.

use serde_json::Value;

use crate::registry::{
    Kind, Strategy,
    defaults::{self, Fields},
    validation,
};

/// Describes the kind.
pub(super) fn kind() -> Kind {
    Kind::plain("", "v1", "LimitRange", "limitranges").short("limits").strategy(&STRATEGY)
}

static STRATEGY: Strategy = Strategy {
    set_defaults: |range| set_spec_defaults(defaults::spec(range)),
    validate: validation::limits::limit_range,
    creates_on_update: true,
    ..Strategy::PLAIN
};

fn set_spec_defaults(spec: &mut Fields) {
    if spec.get("limits").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        spec.insert("limits".to_owned(), Value::Null);
    }
    for limit in defaults::items(spec, "limits") {
        for field in ["default", "defaultRequest", "max", "min", "maxLimitRequestRatio"] {
            defaults::quantities(limit, field);
        }
        if limit.get("type").is_some_and(|kind| kind == "Container") {
            // What is not limited by default is limited to the most, and requested as it is limited.
            for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
                take_over(limit, to, from);
            }
        }
    }
}

/// Adds to the map in a field what only another one has.
fn take_over(owner: &mut Fields, to: &str, from: &str) {
    let Some(others) = owner.get(from).and_then(Value::as_object).filter(|all| !all.is_empty()).cloned()
    else {
        return;
    };
    let map = owner.entry(to).or_insert(Value::Null);
    if map.is_null() {
        *map = Value::Object(Fields::new());
    }
    if let Some(map) = map.as_object_mut() {
        for (key, value) in others {
            map.entry(key).or_insert(value);
        }
    }
}
