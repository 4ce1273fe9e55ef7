//! Quantities inside JSON values: canonical form, comparison, amounts.

use std::cmp::Ordering;

use serde_json::Value;
use trimtab_quantity::{Quantity, Scale, is_canonical};

/// Puts a quantity into canonical form; leaves any other value as it is.
pub(crate) fn canonical(value: &mut Value) {
    rewrite(value, |_| {});
}

/// Puts a quantity of a resource list into canonical form, rounded up to thousandths (`SetDefaults_ResourceList`).
pub(crate) fn canonical_resource(value: &mut Value) {
    rewrite(value, |quantity| {
        quantity.round_up(Scale::Milli);
    });
}

fn rewrite(value: &mut Value, round: impl FnOnce(&mut Quantity)) {
    let text = match value {
        Value::String(text) if is_canonical(text) && !text.ends_with(['n', 'u']) => return,
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Ok(mut quantity) = text.trim().parse::<Quantity>() {
        round(&mut quantity);
        *value = quantity.to_string().into();
    } else {
        *value = text.into();
    }
}

/// The quantity of a JSON string or integer, if it is one.
pub(crate) fn of(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().map(Quantity::from),
        _ => None,
    }
}

/// The quantity of a JSON value; zero if it is none.
pub(crate) fn or_zero(value: &Value) -> Quantity {
    of(value).unwrap_or_default()
}

/// How two quantities compare; `None` if either is no quantity.
pub(crate) fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    Some(of(one)?.cmp(&of(other)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The right side is the form that kube-apiserver 1.36.3 stored.
    #[test]
    fn quantities_are_stored_in_canonical_form() {
        for (sent, stored) in [
            (json!("1024Mi"), "1Gi"),
            (json!("0.5"), "500m"),
            (json!("1e3"), "1e3"),
            (json!("0.1Gi"), "107374182400m"),
            (json!(" 1000 "), "1k"),
            (json!(0.25), "250m"),
            (json!("one"), "one"),
            (json!(""), ""),
        ] {
            let mut value = sent.clone();
            canonical(&mut value);
            assert_eq!(value, stored, "{sent}");
        }
    }

    #[test]
    fn resources_are_rounded_up_to_thousandths() {
        for (sent, stored) in
            [("1n", "1m"), ("100u", "1m"), ("1500u", "2m"), ("250Mi", "250Mi"), ("1e3", "1e3")]
        {
            let mut value = json!(sent);
            canonical_resource(&mut value);
            assert_eq!(value, stored, "{sent}");
        }
    }
}
