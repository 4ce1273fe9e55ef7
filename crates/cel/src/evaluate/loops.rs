//! Loops: the macros that look at each item of a list, or at each entry of a map.

use std::{collections::HashSet, rc::Rc};

use super::{Evaluation, LIST, Local, Outcome};
use crate::{
    ast::{Expr, Loop, What},
    functions::convert::written,
    meter::{Failure, Meter},
    plan::Step,
    value::{Entries, Value},
};

/// The range of a loop: pairs of its first and its second variable.
type Range<'a> = Box<dyn Iterator<Item = (Value<'a>, Value<'a>)> + 'a>;

/// Returns the name that upstream's implementation has for a type of values that are no lists or maps.
fn go_type(value: &Value<'_>) -> &'static str {
    match value {
        Value::Null => "types.Null",
        Value::Bool(_) => "types.Bool",
        Value::Int(_) => "types.Int",
        Value::Uint(_) => "types.Uint",
        Value::Double(_) => "types.Double",
        Value::String(_) => "types.String",
        Value::Bytes(_) => "types.Bytes",
        Value::Duration(_) => "types.Duration",
        Value::Timestamp(..) => "types.Timestamp",
        Value::Optional(_) => "*types.Optional",
        Value::Type(_) => "*types.Type",
        other => other.type_name(),
    }
}

impl<'a> Evaluation<'a, '_> {
    fn range(&mut self, over: &'a Loop) -> Result<Range<'a>, Failure> {
        let has_two = over.second.is_some();
        Ok(match self.of(&over.range)? {
            Value::List(list) => {
                let positions = list.iter().enumerate();
                Box::new(positions.map(move |(position, item)| {
                    let position = i64::try_from(position).unwrap_or(i64::MAX);
                    if has_two { (Value::Int(position), item) } else { (item, Value::Null) }
                }))
            }
            value @ (Value::Map(_) | Value::Object(..)) => value.entries(),
            other if has_two => {
                let because = format!("unsupported comprehension range type: {}", go_type(&other));
                return Err(Failure::error(because));
            }
            other => {
                let because = format!("got '{}', expected iterable type", go_type(&other));
                return Err(Failure::error(because));
            }
        })
    }

    pub(super) fn over(&mut self, over: &'a Loop) -> Outcome<'a> {
        let range = self.range(over)?;
        let outside = self.scope.len();
        let outcome = match over.what {
            What::All => self.decide(over, range, false),
            What::Exists => self.decide(over, range, true),
            What::ExistsOne => self.count(over, range),
            What::Map | What::Filter => self.collect(over, range),
            What::TransformMap | What::TransformMapEntry => self.collect_map(over, range),
        };
        self.scope.truncate(outside);
        outcome
    }

    /// Gives the loop's names to an item, in the place of the one before.
    fn enter(&mut self, over: &'a Loop, outside: usize, first: Value<'a>, second: Value<'a>) {
        self.scope.truncate(outside);
        self.scope.push(Local::ready(&over.first, first));
        if let Some(name) = &over.second {
            self.scope.push(Local::ready(name, second));
        }
    }

    /// `all` and `exists`: the first item that `decides` does, whatever is wrong with those before it.
    fn decide(&mut self, over: &'a Loop, range: Range<'a>, decides: bool) -> Outcome<'a> {
        // Before each item, upstream looks whether the result is decided.
        let look = if decides { 3 } else { 2 };
        let outside = self.scope.len();
        let (mut failed, mut is_decided) = (None, false);
        for (first, second) in range {
            self.meter.charge(look)?;
            if is_decided {
                break;
            }
            self.enter(over, outside, first, second);
            self.meter.charge(1)?;
            match self.of(&over.body) {
                Ok(Value::Bool(flag)) => is_decided = flag == decides,
                Ok(_) => failed = failed.or(Some(Failure::NoOverload)),
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        self.meter.charge(1)?;
        match failed {
            Some(failure) if !is_decided => Err(failure),
            _ => Ok(Value::Bool(decides == is_decided)),
        }
    }

    fn holds(&mut self, condition: &'a Expr) -> Result<bool, Failure> {
        match self.of(condition)? {
            Value::Bool(flag) => Ok(flag),
            _ => Err(Failure::NoOverload),
        }
    }

    /// Returns whether an item is wanted. An error of the condition replaces the one before it.
    fn filtered(&mut self, filter: Option<&'a Expr>, failed: &mut Option<Failure>) -> Result<bool, Failure> {
        match filter.map(|filter| self.holds(filter)) {
            None => Ok(true),
            Some(Ok(holds)) => Ok(holds),
            Some(Err(Failure::TooCostly)) => Err(Failure::TooCostly),
            Some(Err(failure)) => {
                *failed = Some(failure);
                Ok(false)
            }
        }
    }

    fn count(&mut self, over: &'a Loop, range: Range<'a>) -> Outcome<'a> {
        let outside = self.scope.len();
        let (mut found, mut failed) = (0_u64, None);
        for (first, second) in range {
            self.enter(over, outside, first, second);
            if self.filtered(Some(&over.body), &mut failed)? {
                self.meter.charge(2)?;
                found += 1;
            }
            self.meter.work(1)?;
        }
        self.meter.charge(2)?;
        failed.map_or(Ok(Value::Bool(found == 1)), Err)
    }

    fn collect(&mut self, over: &'a Loop, range: Range<'a>) -> Outcome<'a> {
        let outside = self.scope.len();
        let (mut items, mut failed) = (Vec::new(), None);
        let is_filter = over.what == What::Filter;
        let condition = if is_filter { Some(&over.body) } else { over.filter.as_ref() };
        // A list of one item is added to the list of those before: for a constant item, it is constant, too.
        let is_constant = !is_filter && matches!(self.step(&over.body), Step::Constant | Step::Never);
        let made = if is_constant { 2 } else { LIST + 2 };
        for (first, second) in range {
            let item = first.clone();
            self.enter(over, outside, first, second);
            self.meter.work(1)?;
            if !self.filtered(condition, &mut failed)? {
                continue;
            }
            self.meter.charge(if is_filter { made + 1 } else { made })?;
            let made = if is_filter { Ok(item) } else { self.of(&over.body) };
            match made {
                Ok(item) if failed.is_none() => {
                    self.meter.make(1)?;
                    items.push(item);
                }
                Ok(_) => {}
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        self.meter.charge(1)?;
        failed.map_or_else(|| Ok(Value::list(items)), Err)
    }

    /// `transformMap` and `transformMapEntry`.
    fn collect_map(&mut self, over: &'a Loop, range: Range<'a>) -> Outcome<'a> {
        let outside = self.scope.len();
        let (mut entries, mut failed) = (Inserted::default(), None);
        let is_entry = over.what == What::TransformMapEntry;
        for (first, second) in range {
            let key = first.clone();
            self.enter(over, outside, first, second);
            self.meter.work(1)?;
            if !self.filtered(over.filter.as_ref(), &mut failed)? {
                continue;
            }
            self.meter.charge(1)?;
            if failed.is_some() && !is_entry {
                continue; // the key and the value are not evaluated
            }
            self.meter.charge(if is_entry { 1 } else { 2 })?;
            let added = match self.of(&over.body) {
                Ok(value) if is_entry => entries.insert_all(&value, self.meter),
                Ok(value) => entries.insert(key, value, self.meter),
                Err(failure) => Err(failure),
            };
            match added {
                Ok(()) => {}
                Err(Failure::TooCostly) => return Err(Failure::TooCostly),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        self.meter.charge(1)?;
        failed.map_or_else(|| Ok(Value::Map(Entries::Made(Rc::new(entries.entries)))), Err)
    }
}

/// The entries of a map that is made, each with a key of its own.
#[derive(Debug, Default)]
struct Inserted<'a> {
    entries: Vec<(Value<'a>, Value<'a>)>,
    /// The texts of the keys. Numbers of different types can be equal, and have one text then.
    keys: HashSet<String>,
}

impl<'a> Inserted<'a> {
    fn insert_all(&mut self, added: &Value<'a>, meter: &mut Meter) -> Result<(), Failure> {
        if !matches!(added, Value::Map(_) | Value::Object(..)) {
            return Err(Failure::NoOverload);
        }
        added.entries().try_for_each(|(key, value)| self.insert(key, value, meter))
    }

    /// Inserts an entry whose key is absent.
    fn insert(&mut self, key: Value<'a>, value: Value<'a>, meter: &mut Meter) -> Result<(), Failure> {
        let text = written(&key).unwrap_or_else(|| key.type_name().to_owned());
        let quote = if matches!(key, Value::String(_)) { "'" } else { "" };
        if !self.keys.insert(format!("{quote}{text}")) {
            return Err(Failure::error(format!("insert failed: key {text} already exists")));
        }
        meter.make(1)?;
        meter.work(text.len())?;
        self.entries.push((key, value));
        Ok(())
    }
}
