//! The checker: the type of each part of an expression, and the errors in it.

mod calls;
mod format;
mod type_names;
mod validate;

pub(crate) use self::type_names::type_by_name;

use self::type_names::type_named;
use crate::{
    ast::{Bind, Element, Expr, Kind, Literal, Loop, Unwrapped, What},
    function::Resolved,
    typed::{Bindings, Type},
};

/// An error in an expression, and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub(crate) at: usize,
    pub(crate) because: String,
}

/// The result of a check.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The type of each part, by its number.
    pub(crate) types: Vec<Type>,
    /// The variables that the expression names.
    pub(crate) names: Vec<String>,
    /// The functions that each call can mean, by the number of the part.
    pub(crate) calls: Vec<Option<Resolved>>,
    /// Whether each part is the name of a type, by the number of the part.
    pub(crate) type_names: Vec<bool>,
}

/// Checks an expression of so many `parts`, in which `variables` can be named.
pub(crate) fn check(expr: &Expr, parts: usize, variables: &[(&str, Type)]) -> Result<Checked, Vec<Issue>> {
    let mut checker = Checker {
        types: vec![Type::Wrong; parts],
        calls: vec![None; parts],
        type_names: vec![false; parts],
        names: Vec::new(),
        scope: variables.iter().map(|(name, is)| ((*name).to_owned(), is.clone())).collect(),
        variables: variables.len(),
        bindings: Bindings::default(),
        issues: Vec::new(),
    };
    checker.part(expr);
    let Checker { types, calls, type_names, names, bindings, issues, .. } = checker;
    if !issues.is_empty() {
        return Err(in_order(issues));
    }
    let types: Vec<Type> = types.iter().map(|is| bindings.resolve(is, true)).collect();
    let issues = validate::issues(expr, &types, &calls);
    if issues.is_empty() { Ok(Checked { types, names, calls, type_names }) } else { Err(in_order(issues)) }
}

/// Sorts issues by their positions; each stands once.
fn in_order(mut issues: Vec<Issue>) -> Vec<Issue> {
    issues.sort_by_key(|issue| issue.at);
    issues.dedup();
    issues
}

struct Checker {
    types: Vec<Type>,
    calls: Vec<Option<Resolved>>,
    type_names: Vec<bool>,
    names: Vec<String>,
    /// The innermost last.
    scope: Vec<(String, Type)>,
    /// How many of the scope are the expression's own variables.
    variables: usize,
    bindings: Bindings,
    issues: Vec<Issue>,
}

impl Checker {
    fn wrong(&mut self, at: usize, because: impl Into<String>) -> Type {
        self.issues.push(Issue { at, because: because.into() });
        Type::Wrong
    }

    fn mismatch(&mut self, at: usize, wanted: &Type, found: &Type) -> Type {
        let [wanted, found] = [wanted, found].map(|is| self.bindings.resolve(is, false));
        self.wrong(at, format!("expected type '{wanted}' but found '{found}'"))
    }

    fn undeclared(&mut self, at: usize, name: &str) -> Type {
        self.wrong(at, format!("undeclared reference to '{name}' (in container '')"))
    }

    /// Determines the type of a part.
    fn part(&mut self, expr: &Expr) -> Type {
        let is = match &expr.kind {
            Kind::Literal(literal) => of_literal(literal),
            Kind::Name(name) => self.name(expr, name),
            Kind::Select(operand, field) => match self.qualified_type(expr) {
                Some(is) => is,
                None => self.select(expr.at, operand, field, false),
            },
            Kind::OptionalSelect(operand, field) => self.select(expr.at, operand, field, true),
            Kind::Has(operand, field) => {
                self.select(expr.at, operand, field, false);
                Type::Bool
            }
            Kind::Call(call) => self.call(expr, call),
            Kind::And(parts) | Kind::Or(parts) => {
                for part in parts {
                    self.expect(part, &Type::Bool);
                }
                Type::Bool
            }
            Kind::Choice(parts) => self.choice(expr.at, parts),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(over) => self.over(expr.at, over),
            Kind::Bind(bind) => self.bind(bind),
            Kind::Let(bound) => {
                let value = self.part(&bound.value);
                self.scope.push((bound.name.clone(), value));
                let body = self.part(&bound.body);
                self.scope.pop();
                body
            }
        };
        self.types[expr.id] = is.clone();
        is
    }

