//! The evaluator.

use std::rc::Rc;

use crate::{
    ast::{Bind, Call, Element, Expr, Kind, Loop, Unwrapped, What},
    check::type_by_name,
    function::Resolved,
    meter::{Failure, Meter},
    value::{Entries, Text, Value, field},
};

/// The costs of making a list and a map, in upstream's units.
const LIST: u64 = 10;
const MAP: u64 = 30;

type Outcome<'a> = Result<Value<'a>, Failure>;

/// Evaluates expressions in a scope.
pub(crate) struct Evaluation<'a, 'm> {
    /// The innermost last.
    scope: Vec<(&'a str, Value<'a>)>,
    /// The functions of the calls, as the checker resolved them.
    calls: &'a [Option<Resolved>],
    meter: &'m mut Meter,
}

impl<'a, 'm> Evaluation<'a, 'm> {
    pub(crate) fn new(
        variables: Vec<(&'a str, Value<'a>)>,
        calls: &'a [Option<Resolved>],
        meter: &'m mut Meter,
    ) -> Self {
        Self { scope: variables, calls, meter }
    }

    /// Evaluates `expr`.
    pub(crate) fn of(&mut self, expr: &'a Expr) -> Outcome<'a> {
        match &expr.kind {
            Kind::Literal(literal) => Ok(literal.into()),
            Kind::Name(name) => self.name(name),
            Kind::Select(operand, field) => self.select(expr, operand, field),
            Kind::OptionalSelect(operand, field) => {
                let operand = self.of(operand)?;
                self.meter.charge(1)?;
                Ok(Value::optional(self.look_up(&operand, field)?))
            }
            Kind::Has(operand, field) => {
                let operand = self.of(operand)?;
                Ok(Value::Bool(self.look_up(&operand, field)?.is_some()))
            }
            Kind::Call(call) => self.call(expr, call),
            Kind::And(parts) => self.logic(parts, false),
            Kind::Or(parts) => self.logic(parts, true),
            Kind::Choice(parts) => self.choice(parts),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(over) => self.over(over),
            Kind::Bind(bind) => self.bind(bind),
        }
    }

    fn name(&mut self, name: &'a str) -> Outcome<'a> {
        self.meter.charge(1)?;
        if let Some((_, value)) = self.scope.iter().rev().find(|(known, _)| *known == name) {
            return Ok(value.clone());
        }
        let named = type_by_name(name).map(Value::Type);
        named.ok_or_else(|| Failure::error(format!("no such attribute(s): {name}")))
    }

    fn select(&mut self, expr: &Expr, operand: &'a Expr, name: &'a str) -> Outcome<'a> {
        if let Some(of_type) = self.type_named(expr) {
            self.meter.charge(1)?;
            return Ok(of_type);
        }
        let operand = self.of(operand)?;
        self.meter.charge(1)?;
        let found = self.look_up(&operand, name)?;
        match &operand {
            Value::Optional(_) => Ok(Value::optional(found)),
            _ => found.ok_or_else(|| Failure::no_key(name)),
        }
    }

    /// A type whose name has dots; no variable is called like its first part.
    fn type_named(&self, expr: &Expr) -> Option<Value<'a>> {
        let name = expr.qualified().filter(|name| name.contains('.'))?;
        let root = name.split('.').next()?;
        let is_variable = self.scope.iter().any(|(known, _)| *known == root);
        if is_variable { None } else { type_by_name(&name).map(Value::Type) }
    }

