//! The evaluator. It charges as upstream's does, whose units are those of the estimate.

mod attribute;
mod loops;
mod scope;

use std::{collections::HashMap, rc::Rc};

pub(crate) use self::scope::Local;
use crate::{
    ast::{Bind, Call, Element, Expr, Kind, Let, Unwrapped},
    check::type_by_name,
    function::Resolved,
    meter::{Failure, Meter},
    plan::Step,
    value::{Entries, Value},
};

/// The costs of making a list and a map, in upstream's units.
const LIST: u64 = 10;
const MAP: u64 = 30;

type Outcome<'a> = Result<Value<'a>, Failure>;

/// Evaluates expressions in a scope.
pub(crate) struct Evaluation<'a, 'm> {
    /// The innermost last.
    scope: Vec<Local<'a>>,
    /// The functions of the calls, as the checker resolved them.
    calls: &'a [Option<Resolved>],
    steps: &'a [Step],
    /// The values of constant parts, which are evaluated once.
    constants: HashMap<usize, Value<'a>>,
    meter: &'m mut Meter,
}

impl<'a, 'm> Evaluation<'a, 'm> {
    pub(crate) fn new(
        variables: Vec<(&'a str, Value<'a>)>,
        calls: &'a [Option<Resolved>],
        steps: &'a [Step],
        meter: &'m mut Meter,
    ) -> Self {
        let scope = variables.into_iter().map(|(name, value)| Local::ready(name, value)).collect();
        Self { scope, calls, steps, constants: HashMap::new(), meter }
    }

