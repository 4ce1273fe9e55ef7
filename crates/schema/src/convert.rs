//! Converting an object without types into one of a built-in kind, as `runtime.DefaultUnstructuredConverter` does: what
//! server-side apply and strategic merge patches merged is converted so. It takes whole floats for integers, and lets
//! integers overflow.

use serde_json::Value;

use super::{Form, Scalar, Schema};

/// Converts a value without a type into one of `schema`: numbers into integers, where it has integers.
///
/// Values with a form of their own in JSON, such as times and quantities, are left to [`decode`](crate::decode).
///
/// # Errors
///
/// Upstream's reason, of a value that does not fit; it does not say which one.
pub fn unstructured(schema: Schema<'_>, value: &mut Value) -> Result<(), String> {
    let found = go_kind(value);
    match (schema.kind(), value) {
        (_, Value::Null) | (Form::Any, _) => Ok(()),
        (Form::Struct | Form::Map, Value::Object(fields)) => {
            let known = fields.iter_mut().filter_map(|(name, value)| Some((schema.field(name)?, value)));
            known.into_iter().try_for_each(|(schema, value)| unstructured(schema, value))
        }
        (Form::List, Value::Array(items)) => match schema.items() {
            Some(schema) => items.iter_mut().try_for_each(|item| unstructured(schema, item)),
            None => Ok(()),
        },
        (Form::Struct, _) => Err(format!("cannot restore struct from: {found}")),
        (Form::Map, _) => Err(format!("cannot restore map from {found}")),
        (Form::List, _) => Err(format!("cannot restore slice from {found}")),
        (Form::Scalar(scalar), value) => self::scalar(scalar, value, found),
    }
}

fn scalar(scalar: Scalar, value: &mut Value, found: &str) -> Result<(), String> {
    let (wanted, fits) = match scalar {
        Scalar::Int32 => return integer("int32", value, found),
        Scalar::Int64 => return integer("int64", value, found),
        Scalar::String => ("string", value.is_string()),
        Scalar::Boolean => ("bool", value.is_boolean()),
        Scalar::Number => ("float64", value.is_number()),
        Scalar::Bytes if value.is_string() || value.is_array() => return Ok(()),
        Scalar::Bytes => return Err(format!("cannot restore slice from {found}")),
        Scalar::Time | Scalar::MicroTime | Scalar::IntOrString | Scalar::Quantity => return Ok(()),
    };
    match found {
        _ if fits => Ok(()),
        "int64" if wanted == "string" => Err("cannot convert int64 to string".to_owned()),
        _ => Err(format!("unrecognized type: {wanted}")),
    }
}

fn integer(wanted: &str, value: &mut Value, found: &str) -> Result<(), String> {
    let Value::Number(number) = &*value else { return Err(format!("unrecognized type: {wanted}")) };
    let whole = match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => whole,
        (None, Some(float)) if float.fract() == 0.0 => truncated(float),
        _ => return Err(format!("cannot convert {found} to {wanted}")),
    };
    #[allow(clippy::cast_possible_truncation, reason = "as Go's conversion does")]
    let short = whole as i32;
    *value = if wanted == "int32" { short.into() } else { whole.into() };
    Ok(())
}

/// Returns the name that Go's reflection has for an untyped value.
fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

/// Converts a float as Go does on the machines that most servers run on: to the smallest integer if it is too
/// large.
fn truncated(float: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    #[allow(clippy::cast_possible_truncation, reason = "the range was looked at")]
    let whole = float as i64;
    if (-LIMIT..LIMIT).contains(&float) { whole } else { i64::MIN }
}

/// Returns the converter's message for a value that the decoder refuses with `because`: without paths.
pub fn reason(because: &str) -> String {
    if because.starts_with("illegal base64") {
        return format!("error decoding from json: {because}");
    }
    let parts = because.split_once(" into Go struct field ");
    let Some((found, wanted)) =
        parts.and_then(|(found, rest)| Some((found, rest.rsplit_once(" of type ")?.1)))
    else {
        return because.to_owned();
    };
    let wanted = if wanted.ends_with("Time") { "string" } else { wanted };
    format!("{found} into Go value of type {wanted}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The answers are a kube-apiserver's.
    #[test]
    fn integers_are_converted_as_go_converts_them() {
        let schema = Schema::named("apps", "v1", "Deployment").expect("a built-in kind");
        for (number, expected) in [
            (json!(3.0), Ok(json!(3))),
            (json!(10), Ok(json!(10))),
            (json!(4_294_967_298_i64), Ok(json!(2))),
            (json!(9_999_999_999_i64), Ok(json!(1_410_065_407))),
            (json!(-2_147_483_649_i64), Ok(json!(2_147_483_647))),
            (json!(9_223_372_036_854_775_808_u64), Ok(json!(0))),
            (json!(1e30), Ok(json!(0))),
            (json!(3.5), Err("cannot convert float64 to int32".to_owned())),
            (json!("3"), Err("unrecognized type: int32".to_owned())),
        ] {
            let mut object = json!({"spec": {"replicas": number}});
            let converted = unstructured(schema, &mut object).map(|()| object["spec"]["replicas"].clone());
            assert_eq!(converted, expected, "{number}");
        }
    }

    /// The answers are a kube-apiserver's.
    #[test]
    fn what_does_not_fit_is_refused_without_its_place() {
        let schema = Schema::named("apps", "v1", "Deployment").expect("a built-in kind");
        for (object, expected) in [
            (json!({"spec": {"paused": 1}}), "unrecognized type: bool"),
            (json!({"spec": {"template": 5}}), "cannot restore struct from: int64"),
            (json!({"spec": {"template": []}}), "cannot restore struct from: slice"),
            (json!({"metadata": {"labels": {"a": 1}}}), "cannot convert int64 to string"),
            (json!({"metadata": {"labels": {"a": 1.5}}}), "unrecognized type: string"),
            (json!({"metadata": {"labels": 5}}), "cannot restore map from int64"),
            (json!({"metadata": {"finalizers": "a"}}), "cannot restore slice from string"),
        ] {
            let mut object = object;
            assert_eq!(unstructured(schema, &mut object), Err(expected.to_owned()), "{object}");
        }
        let secret = Schema::named("", "v1", "Secret").expect("a built-in kind");
        let mut object = json!({"data": {"a": 5}});
        assert_eq!(unstructured(secret, &mut object), Err("cannot restore slice from int64".to_owned()));
    }
}