    /// The field of an object or a map, or of what is in an optional value; `None` if it is not there.
    fn look_up(&mut self, operand: &Value<'a>, name: &'a str) -> Result<Option<Value<'a>>, Failure> {
        match operand {
            Value::Object(fields, object) => Ok(field(fields, object, name)),
            Value::Map(entries) => entries.get(&Value::String(Text::Of(name)), self.meter),
            Value::Optional(Some(inner)) => self.look_up(inner, name),
            Value::Optional(None) => Ok(None),
            _ => Err(Failure::NoOverload),
        }
    }

    fn call(&mut self, expr: &'a Expr, call: &'a Call) -> Outcome<'a> {
        let calls = self.calls;
        let resolved = calls.get(expr.id).and_then(Option::as_ref).ok_or(Failure::NoOverload)?;
        let mut values = Vec::with_capacity(call.arguments.len() + 1);
        if let Some(target) = call.target.as_deref().filter(|_| resolved.has_receiver) {
            values.push(self.of(target)?);
        }
        for argument in &call.arguments {
            values.push(self.of(argument)?);
        }
        for function in &resolved.functions {
            match (function.evaluate)(&values, self.meter) {
                Err(Failure::NoOverload) => {} // of dynamic values, another library's function may take them
                outcome => return outcome,
            }
        }
        Err(Failure::NoOverload)
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

    fn choice(&mut self, parts: &'a [Expr; 3]) -> Outcome<'a> {
        match self.of(&parts[0])? {
            Value::Bool(true) => self.of(&parts[1]),
            Value::Bool(false) => self.of(&parts[2]),
            _ => Err(Failure::NoOverload),
        }
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
        let mut items = Vec::with_capacity(elements.len());
        for element in elements {
            items.extend(self.element(element)?);
        }
        self.meter.charge(LIST)?;
        Ok(Value::list(items))
    }

    fn map(&mut self, entries: &'a [(Expr, Element)]) -> Outcome<'a> {
        let mut made: Vec<(Value<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for (key, element) in entries {
            let key = self.of(key)?;
            let Some(value) = self.element(element)? else { continue };
            for (known, _) in &made {
                if known.is(&key, self.meter)? {
                    return Err(Failure::error("Failed with repeated key"));
                }
            }
            made.push((key, value));
        }
        self.meter.charge(MAP)?;
        Ok(Value::Map(Entries::Made(Rc::new(made))))
    }

    /// Evaluates the range of a loop: pairs of its first and its second variable.
    fn range(
        &mut self,
        over: &'a Loop,
    ) -> Result<Box<dyn Iterator<Item = (Value<'a>, Value<'a>)> + 'a>, Failure> {
        let has_two = over.second.is_some();
        Ok(match self.of(&over.range)? {
            Value::List(list) => {
                let positions = list.iter().enumerate();
                Box::new(positions.map(move |(position, item)| {
                    let position = i64::try_from(position).unwrap_or(i64::MAX);
                    if has_two { (Value::Int(position), item) } else { (item, Value::Null) }
                }))
            }
            Value::Map(entries) => entries.iter(),
            _ => return Err(Failure::NoOverload),
        })
    }

    fn over(&mut self, over: &'a Loop) -> Outcome<'a> {
        let range = self.range(over)?;
        let outside = self.scope.len();
        let outcome = match over.what {
            What::All => self.decide(over, range, false),
            What::Exists => self.decide(over, range, true),
            What::ExistsOne => self.count(over, range),
            What::Map | What::Filter => self.collect(over, range),
            What::TransformMap => self.collect_map(over, range),
        };
        self.scope.truncate(outside);
        outcome
    }

    /// Gives the loop's names to an item, in the place of the one before.
    fn enter(&mut self, over: &'a Loop, outside: usize, first: Value<'a>, second: Value<'a>) {
        self.scope.truncate(outside);
        self.scope.push((&over.first, first));
        if let Some(name) = &over.second {
            self.scope.push((name, second));
        }
    }

    /// `all` and `exists`: the first item that `decides` does, whatever is wrong with those before it.
    fn decide(
        &mut self,
        over: &'a Loop,
        range: impl Iterator<Item = (Value<'a>, Value<'a>)>,
        decides: bool,
    ) -> Outcome<'a> {
        let outside = self.scope.len();
        let mut failed = None;
        for (first, second) in range {
            self.enter(over, outside, first, second);
            self.meter.charge(if decides { 4 } else { 3 })?;
            match self.of(&over.body) {
                Ok(Value::Bool(flag)) if flag == decides => return Ok(Value::Bool(decides)),
                Ok(Value::Bool(_)) => {}
                Ok(_) => failed = failed.or(Some(Failure::NoOverload)),
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        self.meter.charge(1)?;
        failed.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn holds(&mut self, condition: &'a Expr) -> Result<bool, Failure> {
        match self.of(condition)? {
            Value::Bool(flag) => Ok(flag),
            _ => Err(Failure::NoOverload),
        }
    }

    fn count(&mut self, over: &'a Loop, range: impl Iterator<Item = (Value<'a>, Value<'a>)>) -> Outcome<'a> {
        let outside = self.scope.len();
        let mut found = 0_u64;
        for (first, second) in range {
            self.enter(over, outside, first, second);
            let holds = self.holds(&over.body)?;
            self.meter.charge(if holds { 2 } else { 1 })?;
            found += u64::from(holds);
        }
        self.meter.charge(2)?;
        Ok(Value::Bool(found == 1))
    }

    fn collect(
        &mut self,
        over: &'a Loop,
        range: impl Iterator<Item = (Value<'a>, Value<'a>)>,
    ) -> Outcome<'a> {
        let outside = self.scope.len();
        let mut items = Vec::new();
        for (first, second) in range {
            let item = first.clone();
            self.enter(over, outside, first, second);
            let condition = if over.what == What::Filter { Some(&over.body) } else { over.filter.as_ref() };
            if let Some(condition) = condition
                && !self.holds(condition)?
            {
                self.meter.charge(1)?;
                continue;
            }
            items.push(if over.what == What::Filter { item } else { self.of(&over.body)? });
            self.meter.charge(LIST + 2)?;
        }
        self.meter.charge(LIST + 1)?;
        Ok(Value::list(items))
    }

    fn collect_map(
        &mut self,
        over: &'a Loop,
        range: impl Iterator<Item = (Value<'a>, Value<'a>)>,
    ) -> Outcome<'a> {
        let outside = self.scope.len();
        let mut entries = Vec::new();
        for (first, second) in range {
            let key = first.clone();
            self.enter(over, outside, first, second);
            if let Some(filter) = &over.filter
                && !self.holds(filter)?
            {
                self.meter.charge(1)?;
                continue;
            }
            entries.push((key, self.of(&over.body)?));
            self.meter.charge(2)?;
        }
        self.meter.charge(MAP + 1)?;
        Ok(Value::Map(Entries::Made(Rc::new(entries))))
    }

    fn bind(&mut self, bind: &'a Bind) -> Outcome<'a> {
        let value = match self.of(&bind.value)? {
            Value::Optional(None) => return Ok(Value::Optional(None)),
            Value::Optional(Some(inner)) => Value::clone(&inner),
            _ => return Err(Failure::NoOverload),
        };
        self.meter.charge(LIST)?;
        self.scope.push((&bind.name, value));
        let body = self.of(&bind.body);
        self.scope.pop();
        match bind.unwraps {
            Unwrapped::Wrapped => Ok(Value::optional(Some(body?))),
            Unwrapped::AsItIs => body,
        }
    }
}
