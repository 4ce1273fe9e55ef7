//! Random damage to valid input: to one place of a JSON value, or to some bytes of a body.

use rand::{Rng, rngs::SmallRng};
use serde_json::{Value, json};

/// Replaces one place of `value`, found by a random walk.
pub(crate) fn value(random: &mut SmallRng, value: &mut Value) {
    let place = descend(random, value);
    *place = match random.random_range(0..14) {
        0 => Value::Null,
        1 => json!(true),
        2 => json!(-1),
        3 => json!(1.5e300),
        4 => json!(u64::MAX),
        5 => json!(""),
        6 => json!("\u{0}\u{feff}é\n"),
        7 => json!("x".repeat(random.random_range(1..70_000))),
        8 => json!([]),
        9 => json!({}),
        10 => json!({"$patch": "delete"}),
        11 => {
            json!({"$patch": "replace", "$retainKeys": ["x"], "$setElementOrder/containers": [{"name": "x"}]})
        }
        12 => nested(random.random_range(1..200)),
        _ => json!([place.clone(), place.clone(), 3]),
    };
}

/// Flips, removes or repeats some of the bytes.
pub(crate) fn bytes(random: &mut SmallRng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = random.random_range(0..bytes.len());
    match random.random_range(0..4) {
        0 => bytes[at] = random.random(),
        1 => bytes.truncate(at),
        2 => bytes.extend_from_within(at..),
        _ => drop(bytes.splice(at..at, [0xff, 0xfe, b'"'])),
    }
}

/// Picks a random place inside of `value`, or `value` itself.
fn descend<'a>(random: &mut SmallRng, value: &'a mut Value) -> &'a mut Value {
    let inside = match value {
        Value::Object(map) => map.len(),
        Value::Array(list) => list.len(),
        _ => 0,
    };
    if inside == 0 || random.random_ratio(1, 5) {
        return value;
    }
    let at = random.random_range(0..inside);
    let child = match value {
        Value::Object(map) => map.values_mut().nth(at),
        Value::Array(list) => list.get_mut(at),
        _ => None,
    };
    descend(random, child.expect("the index is one of its children"))
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!({"a": [inner]}))
}
