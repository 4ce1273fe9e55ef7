//! The JSON paths of printer columns, as client-go's `util/jsonpath` reads and follows them: `.spec.replicas`,
//! `.status.conditions[?(@.type=="Ready")].status`, `..hosts`, `.items[0:2]`.

mod evaluate;
mod parse;

use std::borrow::Cow;

use serde_json::Value;
use trimtab_schema::go_number;

/// A path that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path(Vec<parse::Node>);

impl Path {
    /// Reads a path; `None` if it is none.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        parse::action(path).map(Self)
    }

    /// The first of what the path finds; `None` if it finds nothing, or cannot be followed in this object.
    pub(crate) fn first<'v>(&self, object: &'v Value) -> Option<Cow<'v, Value>> {
        self.all(object)?.into_iter().next()
    }

    fn all<'v>(&self, object: &'v Value) -> Option<Vec<Cow<'v, Value>>> {
        evaluate::list(&self.0, vec![Cow::Borrowed(object)])
    }
}

/// A value as client-go prints it.
pub(crate) fn printed(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() => go_number::general(float),
            _ => number.to_string(),
        },
        Value::Bool(_) => value.to_string(),
        // Go's encoder writes these so.
        Value::Array(_) | Value::Object(_) => {
            value.to_string().replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e")
        }
    }
}

#[cfg(test)]
mod tests;
