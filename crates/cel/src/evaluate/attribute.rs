//! Attributes: a variable or a computed value with the fields and indices behind it. Upstream evaluates all of them at once,
//! and charges 1 for the attribute and 1 for each step.

use super::{Evaluation, Outcome};
use crate::{
    ast::{Call, Expr, Kind},
    meter::Failure,
    value::{Text, Value, field},
};

/// Returns whether a call is an index: a step of an attribute.
pub(super) fn is_index(call: &Call) -> bool {
    matches!(call.function.as_str(), "_[_]" | "_[?_]")
}

/// Returns whether an attribute begins with a choice between others, which has no cost of its own.
fn is_choice(expr: &Expr) -> bool {
    match &expr.kind {
        Kind::Choice(_) => true,
        Kind::Select(operand, _) | Kind::OptionalSelect(operand, _) => is_choice(operand),
        Kind::Call(call) if is_index(call) => call.arguments.first().is_some_and(is_choice),
        _ => false,
    }
}

impl<'a> Evaluation<'a, '_> {
    /// Evaluates an attribute that is no part of another.
    pub(super) fn whole_attribute(&mut self, expr: &'a Expr) -> Outcome<'a> {
        self.meter.charge(u64::from(!is_choice(expr)))?;
        self.attribute(expr)
    }

    /// `has(operand.field)`. Only the step is charged.
    pub(super) fn has(&mut self, operand: &'a Expr, name: &'a str) -> Outcome<'a> {
        let of = self.attribute(operand)?;
        let is_absent = matches!(of, Value::Optional(None));
        self.meter.charge(u64::from(!is_choice(operand) && !is_absent))?;
        Ok(Value::Bool(self.look_up(&of, name)?.is_some()))
    }

    /// Evaluates an attribute without the charge for it as a whole. Behind an optional step, the value is optional.
    fn attribute(&mut self, expr: &'a Expr) -> Outcome<'a> {
        if self.step(expr) != crate::plan::Step::Evaluated {
            return self.of(expr);
        }
        match &expr.kind {
            Kind::Name(name) => self.named(name),
            Kind::Select(operand, name) => {
                let operand = self.attribute(operand)?;
                self.select(&operand, name)
            }
            Kind::OptionalSelect(operand, name) => {
                let operand = self.attribute(operand)?;
                self.optional_select(&operand, name)
            }
            Kind::Choice(parts) => match self.of(&parts[0])? {
                Value::Bool(true) => self.attribute(&parts[1]),
                Value::Bool(false) => self.attribute(&parts[2]),
                _ => Err(Failure::NoOverload),
            },
            Kind::Call(call) if is_index(call) => self.index(expr, call),
            _ => self.of(expr),
        }
    }

    fn select(&mut self, operand: &Value<'a>, name: &'a str) -> Outcome<'a> {
        if let Value::Optional(_) = operand {
            return self.optional_select(operand, name);
        }
        self.meter.charge(1)?;
        let found = self.look_up(operand, name)?;
        found.ok_or_else(|| Failure::no_key(name))
    }

    fn optional_select(&mut self, operand: &Value<'a>, name: &'a str) -> Outcome<'a> {
        let found = self.look_up(operand, name)?;
        self.meter.charge(u64::from(found.is_some()))?;
        Ok(Value::optional(found))
    }

    /// The index is evaluated after the operand, and only if that is not absent.
    fn index(&mut self, expr: &'a Expr, call: &'a Call) -> Outcome<'a> {
        let [operand, index] = &call.arguments[..] else { return Err(Failure::NoOverload) };
        let operand = self.attribute(operand)?;
        if let Value::Optional(None) = operand {
            return Ok(operand);
        }
        let index = self.attribute(index)?;
        let calls = self.calls;
        let resolved = calls.get(expr.id).and_then(Option::as_ref).ok_or(Failure::NoOverload)?;
        let function = resolved.functions.first().ok_or(Failure::NoOverload)?;
        (function.evaluate)(&[operand, index], self.meter)
    }

    /// Returns the field of an object or a map, or of the value in an optional value; `None` if it is absent. Other values
    /// have no fields, but a list is an error.
    fn look_up(&mut self, operand: &Value<'a>, name: &'a str) -> Result<Option<Value<'a>>, Failure> {
        match operand {
            Value::Object(fields, object) => Ok(field(fields, object, name)),
            Value::Map(entries) => entries.get(&Value::String(Text::Of(name)), self.meter),
            Value::Optional(Some(inner)) => self.look_up(inner, name),
            Value::List(_) => Err(Failure::error("unsupported index type 'string' in list")),
            _ => Ok(None),
        }
    }
}
