//! The cost estimate: the highest cost of an expression by the size limits of its variables. Upstream refuses rules of
//! definitions by it.

mod arguments;
mod found;
mod range;

use std::sync::LazyLock;

use self::found::{Found, Path};
pub(crate) use self::{
    arguments::{Arguments, Estimated},
    range::Range,
};
use crate::{
    ast::{Bind, Call, Expr, Kind, Literal, Loop, Unwrapped, What},
    decl_type::DeclType,
    function::Resolved,
    typed::Type,
};

/// Estimates the highest cost of a checked expression over these variables.
pub(crate) fn most(
    expr: &Expr,
    types: &[Type],
    calls: &[Option<Resolved>],
    variables: &[(&str, Option<&DeclType>)],
) -> u64 {
    let scope = variables.iter().map(|(name, place)| Local { name, size: None, path: Path::of(*place) });
    let root = variables.iter().find_map(|(_, place)| *place);
    let mut estimate = Estimate { types, calls, root, scope: scope.collect() };
    estimate.part(expr).cost.max
}

struct Estimate<'d> {
    types: &'d [Type],
    calls: &'d [Option<Resolved>],
    /// The schema of the value that the rule is about.
    root: Option<&'d DeclType>,
    /// The innermost last.
    scope: Vec<Local<'d>>,
}

/// A name, and what is known of its value.
#[derive(Debug, Clone)]
struct Local<'d> {
    name: &'d str,
    size: Option<Range>,
    path: Path<'d>,
}

