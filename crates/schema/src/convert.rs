//! Converting an object without types into one of a built-in kind, as `runtime.DefaultUnstructuredConverter` does: what
//! server-side apply merged is converted so. It takes whole floats for integers, and lets integers overflow.

use serde_json::Value;

use super::{Form, Scalar, Schema};

/// Converts the numbers to integers that stand where `schema` has integers.
///
/// # Errors
///
/// Upstream's reason, of a number that is not whole.
pub fn integers(schema: Schema<'_>, value: &mut Value) -> Result<(), &'static str> {
    match value {
        Value::Object(fields) => {
            let known = fields.iter_mut().filter_map(|(name, value)| Some((schema.field(name)?, value)));
            known.into_iter().try_for_each(|(schema, value)| integers(schema, value))
        }
        Value::Array(items) => match schema.items() {
            Some(schema) => items.iter_mut().try_for_each(|item| integers(schema, item)),
            None => Ok(()),
        },
        Value::Number(number) => {
            let is_short = match schema.kind() {
                Form::Scalar(Scalar::Int32) => true,
                Form::Scalar(Scalar::Int64) => false,
                _ => return Ok(()),
            };
            let whole = match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => whole,
                (None, Some(float)) if float.fract() == 0.0 => truncated(float),
                _ if is_short => return Err("cannot convert float64 to int32"),
                _ => return Err("cannot convert float64 to int64"),
            };
            #[allow(clippy::cast_possible_truncation, reason = "as Go's conversion does")]
            let short = whole as i32;
            *value = if is_short { short.into() } else { whole.into() };
            Ok(())
        }
        _ => Ok(()),
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
            (json!(9_999_999_999_i64), Ok(json!(1_410_065_407))),
            (json!(1e30), Ok(json!(0))),
            (json!(3.5), Err("cannot convert float64 to int32")),
            (json!("3"), Ok(json!("3"))),
        ] {
            let mut object = json!({"spec": {"replicas": number}});
            let converted = integers(schema, &mut object).map(|()| object["spec"]["replicas"].clone());
            assert_eq!(converted, expected, "{number}");
        }
    }
}
