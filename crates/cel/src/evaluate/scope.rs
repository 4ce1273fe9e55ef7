//! The names that an expression can use. The values of those that a macro declares are computed when they are first used.

use super::{Evaluation, Outcome};
use crate::{ast::Expr, meter::Failure, value::Value};

/// A name and its value.
#[derive(Debug)]
pub(crate) struct Local<'a> {
    name: &'a str,
    slot: Slot<'a>,
}

#[derive(Debug)]
enum Slot<'a> {
    Known(Result<Value<'a>, Failure>),
    /// The value of an expression in the scope of that length; or what is inside of it, if it is an optional value.
    Pending {
        value: &'a Expr,
        scope: usize,
        is_inside: bool,
    },
}

impl<'a> Local<'a> {
    /// Makes a name for a value.
    pub(super) fn ready(name: &'a str, value: Value<'a>) -> Self {
        Self { name, slot: Slot::Known(Ok(value)) }
    }

    /// Makes a name for the value of an expression.
    pub(super) fn of(name: &'a str, value: &'a Expr, scope: usize) -> Self {
        Self { name, slot: Slot::Pending { value, scope, is_inside: false } }
    }

    /// Makes a name for the value inside of an optional value.
    pub(super) fn inside(name: &'a str, value: &'a Expr, scope: usize) -> Self {
        Self { name, slot: Slot::Pending { value, scope, is_inside: true } }
    }
}

impl<'a> Evaluation<'a, '_> {
    /// Returns the value of a name.
    pub(super) fn named(&mut self, name: &str) -> Outcome<'a> {
        let Some(position) = self.scope.iter().rposition(|local| local.name == name) else {
            return Err(Failure::error(format!("no such attribute(s): {name}")));
        };
        let (value, scope, is_inside) = match &self.scope[position].slot {
            Slot::Known(value) => return value.clone(),
            Slot::Pending { value, scope, is_inside } => (*value, *scope, *is_inside),
        };
        let inner = self.scope.split_off(scope);
        let outcome = self.of(value);
        self.scope.extend(inner);
        let outcome = match outcome {
            Err(Failure::TooCostly) => return Err(Failure::TooCostly),
            outcome if is_inside => {
                self.meter.charge(1)?;
                outcome.and_then(|optional| match optional {
                    Value::Optional(Some(inner)) => Ok(Value::clone(&inner)),
                    Value::Optional(None) => Err(Failure::error("optional.none() dereference")),
                    _ => Err(Failure::NoOverload),
                })
            }
            outcome => outcome,
        };
        self.scope[position].slot = Slot::Known(outcome.clone());
        outcome
    }
}
