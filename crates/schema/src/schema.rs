//! [`Schema`]: the type of a value, as a place in the tree of a type.

use serde_json::Value;
use trimtab_managed_fields::TypeDef;

use crate::{
    ListType, builtin, managed,
    node::{Form, List, Node, PatchRule, Scalar, ZeroValue},
};

/// The type of a value: that of a built-in kind, of a custom kind, or of a part of one.
#[derive(Debug, Clone, Copy)]
pub struct Schema<'a>(pub(crate) &'a Node);

impl<'a> Schema<'a> {
    /// Returns the type of a built-in kind of Kubernetes, whether its objects are stored or, as those of `Scale`, only sent.
    pub fn named(group: &str, version: &str, kind: &str) -> Option<Self> {
        builtin::of_kind(group, version, kind).map(Self)
    }

    /// Returns a built-in type by its full name, such as `api.core.v1.PodSpec`.
    pub fn of_type(name: &str) -> Option<Self> {
        builtin::position(name).map(builtin::definition).map(Self)
    }

    /// Returns the type of a built-in kind for managed fields.
    pub fn managed_type(group: &str, version: &str, kind: &str) -> Option<&'static TypeDef> {
        builtin::position_of_kind(group, version, kind).map(managed::built_in)
    }

    /// Returns the form of the value.
    pub fn kind(&self) -> Form {
        self.body().form
    }

    /// Returns the type of a struct's property, or of a map's value.
    pub fn field(&self, name: &str) -> Option<Self> {
        let body = self.body();
        match body.form {
            Form::Struct => body.fields.get(name).or(body.items.as_deref()).map(Self),
            Form::Map => body.items.as_deref().map(Self),
            _ => None,
        }
    }

    /// Returns the properties of a struct, in no particular order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        self.body().fields.iter().map(|(name, node)| (name, Self(node)))
    }

    /// Returns the type of a list's items.
    pub fn items(&self) -> Option<Self> {
        let body = self.body();
        if body.form == Form::List { body.items.as_deref().map(Self) } else { None }
    }

    /// Returns the list type; without one, a list is atomic.
    pub fn list(&self) -> ListType<'a> {
        match self.0.list.as_ref().or(self.body().list.as_ref()) {
            None | Some(List::Atomic) => ListType::Atomic,
            Some(List::Set) => ListType::Set,
            Some(List::Map(keys)) => ListType::Map(keys),
        }
    }

    /// Returns the default.
    pub fn default(&self) -> Option<&'a Value> {
        self.0.default.as_ref()
    }

    /// Returns the value of a property of a built-in struct in upstream's objects where it was left out: Go writes some
    /// that are not set.
    pub fn left_out(&self, name: &str) -> Option<&'a Value> {
        let field = self.body().fields.get(name)?;
        let is_zero = |default: &&Value| match default {
            Value::Object(fields) => fields.is_empty(),
            Value::String(text) => text.is_empty(),
            Value::Number(number) => number.as_i64() == Some(0),
            other => **other == Value::Bool(false),
        };
        if field.zero == ZeroValue::Null {
            return Some(&Value::Null);
        }
        let default = field.default.as_ref();
        default.filter(is_zero).or((field.required && default.is_none()).then_some(&Value::Null))
    }

    /// Returns whether the field is as good as not set if it has this value: the zero value of a field that Go holds by value.
    /// Where Go writes it, it does so once defaults are set ([`write_zeros`](crate::write_zeros)); of a field of the object
    /// itself, which `is_outermost` tells, there and then.
    pub(crate) fn leaves_out(&self, value: &Value, is_outermost: bool) -> bool {
        let is_held_by_value = match self.0.zero {
            ZeroValue::IsNil | ZeroValue::Null => false,
            ZeroValue::LeftOut => true,
            ZeroValue::Written => !is_outermost,
        };
        is_held_by_value
            && match value {
                Value::Bool(value) => !value,
                Value::String(text) => text.is_empty(),
                Value::Number(number) => number.as_i64() == Some(0),
                _ => false,
            }
    }

    /// Returns the properties of a built-in struct that Go writes even if they are not set.
    pub(crate) fn written(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        let body = self.body();
        body.written.iter().filter_map(|name| Some((&**name, Self(body.fields.get(name)?))))
    }

    /// Returns whether Go writes null where the field is not set.
    pub(crate) fn is_null_if_unset(&self) -> bool {
        self.0.zero == ZeroValue::Null
    }

    /// Returns what Go writes for a value of a built-in type that is not set.
    pub(crate) fn zero(&self) -> Value {
        match self.kind() {
            _ if self.is_null_if_unset() => Value::Null,
            Form::Struct => self.written().map(|(name, schema)| (name.to_owned(), schema.zero())).collect(),
            Form::Scalar(Scalar::String) => "".into(),
            Form::Scalar(Scalar::Boolean) => false.into(),
            Form::Scalar(Scalar::Int32 | Scalar::Int64) => 0.into(),
            _ => Value::Null,
        }
    }

    /// Returns the rule of strategic merge patches for the value, if there is one.
    pub fn patch(&self) -> Option<&'a PatchRule> {
        self.0.patch.as_ref()
    }

    /// Returns whether undeclared fields are kept.
    pub fn preserves_unknown(&self) -> bool {
        self.body().preserves_unknown || self.body().form == Form::Any && !self.is_closed()
    }

    /// Returns whether nothing is known of the value, and no field of an object that it may be is kept.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed
    }

    /// Returns the values that a string of a built-in type may have; empty if any will do, or if validation decides.
    pub fn choices(&self) -> &'a [String] {
        if self.0.choices.is_empty() { &self.body().choices } else { &self.0.choices }
    }

    /// Returns whether null is allowed.
    pub fn is_nullable(&self) -> bool {
        self.0.nullable
    }

    /// Returns whether the property is required.
    pub fn is_required(&self) -> bool {
        self.0.required
    }

    /// Returns whether the type is one of Kubernetes', and not declared by a definition.
    pub fn is_built_in(&self) -> bool {
        self.0.named.is_some() || self.0.name.is_some()
    }

    /// Returns the name of a built-in type, such as `PodSpec`; empty if it has none.
    pub fn type_name(&self) -> &'static str {
        self.full_name().rsplit('.').next().unwrap_or_default()
    }

    /// Returns the Go package of a built-in type, such as `v1`; empty if it has no name.
    pub fn package(&self) -> &'static str {
        self.full_name().rsplit('.').nth(1).unwrap_or_default()
    }

    /// Returns the full name of a built-in type, such as `api.core.v1.PodSpec`; empty if it has none.
    pub fn full_name(&self) -> &'static str {
        self.body().name.unwrap_or_default()
    }

    /// Returns the node of the type itself: of a reference, the node of the named type.
    fn body(&self) -> &'a Node {
        match self.0.named {
            Some(position) => builtin::definition(position),
            None => self.0,
        }
    }
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