    fn expect(&mut self, expr: &Expr, wanted: &Type) {
        let found = self.part(expr);
        if !self.bindings.fits(&found, wanted) {
            self.mismatch(expr.at, wanted, &found);
        }
    }

    fn name(&mut self, expr: &Expr, name: &str) -> Type {
        if let Some(position) = self.scope.iter().rposition(|(known, _)| known == name) {
            if position < self.variables {
                self.names.push(name.to_owned());
            }
            return self.scope[position].1.clone();
        }
        match type_named(name) {
            Some(named) => {
                self.type_names[expr.id] = true;
                Type::as_value(named)
            }
            None => self.undeclared(expr.at, name),
        }
    }

    /// A type whose name has dots.
    fn qualified_type(&mut self, expr: &Expr) -> Option<Type> {
        let name = expr.qualified()?;
        let root = name.split('.').next()?;
        let is_variable = self.scope.iter().any(|(known, _)| known == root);
        let named = type_named(&name).filter(|_| !is_variable)?;
        self.type_names[expr.id] = true;
        Some(Type::as_value(named))
    }

    fn select(&mut self, at: usize, operand: &Expr, field: &str, is_optional: bool) -> Type {
        let of = self.part(operand);
        let of = self.bindings.resolve(&of, false);
        let (of, was_optional) = match &of {
            Type::Optional(inner) => (Type::clone(inner), true),
            _ => (of, false),
        };
        let found = match &of {
            Type::Map(_, value) => Type::clone(value),
            Type::Object(object) => match object.fields.get(field) {
                Some(field) => field.declared.is.clone(),
                None => return self.wrong(at, format!("undefined field '{field}'")),
            },
            Type::Open(_) => {
                self.bindings.fits(&of, &Type::Dyn);
                Type::Dyn
            }
            of if of.is_dyn() => Type::Dyn,
            of => return self.wrong(at, format!("type '{of}' does not support field selection")),
        };
        if was_optional || is_optional { Type::optional(found) } else { found }
    }

    fn choice(&mut self, at: usize, parts: &[Expr; 3]) -> Type {
        let [condition, yes, no] = parts;
        let found = [self.part(condition), self.part(yes), self.part(no)];
        let open = self.bindings.open();
        if self.bindings.fit_all(&found, &[Type::Bool, open.clone(), open.clone()]) {
            return self.bindings.resolve(&open, false);
        }
        let [condition, yes, no] = &found;
        self.no_choice(at, [condition, yes, no])
    }

    /// Reports a condition that is not a `bool`, or results of different types.
    fn no_choice(&mut self, at: usize, found: [&Type; 3]) -> Type {
        let found = found.map(|is| self.bindings.resolve(is, true).to_string()).join(", ");
        self.wrong(at, format!("found no matching overload for '_?_:_' applied to '({found})'"))
    }

    /// Returns the type of an item; of an optional item, that of its value.
    fn element(&mut self, element: &Element) -> Type {
        let is = self.part(&element.value);
        match (element.is_optional, self.bindings.resolve(&is, false)) {
            (true, Type::Optional(inner)) => Type::clone(&inner),
            (true, is) if !is.is_dyn() => self.mismatch(element.value.at, &Type::optional(is.clone()), &is),
            (_, is) => is,
        }
    }

    /// Joins the type of an item with that of the items before: the more general of the two, if one is.
    fn join(&mut self, before: Option<Type>, found: Type) -> Type {
        match before {
            None => found,
            Some(before) if self.bindings.fits(&before, &found) => {
                if before.is_as_general_as(&found) {
                    before
                } else {
                    found
                }
            }
            Some(_) => Type::Dyn,
        }
    }

    fn list(&mut self, elements: &[Element]) -> Type {
        let mut item = None;
        for element in elements {
            let is = self.element(element);
            item = Some(self.join(item, is));
        }
        Type::list(item.unwrap_or_else(|| self.bindings.open()))
    }

