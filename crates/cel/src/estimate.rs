//! The cost estimate: the highest cost of an expression by the size limits of its variables. Upstream refuses rules of
//! definitions by it.

mod arguments;
mod found;
mod loops;
mod range;

use self::found::{Entries, Found, Path};
pub(crate) use self::{
    arguments::{Arguments, Estimated},
    range::{Range, TENTH, scaled},
};
use crate::{
    ast::{Call, Expr, Kind, Literal},
    check::Checked,
    decl_type::DeclType,
    function::Resolved,
    typed::Type,
};

/// Estimates the highest cost of a checked expression over these variables.
pub(crate) fn most(expr: &Expr, checked: &Checked, variables: &[(&str, Option<&DeclType>)]) -> u64 {
    let scope = variables.iter().map(|(name, place)| Local {
        name,
        size: None,
        path: Path::of(*place),
        entries: None,
    });
    let root = variables.iter().find_map(|(_, place)| *place);
    let mut estimate = Estimate { checked, root, scope: scope.collect() };
    estimate.part(expr).cost.max
}

struct Estimate<'d> {
    checked: &'d Checked,
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
    entries: Option<Entries>,
}

impl<'d> Estimate<'d> {
    fn of_type(&self, expr: &Expr) -> &'d Type {
        self.checked.types.get(expr.id).unwrap_or(&Type::Dyn)
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
                let cost = self.part(operand).cost.plus(Range::ONE);
                Found { size: self.size(expr, Path::None), ..Found::costing(cost) }
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
                let entries = Some(Entries::items(item));
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
                let [key, value] = [keys, values].map(|sizes| sizes.unwrap_or(Range::exactly(0)));
                let sizes = Some(Entries { is_map: true, key, value });
                Found { cost, size: Some(exactly(entries.len())), path: Path::None, entries: sizes }
            }
            Kind::Loop(over) => self.over(over),
            Kind::Bind(bind) => self.bind(expr, bind),
            Kind::Let(bound) => self.bound(bound),
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
                entries: local.entries,
            },
            None => self.type_name(expr),
        }
    }

    /// Estimates the name of a type. Upstream takes it for the name of the variable.
    fn type_name(&self, expr: &Expr) -> Found<'d> {
        let path = Path::of(self.root);
        Found { cost: Range::ONE, size: self.size(expr, path), path, entries: None }
    }

    fn resolved(&self, expr: &Expr) -> Option<&'d Option<Resolved>> {
        self.checked.calls.get(expr.id)
    }

    fn select(&mut self, expr: &Expr, operand: &'d Expr, field: &str) -> Found<'d> {
        if self.checked.type_names[expr.id] {
            return self.type_name(expr);
        }
        let of = self.part(operand);
        let counts = matches!(self.of_type(operand), Type::Map(..) | Type::Object(_));
        let path = of.path.step(self.root, |place| match &place.is {
            Type::Object(_) => place.field(field).map(|field| &field.declared),
            _ => None, // upstream finds no path through the keys of a map
        });
        let cost = of.cost.plus(Range::exactly(u64::from(counts)));
        Found { cost, size: self.size(expr, path), path, entries: None }
    }

    /// Estimates a call. A dynamic call, which can mean several functions, costs what the most expensive of them does.
    fn call(&mut self, expr: &'d Expr, call: &'d Call) -> Found<'d> {
        let Some(resolved) = self.resolved(expr).and_then(Option::as_ref) else {
            return Found::costing(Range::ONE); // every call of a checked expression is resolved
        };
        let target = call.target.as_deref().filter(|_| resolved.has_receiver);
        let parts: Vec<&'d Expr> = target.into_iter().chain(&call.arguments).collect();
        let found: Vec<Found<'d>> = parts.iter().map(|part| self.part(part)).collect();
        let types = parts.iter().map(|part| self.of_type(part)).collect();
        let arguments = Arguments { parts: &parts, types, found: &found };
        let estimates = resolved.functions.iter().map(|function| (function.estimate)(&arguments));
        let estimated = estimates.reduce(Estimated::or).unwrap_or(Estimated::cost(Range::ONE));
        let before = found.iter().fold(Range::exactly(0), |sum, found| sum.plus(found.cost));
        let container = found.first().filter(|_| estimated.is_element);
        let path = match container {
            Some(of) => of.path.step(self.root, |place| place.parts.as_deref()),
            None => Path::None,
        };
        let inner = container.and_then(|of| of.entries).map(|sizes| sizes.value);
        let size = estimated.size.or(inner).or_else(|| self.size(expr, path));
        Found { cost: before.plus(estimated.cost), size, path, entries: estimated.entries }
    }

    fn choice(&mut self, parts: &'d [Expr; 3]) -> Found<'d> {
        let [condition, yes, no] = [&parts[0], &parts[1], &parts[2]].map(|part| self.part(part));
        let size = |found: &Found<'_>| found.size.unwrap_or(Range::UNKNOWN);
        let entries = yes.entries.zip(no.entries).map(|(one, other)| one.or(other));
        Found {
            cost: condition.cost.plus(yes.cost.or(no.cost)),
            size: Some(size(&yes).or(size(&no))),
            path: Path::None,
            entries,
        }
    }
}

fn exactly(size: usize) -> Range {
    Range::exactly(u64::try_from(size).unwrap_or(u64::MAX))
}

/// The size of a value without parts.
fn fixed(is: &Type) -> Option<Range> {
    match is {
        Type::Bool | Type::Int | Type::Uint | Type::Double | Type::Duration | Type::Timestamp => {
            Some(Range::ONE)
        }
        Type::Optional(inner) => fixed(inner),
        _ => None,
    }
}
