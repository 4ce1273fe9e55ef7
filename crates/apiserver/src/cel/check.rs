//! Finds out what each part of an expression is before there are any values, and what does not go together.

use std::sync::Arc;

use super::{
    ast::{Bind, Call, Element, Expr, Kind, Literal, Loop, Unwrapped, What},
    signatures::{self, Signature},
    typed::{Bindings, Type},
};

/// Something that is wrong with an expression, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issue {
    pub(super) at: usize,
    pub(super) because: String,
}

/// What was found out.
#[derive(Debug)]
pub(super) struct Checked {
    /// What each part is, by its number.
    pub(super) types: Vec<Type>,
    /// The variables that are asked for.
    pub(super) names: Vec<String>,
}

/// Checks an expression of so many `parts`, in which `variables` can be named.
pub(super) fn check(expr: &Expr, parts: usize, variables: &[(&str, Type)]) -> Result<Checked, Vec<Issue>> {
    let mut checker = Checker {
        types: vec![Type::Wrong; parts],
        names: Vec::new(),
        scope: variables.iter().map(|(name, is)| ((*name).to_owned(), is.clone())).collect(),
        variables: variables.len(),
        bindings: Bindings::default(),
        issues: Vec::new(),
    };
    checker.part(expr);
    let Checker { types, names, bindings, mut issues, .. } = checker;
    if issues.is_empty() {
        return Ok(Checked { types: types.iter().map(|is| bindings.resolve(is, true)).collect(), names });
    }
    issues.sort_by_key(|issue| issue.at);
    issues.dedup();
    Err(issues)
}

struct Checker {
    types: Vec<Type>,
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