    fn map(&mut self, entries: &[(Expr, Element)]) -> Type {
        let (mut key_is, mut value_is) = (None, None);
        for (key, element) in entries {
            let is = self.part(key);
            key_is = Some(self.join(key_is, is));
            let is = self.element(element);
            value_is = Some(self.join(value_is, is));
        }
        let mut or_open = |is: Option<Type>| is.unwrap_or_else(|| self.bindings.open());
        Type::map(or_open(key_is), or_open(value_is))
    }

    /// A loop gives its names to what is in it.
    fn over(&mut self, at: usize, over: &Loop) -> Type {
        let range = self.part(&over.range);
        let range = self.bindings.resolve(&range, false);
        let (first, second) = match &range {
            Type::List(item) if over.second.is_some() => (Type::Int, Type::clone(item)),
            Type::List(item) => (Type::clone(item), Type::Dyn),
            Type::Map(key, value) => (Type::clone(key), Type::clone(value)),
            Type::Open(_) => {
                self.bindings.fits(&range, &Type::Dyn);
                (Type::Dyn, Type::Dyn)
            }
            is if is.is_dyn() => (Type::Dyn, Type::Dyn),
            is => {
                let because = format!(
                    "expression of type '{is}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                self.wrong(over.range.at, because);
                (Type::Wrong, Type::Wrong)
            }
        };
        let outside = self.scope.len();
        self.scope.push((over.first.clone(), first.clone()));
        if let Some(name) = &over.second {
            self.scope.push((name.clone(), second));
        }
        let mut condition = over.filter.as_ref().map(|filter| self.part(filter));
        let body = self.part(&over.body);
        let gives = match over.what {
            What::Map => Type::list(body),
            What::TransformMap if matches!(range, Type::List(_)) => Type::map(Type::Int, body),
            What::TransformMap => Type::map(first, body),
            What::TransformMapEntry => self.entries(at, &body),
            What::Filter => {
                condition = Some(body);
                Type::list(first)
            }
            What::ExistsOne => {
                condition = Some(body);
                Type::Int
            }
            What::All | What::Exists => {
                if !self.bindings.fits(&body, &Type::Bool) {
                    self.mismatch(over.body.at, &Type::Bool, &body);
                }
                Type::Bool
            }
        };
        if let Some(found) = condition
            && !self.bindings.fits(&found, &Type::Bool)
        {
            self.no_choice(at, [&found, &gives, &gives]);
        }
        self.scope.truncate(outside);
        if over.what == What::ExistsOne { Type::Bool } else { gives }
    }

    /// Checks the type of a body that returns a map, which is added to another.
    fn entries(&mut self, at: usize, found: &Type) -> Type {
        let wanted = Type::map(self.bindings.open(), self.bindings.open());
        if self.bindings.fits(found, &wanted) {
            return self.bindings.resolve(&wanted, false);
        }
        let found = self.bindings.resolve(found, true);
        let because =
            format!("found no matching overload for 'cel.@mapInsert' applied to '(map(dyn, dyn), {found})'");
        self.wrong(at, because)
    }

    fn bind(&mut self, bind: &Bind) -> Type {
        let value = self.part(&bind.value);
        let value = match self.bindings.resolve(&value, false) {
            Type::Optional(inner) => Type::clone(&inner),
            is if is.is_dyn() => Type::Dyn,
            is => self.mismatch(bind.value.at, &Type::optional(Type::Dyn), &is),
        };
        self.scope.push((bind.name.clone(), value));
        let body = self.part(&bind.body);
        self.scope.pop();
        match bind.unwraps {
            Unwrapped::Wrapped => Type::optional(body),
            Unwrapped::AsItIs => body,
        }
    }
}

fn of_literal(literal: &Literal) -> Type {
    match literal {
        Literal::Null => Type::Null,
        Literal::Bool(_) => Type::Bool,
        Literal::Int(_) => Type::Int,
        Literal::Uint(_) => Type::Uint,
        Literal::Double(_) => Type::Double,
        Literal::String(_) => Type::String,
        Literal::Bytes(_) => Type::Bytes,
    }
}
