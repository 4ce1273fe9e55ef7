//! How the objects of each kind are made up: types of fields, list types, map keys, merge keys and defaults. The
//! built-in kinds' come from a kube-apiserver's OpenAPI, a custom kind's from its definition.

mod builtin;
pub(crate) mod convert;
mod declared;
mod decode;
mod defaults;
mod judge;
mod managed;
mod node;
pub(crate) mod openapi;
pub(crate) mod prose;
mod rules;

pub(crate) use self::{
    declared::{Declared, default_causes},
    decode::{Complaints, decode},
    defaults::{prune, set_defaults},
    node::{Form, ListType, PatchRule, Scalar},
    rules::rule_causes,
};

use serde_json::Value;
use trimtab_managed_fields::TypeDef;

use self::node::{List, Node};
use crate::kinds::Kind;

/// How a value is made up: a place in the tree of a type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<'a>(&'a Node);

impl<'a> Schema<'a> {
    /// How objects of `kind` are made up; `None` if nothing is known of them.
    pub(crate) fn of(kind: &'a Kind) -> Option<Self> {
        match &kind.schema {
            Some(declared) => Some(declared.schema()),
            None => Schema::named(&kind.group, &kind.version, &kind.kind),
        }
    }

    /// Returns the type of a kind's objects for managed fields; `None` if nothing is known of them.
    pub(crate) fn managed_type(kind: &'a Kind) -> Option<&'a TypeDef> {
        match &kind.schema {
            Some(declared) => Some(declared.managed_type()),
            None => builtin::position_of_kind(&kind.group, &kind.version, &kind.kind).map(managed::built_in),
        }
    }

    /// How objects of a built-in kind are made up, whether it is served or, as `Scale` is, only sent and answered.
    pub(crate) fn named(group: &str, version: &str, kind: &str) -> Option<Self> {
        builtin::of_kind(group, version, kind).map(Self)
    }

    /// Returns the form of the value.
    pub(crate) fn kind(&self) -> Form {
        self.body().form
    }

    /// How a struct's property, or a map's value, is made up.
    pub(crate) fn field(&self, name: &str) -> Option<Self> {
        let body = self.body();
        match body.form {
            Form::Struct => body.field(name).map(|field| &field.node).or(body.items.as_deref()).map(Self),
            Form::Map => body.items.as_deref().map(Self),
            _ => None,
        }
    }

    /// The properties of a struct, in no order that means anything.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'a str, Self)> + use<'a> {
        self.body().fields.iter().map(|field| (&*field.name, Self(&field.node)))
    }

    /// How a list's items are made up.
    pub(crate) fn items(&self) -> Option<Self> {
        let body = self.body();
        if body.form == Form::List { body.items.as_deref().map(Self) } else { None }
    }

    /// Returns the list type; without one, a list is atomic.
    pub(crate) fn list(&self) -> ListType<'a> {
        match self.0.list.as_ref().or(self.body().list.as_ref()) {
            None | Some(List::Atomic) => ListType::Atomic,
            Some(List::Set) => ListType::Set,
            Some(List::Map(keys)) => ListType::Map(keys),
        }
    }

    /// Returns the default.
    pub(crate) fn default(&self) -> Option<&'a Value> {
        self.0.default.as_ref()
    }

    /// Returns the value of a property of a built-in struct in upstream's objects where it was left out: Go writes some
    /// that are not set.
    pub(crate) fn left_out(&self, name: &str) -> Option<&'a Value> {
        let field = self.body().field(name)?;
        let is_zero = |default: &&Value| match default {
            Value::Object(fields) => fields.is_empty(),
            Value::String(text) => text.is_empty(),
            Value::Number(number) => number.as_i64() == Some(0),
            other => **other == Value::Bool(false),
        };
        let default = field.node.default.as_ref();
        default.filter(is_zero).or((field.node.required && default.is_none()).then_some(&Value::Null))
    }

    /// How a strategic merge patch changes the value, if the type says so.
    pub(crate) fn patch(&self) -> Option<&'a PatchRule> {
        self.0.patch.as_ref()
    }

    /// Whether fields that are not declared are kept.
    pub(crate) fn preserves_unknown(&self) -> bool {
        self.body().preserves_unknown || self.body().form == Form::Any && !self.is_closed()
    }

    /// Returns whether nothing is known of the value, and no field of an object that it may be is kept.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed
    }

    /// Whether null is a value like any other.
    pub(crate) fn is_nullable(&self) -> bool {
        self.0.nullable
    }

    /// Whether a property has to be there.
    pub(crate) fn is_required(&self) -> bool {
        self.0.required
    }

    /// Whether the type is one of upstream's, not one that a definition declares.
    pub(crate) fn is_built_in(&self) -> bool {
        self.0.named.is_some() || self.0.name.is_some()
    }

    /// The name of a built-in type, such as `PodSpec`; empty if it has none.
    pub(crate) fn type_name(&self) -> &'static str {
        self.full_name().rsplit('.').next().unwrap_or_default()
    }

    /// The Go package of a built-in type, such as `v1`; empty if it has no name.
    pub(crate) fn package(&self) -> &'static str {
        self.full_name().rsplit('.').nth(1).unwrap_or_default()
    }

    /// The name of a built-in type, such as `api.core.v1.PodSpec`; empty if it has none.
    pub(crate) fn full_name(&self) -> &'static str {
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
mod tests;