impl<'d> Estimate<'d> {
    fn of_type(&self, expr: &Expr) -> &'d Type {
        self.types.get(expr.id).unwrap_or(&Type::Dyn)
    }

    /// Estimates a part.
    fn part(&mut self, expr: &'d Expr) -> Found<'d> {
        match &expr.kind {
            Kind::Literal(literal) => {
                let size = match literal {
                    Literal::String(text) => text.chars().count(),
                    Literal::Bytes(bytes) => bytes.len(),
                    _ => 1,
                };
                Found { size: Some(exactly(size)), ..Found::costing(Range::exactly(0)) }
            }
            Kind::Name(name) => self.name(expr, name),
            Kind::Select(operand, field) => self.select(expr, operand, field),
            Kind::OptionalSelect(operand, _) => {
                Found::costing(self.part(operand).cost.plus(Range::exactly(1)))
            }
            Kind::Has(operand, _) => {
                Found { size: Some(Range::exactly(1)), ..Found::costing(self.part(operand).cost) }
            }
            Kind::Call(call) => self.call(expr, call),
            Kind::And(parts) | Kind::Or(parts) => {
                let costs: Vec<Range> = parts.iter().map(|part| self.part(part).cost).collect();
                let min = costs.first().map_or(0, |first| first.min);
                let max = costs.iter().fold(0_u64, |sum, cost| sum.saturating_add(cost.max));
                Found { size: Some(Range::exactly(1)), ..Found::costing(Range { min, max }) }
            }
            Kind::Choice(parts) => self.choice(parts),
            Kind::List(elements) => {
                let found: Vec<Found<'_>> =
                    elements.iter().map(|element| self.part(&element.value)).collect();
                let cost = found.iter().fold(Range::exactly(10), |sum, found| sum.plus(found.cost));
                let sizes = found.iter().map(|found| found.size.unwrap_or(Range::UNKNOWN));
                let item = sizes.reduce(Range::or).unwrap_or(Range::exactly(0));
                let entries = Some((Range::exactly(1), item));
                Found { cost, size: Some(exactly(elements.len())), path: Path::None, entries }
            }
            Kind::Map(entries) => {
                let mut cost = Range::exactly(30);
                let (mut keys, mut values) = (None::<Range>, None::<Range>);
                for (key, element) in entries {
                    for (part, sizes) in [(key, &mut keys), (&element.value, &mut values)] {
                        let found = self.part(part);
                        cost = cost.plus(found.cost);
                        let size = found.size.unwrap_or(Range::UNKNOWN);
                        *sizes = Some(sizes.map_or(size, |sizes| sizes.or(size)));
                    }
                }
                let sizes = (keys.unwrap_or(Range::exactly(0)), values.unwrap_or(Range::exactly(0)));
                Found { cost, size: Some(exactly(entries.len())), path: Path::None, entries: Some(sizes) }
            }
            Kind::Loop(over) => self.over(over),
            Kind::Bind(bind) => self.bind(bind),
        }
    }

    /// The size of a value at a place of the object, or of one that has no parts.
    fn size(&self, expr: &Expr, path: Path<'_>) -> Option<Range> {
        path.end().map(|place| Range { min: 0, max: place.most }).or_else(|| fixed(self.of_type(expr)))
    }

    fn name(&mut self, expr: &Expr, name: &str) -> Found<'d> {
        let cost = Range::exactly(1);
        match self.scope.iter().rev().find(|local| local.name == name) {
            Some(local) => Found {
                cost,
                size: self.size(expr, local.path).or(local.size),
                path: local.path,
                entries: None,
            },
            None => Found { size: Some(Range::exactly(1)), ..Found::costing(cost) },
        }
    }

    fn select(&mut self, expr: &Expr, operand: &'d Expr, field: &str) -> Found<'d> {
        let of = self.part(operand);
        let counts = matches!(self.of_type(operand), Type::Map(..) | Type::Object(_));
        let path = of.path.step(self.root, |place| match &place.is {
            Type::Object(_) => place.field(field).map(|field| &field.declared),
            _ => None, // upstream finds no path through the keys of a map
        });
        let cost = of.cost.plus(Range::exactly(u64::from(counts)));
        Found { cost, size: self.size(expr, path), path, entries: None }
    }

    /// Estimates a call. A dynamic call, which can mean several functions, costs what the first of them does.
    fn call(&mut self, expr: &'d Expr, call: &'d Call) -> Found<'d> {
        let Some(resolved) = self.calls.get(expr.id).and_then(Option::as_ref) else {
            return Found::costing(Range::ONE); // every call of a checked expression is resolved
        };
        let target = call.target.as_deref().filter(|_| resolved.has_receiver);
        let parts: Vec<&'d Expr> = target.into_iter().chain(&call.arguments).collect();
        let found: Vec<Found<'d>> = parts.iter().map(|part| self.part(part)).collect();
        let types = parts.iter().map(|part| self.of_type(part)).collect();
        let arguments = Arguments { parts: &parts, types, found: &found };
        let estimated = match resolved.functions.first() {
            Some(function) => (function.estimate)(&arguments),
            None => Estimated::cost(Range::ONE),
        };
        let before = found.iter().fold(Range::exactly(0), |sum, found| sum.plus(found.cost));
        let container = found.first().filter(|_| estimated.is_element);
        let path = match container {
            Some(of) => of.path.step(self.root, |place| place.parts.as_deref()),
            None => Path::None,
        };
        let inner = container.and_then(|of| of.entries).map(|sizes| sizes.1);
        let size = estimated.size.or(inner).or_else(|| self.size(expr, path));
        Found { cost: before.plus(estimated.cost), size, path, entries: estimated.entries }
    }

    fn choice(&mut self, parts: &'d [Expr; 3]) -> Found<'d> {
        let [condition, yes, no] = [&parts[0], &parts[1], &parts[2]].map(|part| self.part(part));
        let size = |found: &Found<'_>| found.size.unwrap_or(Range::UNKNOWN);
        let entries = yes.entries.zip(no.entries).map(|(one, other)| (one.0.or(other.0), one.1.or(other.1)));
        Found {
            cost: condition.cost.plus(yes.cost.or(no.cost)),
            size: Some(size(&yes).or(size(&no))),
            path: Path::None,
            entries,
        }
    }

    fn over(&mut self, over: &'d Loop) -> Found<'d> {
        /// Keys of a map, of which upstream takes it that they have no length.
        static KEYS: LazyLock<DeclType> = LazyLock::new(DeclType::key);
        let range = self.part(&over.range);
        let is_map = matches!(self.of_type(&over.range), Type::Map(..));
        let items = range.path.step(self.root, |place| place.parts.as_deref());
        let (key, value) = (range.entries.map(|sizes| sizes.0), range.entries.map(|sizes| sizes.1));
        let local = |name, size, path| Local { name, size, path };
        let outside = self.scope.len();
        let is_keyed = |place: &DeclType| matches!(place.is, Type::Map(..)) && is_map;
        let keys = range.path.step(self.root, |place| is_keyed(place).then_some(&*KEYS));
        match (&over.second, is_map) {
            (None, true) => self.scope.push(local(&over.first, key, keys)),
            (None, false) => self.scope.push(local(&over.first, value, items)),
            (Some(second), _) => {
                self.scope.push(local(&over.first, key, keys));
                self.scope.push(local(second, value, items));
            }
        }
        let filter = over.filter.as_ref().map(|filter| self.part(filter).cost);
        let body = self.part(&over.body);
        let item_size = self.scope[outside]
            .size
            .or(self.scope[outside].path.end().map(|place| Range { min: 0, max: place.most }));
        self.scope.truncate(outside);
        // What the macro itself does, in the beginning and at the end, and for each item.
        let (around, each) = match over.what {
            What::All => (1, Range { min: 3, max: body.cost.max.saturating_add(3) }),
            What::Exists => (1, Range { min: 4, max: body.cost.max.saturating_add(4) }),
            What::ExistsOne => (2, body.cost.plus(Range { min: 1, max: 2 })),
            What::Map | What::TransformMap => {
                let made = body.cost.plus(Range::exactly(12));
                let each = filter.map_or(made, |filter| filter.plus(made.or(Range::exactly(1))));
                (if over.what == What::Map { 11 } else { 31 }, each)
            }
            What::Filter => (11, body.cost.plus(Range { min: 1, max: 13 })),
        };
        let count = range.size.unwrap_or(Range::UNKNOWN);
        let cost = range.cost.plus(Range::exactly(around)).plus(count.times(each));
        let none = Range::exactly(0);
        let (size, entries) = match over.what {
            What::All | What::Exists | What::ExistsOne => (Range::exactly(1), None),
            What::Map => (count, Some((Range::exactly(1), none.or(body.size.unwrap_or(Range::UNKNOWN))))),
            What::Filter => (count, Some((Range::exactly(1), none.or(item_size.unwrap_or(Range::UNKNOWN))))),
            What::TransformMap => {
                (count, Some((key.unwrap_or(Range::UNKNOWN), body.size.unwrap_or(Range::UNKNOWN))))
            }
        };
        Found { cost, size: Some(size), path: Path::None, entries }
    }

    fn bind(&mut self, bind: &'d Bind) -> Found<'d> {
        let value = self.part(&bind.value);
        self.scope.push(Local { name: &bind.name, size: None, path: Path::None });
        let body = self.part(&bind.body);
        self.scope.pop();
        let cost = value.cost.plus(body.cost).plus(Range::exactly(10));
        let wraps = if bind.unwraps == Unwrapped::Wrapped { 2 } else { 1 };
        Found::costing(cost.plus(Range::exactly(wraps)))
    }
}

fn exactly(size: usize) -> Range {
    Range::exactly(u64::try_from(size).unwrap_or(u64::MAX))
}

/// The size of what has no parts.
fn fixed(is: &Type) -> Option<Range> {
    let has_parts = matches!(
        is,
        Type::String
            | Type::Bytes
            | Type::List(_)
            | Type::Map(..)
            | Type::Dyn
            | Type::Wrong
            | Type::Open(_)
            | Type::Optional(_)
            | Type::Object(_)
            | Type::Named(_)
    );
    (!has_parts).then_some(Range::exactly(1))
}