    /// Finds out what a part is.
    fn part(&mut self, expr: &Expr) -> Type {
        let is = match &expr.kind {
            Kind::Literal(literal) => of_literal(literal),
            Kind::Name(name) => self.name(expr.at, name),
            Kind::Select(operand, field) => match self.type_named(expr) {
                Some(is) => is,
                None => self.select(expr.at, operand, field, false),
            },
            Kind::OptionalSelect(operand, field) => self.select(expr.at, operand, field, true),
            Kind::Has(operand, field) => {
                self.select(expr.at, operand, field, false);
                Type::Bool
            }
            Kind::Call(call) => self.call(expr.at, call),
            Kind::And(parts) | Kind::Or(parts) => {
                for part in parts {
                    self.expect(part, &Type::Bool);
                }
                Type::Bool
            }
            Kind::Choice(parts) => self.choice(expr.at, parts),
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Loop(over) => self.over(over),
            Kind::Bind(bind) => self.bind(bind),
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

    fn name(&mut self, at: usize, name: &str) -> Type {
        if let Some(position) = self.scope.iter().rposition(|(known, _)| known == name) {
            if position < self.variables {
                self.names.push(name.to_owned());
            }
            return self.scope[position].1.clone();
        }
        if type_by_name(name).is_some() { Type::OfTypes } else { self.undeclared(at, name) }
    }

    /// A type whose name has dots.
    fn type_named(&self, expr: &Expr) -> Option<Type> {
        let name = expr.qualified()?;
        let root = name.split('.').next()?;
        let is_variable = self.scope.iter().any(|(known, _)| known == root);
        (!is_variable && type_by_name(&name).is_some()).then_some(Type::OfTypes)
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

    fn call(&mut self, at: usize, call: &Call) -> Type {
        let Call { function, target, arguments } = call;
        // `strings.quote(…)` has no target: that is its name.
        let qualified =
            target.as_ref().and_then(|target| Some(format!("{}.{function}", target.qualified()?)));
        let qualified = qualified.filter(|name| signatures::of(name).is_some());
        let mut takes = Vec::new();
        if let (Some(target), None) = (target, &qualified) {
            takes.push(self.part(target));
        }
        for argument in arguments {
            takes.push(self.part(argument));
        }
        let is_member = target.is_some() && qualified.is_none();
        let name = qualified.as_deref().unwrap_or(function);
        let known = match name {
            "_<_" | "_<=_" | "_>_" | "_>=_" => Some(signatures::orders()),
            name => signatures::of(name),
        };
        match known {
            Some(known) => self.overload(at, name, known, is_member, &takes),
            None => self.undeclared(at, name),
        }
    }

    /// What a function gives that takes what is there; of several ways to call it, what they agree on.
    fn overload(
        &mut self,
        at: usize,
        name: &str,
        known: &[Signature],
        is_member: bool,
        found: &[Type],
    ) -> Type {
        let mut gives: Option<Type> = None;
        for signature in known.iter().filter(|signature| signature.is_member == is_member) {
            let open: Vec<Type> = (0..signature.open).map(|_| self.bindings.open()).collect();
            let takes: Vec<Type> = signature.takes.iter().map(|is| fill(is, &open)).collect();
            if !self.bindings.fit_all(found, &takes) {
                continue;
            }
            let given = self.bindings.resolve(&fill(&signature.gives, &open), false);
            gives = Some(match gives {
                Some(other) if !other.is(&given) => Type::Dyn,
                _ => given,
            });
        }
        gives.unwrap_or_else(|| {
            let found: Vec<String> =
                found.iter().map(|is| self.bindings.resolve(is, true).to_string()).collect();
            let signature = match found.split_first() {
                Some((target, arguments)) if is_member => format!("{target}.({})", arguments.join(", ")),
                _ => format!("({})", found.join(", ")),
            };
            self.wrong(at, format!("found no matching overload for '{name}' applied to '{signature}'"))
        })
    }

    fn choice(&mut self, at: usize, parts: &[Expr; 3]) -> Type {
        let [condition, yes, no] = parts;
        let found = [self.part(condition), self.part(yes), self.part(no)];
        let open = self.bindings.open();
        if self.bindings.fit_all(&found, &[Type::Bool, open.clone(), open.clone()]) {
            return self.bindings.resolve(&open, false);
        }
        let found = found.map(|is| self.bindings.resolve(&is, true).to_string()).join(", ");
        self.wrong(at, format!("found no matching overload for '_?_:_' applied to '({found})'"))
    }

    /// What an item is; what is optional is looked into.
    fn element(&mut self, element: &Element) -> Type {
        let is = self.part(&element.value);
        match (element.is_optional, self.bindings.resolve(&is, false)) {
            (true, Type::Optional(inner)) => Type::clone(&inner),
            (true, is) if !is.is_dyn() => self.mismatch(element.value.at, &Type::optional(is.clone()), &is),
            (_, is) => is,
        }
    }

    /// What `found` and those before it have in common: all items of a list are of one type.
    fn join(&mut self, at: usize, before: Option<Type>, found: Type) -> Type {
        match before {
            None => found,
            Some(before) if self.bindings.fits(&found, &before) => {
                if found.is_dyn() {
                    found
                } else {
                    before
                }
            }
            Some(before) => self.mismatch(at, &before, &found),
        }
    }

    fn list(&mut self, elements: &[Element]) -> Type {
        let mut item = None;
        for element in elements {
            let is = self.element(element);
            item = Some(self.join(element.value.at, item, is));
        }
        Type::list(item.unwrap_or_else(|| self.bindings.open()))
    }

    fn map(&mut self, entries: &[(Expr, Element)]) -> Type {
        let (mut key_is, mut value_is) = (None, None);
        for (key, element) in entries {
            let is = self.part(key);
            key_is = Some(self.join(key.at, key_is, is));
            let is = self.element(element);
            value_is = Some(self.join(element.value.at, value_is, is));
        }
        let mut or_open = |is: Option<Type>| is.unwrap_or_else(|| self.bindings.open());
        Type::map(or_open(key_is), or_open(value_is))
    }

    /// A loop gives its names to what is in it.
    fn over(&mut self, over: &Loop) -> Type {
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
        if let Some(filter) = &over.filter {
            self.expect(filter, &Type::Bool);
        }
        let gives = match over.what {
            What::Map => Type::list(self.part(&over.body)),
            What::TransformMap => {
                let value = self.part(&over.body);
                let key = if matches!(range, Type::List(_)) { Type::Int } else { first };
                Type::map(key, value)
            }
            What::Filter => {
                self.expect(&over.body, &Type::Bool);
                Type::list(first)
            }
            What::All | What::Exists | What::ExistsOne => {
                self.expect(&over.body, &Type::Bool);
                Type::Bool
            }
        };
        self.scope.truncate(outside);
        gives
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

/// The names that types have as values.
pub(super) fn type_by_name(name: &str) -> Option<&'static str> {
    const NAMES: [&str; 16] = [
        "bool",
        "bytes",
        "double",
        "google.protobuf.Duration",
        "google.protobuf.Timestamp",
        "int",
        "list",
        "map",
        "null_type",
        "optional_type",
        "string",
        "type",
        "uint",
        signatures::QUANTITY,
        signatures::IP,
        signatures::CIDR,
    ];
    NAMES.into_iter().find(|known| *known == name)
}

/// A signature's type with `open` in the place of its own open ones.
fn fill(is: &Type, open: &[Type]) -> Type {
    match is {
        Type::Open(number) => open.get(*number).cloned().unwrap_or(Type::Dyn),
        Type::List(item) => Type::list(fill(item, open)),
        Type::Optional(inner) => Type::optional(fill(inner, open)),
        Type::Map(key, value) => Type::Map(Arc::new(fill(key, open)), Arc::new(fill(value, open))),
        other => other.clone(),
    }
}
