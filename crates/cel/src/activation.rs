//! [`Activation`]: the values of an expression's variables. [`Output`]: the value of an evaluated expression.

use serde_json::{Map, Value as Json};

use crate::{
    decl_type::DeclType,
    functions::convert::written,
    value::{Entries, List, Value},
};

/// The values of an expression's variables. JSON is read in place: a value is converted when the expression uses it.
#[derive(Debug, Default)]
pub struct Activation<'a> {
    pub(crate) variables: Vec<(&'a str, Value<'a>)>,
}

impl<'a> Activation<'a> {
    /// Makes an activation without variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds a variable to a value. A part of the value that does not fit its declared type keeps its JSON type.
    #[must_use]
    pub fn bind(self, name: &'a str, value: &'a Json, declared: &'a DeclType) -> Self {
        self.with(name, Value::of(value, Some(declared)))
    }

    /// Binds a variable to an optional value, as declared by [`Variable::optional`](crate::Variable::optional).
    #[must_use]
    pub fn bind_optional(self, name: &'a str, value: Option<&'a Json>, declared: &'a DeclType) -> Self {
        self.with(name, Value::optional(value.map(|value| Value::of(value, Some(declared)))))
    }

    /// Binds a variable to null.
    #[must_use]
    pub fn bind_null(self, name: &'a str) -> Self {
        self.with(name, Value::Null)
    }

    fn with(mut self, name: &'a str, value: Value<'a>) -> Self {
        self.variables.push((name, value));
        self
    }
}

/// The value of an evaluated expression.
#[derive(Debug, Clone)]
pub struct Output<'a>(Value<'a>);

impl<'a> Output<'a> {
    pub(crate) fn new(value: Value<'a>) -> Self {
        Self(value)
    }

    /// Returns the value of a `bool`.
    pub fn as_bool(&self) -> Option<bool> {
        match self.0 {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// Returns the value of a `string`.
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// Returns the name of the value's type, such as `int` or `google.protobuf.Duration`.
    pub fn type_name(&self) -> &'static str {
        self.0.type_name()
    }

    /// Converts the value to JSON. Times, durations, quantities, URLs, addresses and types become their texts, an optional
    /// value becomes its value or null. `None` for values without a JSON form: bytes that are no UTF-8, infinite numbers,
    /// semantic versions, and maps whose keys have no text.
    pub fn to_json(&self) -> Option<Json> {
        json(&self.0)
    }
}

fn json(value: &Value<'_>) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::from(*flag),
        Value::Int(number) => Json::from(*number),
        Value::Uint(number) => Json::from(*number),
        Value::Double(number) => Json::Number(serde_json::Number::from_f64(*number)?),
        Value::Bytes(bytes) => Json::from(std::str::from_utf8(bytes).ok()?),
        Value::Format(name) => Json::from(*name),
        Value::Optional(inner) => inner.as_deref().map_or(Some(Json::Null), json)?,
        Value::List(List::Of(items, _)) => Json::from(items.to_vec()),
        Value::List(list) => list.iter().map(|item| json(&item)).collect::<Option<Vec<_>>>()?.into(),
        Value::Object(fields, _) | Value::Map(Entries::Of(fields, _)) => Json::Object((*fields).clone()),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| Some((written(&key)?, json(&value)?)));
            Json::Object(entries.collect::<Option<Map<_, _>>>()?)
        }
        other => Json::from(written(other)?),
    })
}
