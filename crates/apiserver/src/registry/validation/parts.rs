//! Validation that several kinds share: label selectors, and numbers that may be percentages.

use serde_json::{Value, json};

use super::{items, text};
use crate::api::{names, path::Path, status::Cause};

/// Validates a label selector.
pub(in crate::registry) fn selector(selector: &Value, path: &Path<'_>, causes: &mut Vec<Cause>) {
    labels(&selector["matchLabels"], path.child("matchLabels"), causes);
    let expressions = path.child("matchExpressions");
    for (position, expression) in items(selector, "matchExpressions").iter().enumerate() {
        let path = expressions.index(position);
        let values = items(expression, "values");
        match text(expression, "operator") {
            "In" | "NotIn" if values.is_empty() => {
                let because = "must be specified when `operator` is 'In' or 'NotIn'";
                causes.push(Cause::required(path.child("values"), because));
            }
            "Exists" | "DoesNotExist" if !values.is_empty() => {
                let because = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
                causes.push(Cause::forbidden(path.child("values"), because));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            other => {
                let because = "not a valid selector operator";
                causes.push(Cause::invalid(path.child("operator"), &json!(other), because));
            }
        }
        label_name(text(expression, "key"), path.child("key"), causes);
        for (index, value) in values.iter().enumerate() {
            for fault in names::value_faults(value.as_str().unwrap_or_default()) {
                causes.push(Cause::invalid(path.child("values").index(index), value, fault));
            }
        }
    }
}

/// Returns whether a label selector has no errors.
pub(in crate::registry) fn is_selector(selector: &Value) -> bool {
    let mut causes = Vec::new();
    self::selector(selector, &Path::Root(""), &mut causes);
    causes.is_empty()
}

/// Returns a label selector in the order of its Go struct.
pub(in crate::registry) fn shown_selector(selector: &Value) -> String {
    if selector.is_null() {
        return "null".to_owned();
    }
    let known = ["matchLabels", "matchExpressions"].into_iter();
    let parts = known.filter(|part| !selector[part].is_null());
    let parts: Vec<String> = parts.map(|part| format!("\"{part}\":{}", selector[part])).collect();
    format!("{{{}}}", parts.join(","))
}

/// Returns the error of a label selector, which upstream shows in the order of its Go struct.
pub(in crate::registry) fn invalid_selector(
    selector: &Value,
    field: impl Into<String>,
    because: &str,
) -> Cause {
    let shown = shown_selector(selector);
    match because {
        "" => Cause::new("FieldValueInvalid", field, format!("Invalid value: {shown}")),
        _ => Cause::invalid_json(field, &shown, because),
    }
}

/// Validates the name of a label.
pub(in crate::registry) fn label_name(name: &str, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    for fault in names::qualified_faults(name) {
        causes.push(Cause::invalid(field, &json!(name), fault));
    }
}

/// Validates labels that select objects.
pub(in crate::registry) fn labels(labels: &Value, field: impl Into<String> + Copy, causes: &mut Vec<Cause>) {
    for (key, value) in labels.as_object().into_iter().flatten() {
        label_name(key, field, causes);
        for fault in names::value_faults(value.as_str().unwrap_or_default()) {
            causes.push(Cause::invalid(field, value, fault));
        }
    }
}

/// A number of Pods, or a percentage of them.
pub(in crate::registry) fn share(
    value: &Value,
    field: impl Into<String>,
    is_bounded: bool,
    causes: &mut Vec<Cause>,
) {
    match value {
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
            causes.push(Cause::invalid(field, value, "must be greater than or equal to 0"));
        }
        Value::String(share) => {
            let digits = share.strip_suffix('%').filter(|digits| !digits.is_empty());
            match digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())) {
                None => {
                    let because = "a valid percent string must be a numeric string followed by an ending '%' (e.g. \
                                   '1%',  or '93%', regex used for validation is '[0-9]+%')";
                    causes.push(Cause::invalid(field, value, because));
                }
                Some(digits) if is_bounded && digits.parse().map_or(true, |share: u64| share > 100) => {
                    causes.push(Cause::invalid(field, value, "must not be greater than 100%"));
                }
                Some(_) => {}
            }
        }
        _ => {}
    }
}
