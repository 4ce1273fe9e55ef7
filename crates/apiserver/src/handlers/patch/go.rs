//! Values as Go prints them.

use serde_json::Value;

/// Returns a value as Go prints it: `map[a:1 b:[x y]]`.
pub(super) fn in_go(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name}:{}", in_go(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(in_go).collect::<Vec<_>>().join(" ")),
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        scalar => scalar.to_string(),
    }
}