    /// Evaluates `expr`.
    pub(crate) fn of(&mut self, expr: &'a Expr) -> Outcome<'a> {
        match self.step(expr) {
            Step::Constant => {
                if let Some(value) = self.constants.get(&expr.id) {
                    return Ok(value.clone());
                }
                let cost = self.meter.cost();
                let value = self.constant(expr);
                self.meter.refund_to(cost);
                if let Ok(value) = &value {
                    self.constants.insert(expr.id, value.clone());
                }
                value
            }
            Step::Never => Ok(Value::Bool(false)),
            Step::Evaluated | Step::Membership => self.evaluated(expr),
        }
    }

    fn step(&self, expr: &Expr) -> Step {
        self.steps.get(expr.id).copied().unwrap_or(Step::Evaluated)
    }

    fn constant(&mut self, expr: &'a Expr) -> Outcome<'a> {
        let named = match &expr.kind {
            Kind::Name(_) | Kind::Select(..) => expr.qualified().and_then(|name| type_by_name(&name)),
            _ => None,
        };
        match named {
            Some(name) => Ok(Value::Type(name)),
            None => self.evaluated(expr),
        }
    }

    fn evaluated(&mut self, expr: &'a Expr) -> Outcome<'a> {
        self.meter.work(1)?; // constants and choices have no cost
        match &expr.kind {
            Kind::Literal(literal) => Ok(literal.into()),
            Kind::Name(_) | Kind::Select(..) | Kind::OptionalSelect(..) | Kind::Choice(_) => {
                self.whole_attribute(expr)
            }
            Kind::Has(operand, field) => self.has(operand, field),
            Kind::Call(call) if attribute::is_index(call) => self.whole_attribute(expr),
            Kind::Call(call) => self.call(expr, call),
            Kind::And(parts) => self.logic(parts, false),
            Kind::Or(parts) => self.logic(parts, true),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(over) => self.over(over),
            Kind::Bind(bind) => self.bind(bind),
            Kind::Let(bound) => self.bound(bound),
        }
    }

    fn call(&mut self, expr: &'a Expr, call: &'a Call) -> Outcome<'a> {
        let calls = self.calls;
        let resolved = calls.get(expr.id).and_then(Option::as_ref).ok_or(Failure::NoOverload)?;
        let target = call.target.as_deref().filter(|_| resolved.has_receiver);
        let shortcut = resolved.functions.first().and_then(|function| function.shortcut);
        if let (Some(shortcut), Some(target), [other]) = (shortcut, target, &call.arguments[..]) {
            let value = self.of(target)?;
            return match shortcut(&value) {
                Some(result) => Ok(result),
                None => self.of(other),
            };
        }
        let is_membership = self.step(expr) == Step::Membership;
        let values = self.arguments(target, &call.arguments, u64::from(!is_membership))?;
        if is_membership {
            return self.is_member(&values);
        }
        self.apply(resolved, &values)
    }

    /// Evaluates the arguments of a call. An error among two of them does not keep the other from being evaluated, and the
    /// call is charged; an error among more of them does, unless it is the last. Upstream finds the cost of such a call by the
    /// size of the error, which is 1.
    fn arguments(
        &mut self,
        target: Option<&'a Expr>,
        arguments: &'a [Expr],
        cost: u64,
    ) -> Result<Vec<Value<'a>>, Failure> {
        let parts: Vec<&'a Expr> = target.into_iter().chain(arguments).collect();
        let mut values = Vec::with_capacity(parts.len());
        let mut failed = None;
        for (position, part) in parts.iter().enumerate() {
            match self.of(part) {
                Ok(value) => values.push(value),
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(failure) if parts.len() > 2 && position + 1 < parts.len() => return Err(failure),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        match failed {
            Some(failure) => {
                self.meter.charge(cost)?;
                Err(failure)
            }
            None => Ok(values),
        }
    }

    /// Applies the first function that takes the values, if they are dynamic.
    fn apply(&mut self, resolved: &Resolved, values: &[Value<'a>]) -> Outcome<'a> {
        let before = self.meter.cost();
        for function in &resolved.functions {
            if let (Some(default), [Value::List(list)]) = (function.default, values)
                && list.len() == 0
            {
                return Ok(default(resolved.first_overload));
            }
            match (function.evaluate)(values, self.meter) {
                Err(Failure::NoOverload) => self.meter.refund_to(before),
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                outcome => {
                    if function.is_flat_if_dynamic && resolved.overloads > 1 {
                        self.meter.refund_to(before);
                        self.meter.charge(1)?;
                    }
                    return outcome;
                }
            }
        }
        self.meter.charge(1)?;
        Err(resolved.functions.first().map_or(Failure::NoOverload, |function| function.no_overload(values)))
    }

    /// Evaluates `in` with a constant list.
    fn is_member(&mut self, values: &[Value<'a>]) -> Outcome<'a> {
        match values {
            [item, Value::List(list)] => Ok(Value::Bool(list.contains(item, self.meter)?)),
            _ => Err(Failure::NoOverload),
        }
    }

    /// `&&` and `||`: the first part that `decides` does, whatever is wrong with those before it.
    fn logic(&mut self, parts: &'a [Expr], decides: bool) -> Outcome<'a> {
        let mut failed = None;
        for part in parts {
            match self.of(part) {
                Ok(Value::Bool(flag)) if flag == decides => return Ok(Value::Bool(decides)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => failed = failed.or(Some(Failure::NoOverload)),
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decides)), Err)
    }

    /// Evaluates an item of a list or a value of a map; an optional one can be absent.
    fn element(&mut self, element: &'a Element) -> Result<Option<Value<'a>>, Failure> {
        match (element.is_optional, self.of(&element.value)?) {
            (true, Value::Optional(inner)) => Ok(inner.map(|inner| Value::clone(&inner))),
            (true, _) => Err(Failure::NoOverload),
            (false, value) => Ok(Some(value)),
        }
    }

    fn list(&mut self, elements: &'a [Element]) -> Outcome<'a> {
        self.meter.charge(LIST)?;
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            items.extend(self.element(element)?);
        }
        Ok(Value::list(items))
    }

    /// Evaluates a map. Of entries with the same key, the last one counts.
    fn map(&mut self, entries: &'a [(Expr, Element)]) -> Outcome<'a> {
        self.meter.charge(MAP)?;
        let mut made: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, element) in entries {
            let key = self.of(key)?;
            let value = self.element(element)?;
            let mut known = None;
            for (position, (other, _)) in made.iter().enumerate() {
                if other.type_name() == key.type_name() && other.is(&key, self.meter)? {
                    known = Some(position);
                    break;
                }
            }
            match (known, value) {
                (Some(position), Some(value)) => made[position].1 = value,
                (Some(position), None) => drop(made.remove(position)),
                (None, Some(value)) => made.push((key, value)),
                (None, None) => {}
            }
        }
        Ok(Value::Map(Entries::Made(Rc::new(made))))
    }

    /// `optMap` and `optFlatMap`, which upstream makes of `hasValue`, `value`, `optional.of` and `optional.none`.
    fn bind(&mut self, bind: &'a Bind) -> Outcome<'a> {
        let value = self.of(&bind.value);
        self.meter.charge(1)?;
        match value? {
            Value::Optional(Some(_)) => {}
            Value::Optional(None) => {
                self.meter.charge(1)?;
                return Ok(Value::Optional(None));
            }
            other => return Err(Failure::NoOverloadOf(format!("hasValue({})", other.type_name()))),
        }
        let body = self.within(Local::inside(&bind.name, &bind.value, self.scope.len()), &bind.body);
        match bind.unwraps {
            Unwrapped::Wrapped => {
                self.meter.charge(1)?;
                Ok(Value::optional(Some(body?)))
            }
            Unwrapped::AsItIs => body,
        }
    }

    fn bound(&mut self, bound: &'a Let) -> Outcome<'a> {
        self.within(Local::of(&bound.name, &bound.value, self.scope.len()), &bound.body)
    }

    /// Evaluates a body with one more name.
    fn within(&mut self, local: Local<'a>, body: &'a Expr) -> Outcome<'a> {
        let outside = self.scope.len();
        self.scope.push(local);
        let value = self.of(body);
        self.scope.truncate(outside);
        value
    }
}
