//! Validation of the numbers that `/scale` reads and writes in an object of a custom kind.

use serde_json::{Value, json};
use trimtab_schema::go_number;

use crate::{
    api::{object::in_go, status::Cause},
    registry::Kind,
};

/// Adds the errors of the numbers of replicas, and of the selector, where a definition says that they are.
pub(crate) fn check(kind: &Kind, object: &Value, with_spec: bool, causes: &mut Vec<Cause>) {
    let Some(scale) = kind.scale.as_ref().filter(|_| kind.is_custom()) else { return };
    let mut found = Vec::new();
    if with_spec {
        number(object, &scale.spec, &mut found);
    }
    number(object, &scale.status, &mut found);
    // Upstream looks at rules in CEL last.
    let is_last = |cause: &Cause| cause.message().contains("some validation rules were not checked");
    let at = causes.iter().position(is_last).unwrap_or(causes.len());
    causes.splice(at..at, found);
}

fn number(object: &Value, pointer: &str, causes: &mut Vec<Cause>) {
    let path = pointer.replace('/', ".");
    let value = match nested(object, pointer) {
        Ok(None) => return,
        Ok(Some(value)) => value,
        Err((at, found)) => {
            let because = accessor(&at, found, "map[string]interface{}");
            causes.push(Cause::invalid(path, &json!(0), because));
            return;
        }
    };
    match value.as_i64() {
        None => causes.push(Cause::invalid(path.as_str(), &json!(0), accessor(&path, value, "int64"))),
        Some(number) if number < 0 => {
            causes.push(Cause::invalid(path, value, "should be a non-negative integer"));
        }
        Some(number) if number > i64::from(i32::MAX) => {
            let because = format!("should be less than or equal to {}", i32::MAX);
            causes.push(Cause::invalid(path, value, because));
        }
        Some(_) => {}
    }
}

/// Returns the value at a pointer; or, as an error, the path and the value on the way that has no fields.
fn nested<'a>(object: &'a Value, pointer: &str) -> Result<Option<&'a Value>, (String, &'a Value)> {
    let (mut at, mut path) = (object, String::new());
    for field in pointer.split('/').skip(1) {
        path = format!("{path}.{field}");
        match at {
            Value::Null => return Ok(None),
            Value::Object(fields) => match fields.get(field) {
                Some(inner) => at = inner,
                None => return Ok(None),
            },
            other => return Err((path, other)),
        }
    }
    Ok(Some(at))
}

/// The words of Go's accessors.
fn accessor(path: &str, found: &Value, expected: &str) -> String {
    let name = match found {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    let shown = match found.as_f64().filter(|_| !found.is_i64()) {
        Some(number) => go_number::general(number),
        None => in_go(found),
    };
    format!("{path} accessor error: {shown} is of the type {name}, expected {expected}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_and_judged_in_go_s_words() {
        let judged = |object: Value| {
            let mut causes = Vec::new();
            number(&object, "/spec/replicas", &mut causes);
            causes.first().map(|cause| cause.message().to_owned())
        };
        assert_eq!(judged(json!({"spec": {"replicas": 3}})), None);
        assert_eq!(judged(json!({"spec": null})), None);
        let expected =
            "Invalid value: 0: .spec.replicas accessor error: 1000 is of the type float64, expected int64";
        assert_eq!(judged(json!({"spec": {"replicas": 1000.0}})).as_deref(), Some(expected));
        let expected = "Invalid value: 0: .spec.replicas accessor error: [] is of the type []interface {}, expected \
                        map[string]interface{}";
        assert_eq!(judged(json!({"spec": []})).as_deref(), Some(expected));
        assert_eq!(
            judged(json!({"spec": {"replicas": -1}})).as_deref(),
            Some("Invalid value: -1: should be a non-negative integer")
        );
    }
}
