//! Validation of an expression whose types are correct: constant arguments, literals of one type, and format strings.

use super::{Issue, format};
use crate::{
    ast::{Element, Expr, Kind},
    function::Resolved,
    typed::Type,
};

/// Returns the issues of a checked expression.
pub(super) fn issues(expr: &Expr, types: &[Type], calls: &[Option<Resolved>]) -> Vec<Issue> {
    let mut validation = Validation { types, calls, issues: Vec::new() };
    validation.part(expr, false);
    validation.issues
}

struct Validation<'c> {
    types: &'c [Type],
    calls: &'c [Option<Resolved>],
    issues: Vec<Issue>,
}

impl Validation<'_> {
    /// Validates a part. Literals in a call of `format` can have values of different types.
    fn part(&mut self, expr: &Expr, is_in_format: bool) {
        let mut is_format = false;
        match &expr.kind {
            Kind::Call(call) => {
                is_format = call.function == "format";
                self.literal_argument(expr, &call.arguments);
                if is_format {
                    self.issues.extend(format::issues(expr, call, self.types));
                }
            }
            Kind::List(elements) if !is_in_format => self.list(elements),
            Kind::Map(entries) if !is_in_format => self.map(entries),
            _ => {}
        }
        for child in expr.children() {
            self.part(child, is_in_format || is_format);
        }
    }

    /// Checks constants that must be patterns, timestamps or durations.
    fn literal_argument(&mut self, expr: &Expr, arguments: &[Expr]) {
        let functions = self.calls.get(expr.id).and_then(Option::as_ref).map(|resolved| &resolved.functions);
        let rules = functions.into_iter().flatten().filter_map(|function| function.literal);
        for rule in rules {
            if let Some(Expr { kind: Kind::Literal(literal), at, .. }) = arguments.first()
                && !(rule.is_valid)(literal)
            {
                self.issues.push(Issue { at: *at, because: rule.error.to_owned() });
            }
        }
    }

    fn type_of(&self, expr: &Expr, is_optional: bool) -> Type {
        match self.types.get(expr.id) {
            Some(Type::Optional(inner)) if is_optional => Type::clone(inner),
            Some(is) => is.clone(),
            None => Type::Dyn,
        }
    }

    /// All items of a list have one type. The first that has not is reported.
    fn list(&mut self, elements: &[Element]) {
        let mut types = elements
            .iter()
            .map(|element| (element.value.at, self.type_of(&element.value, element.is_optional)));
        let Some((_, first)) = types.next() else { return };
        let other = types.find(|(_, other)| !first.is(other));
        self.issues.extend(other.map(|(at, other)| mismatch(at, &first, &other)));
    }

    /// All keys of a map have one type, and all values.
    fn map(&mut self, entries: &[(Expr, Element)]) {
        let mut types = entries.iter().map(|(key, element)| {
            let value = self.type_of(&element.value, element.is_optional);
            [(key.at, self.type_of(key, false)), (element.value.at, value)]
        });
        let Some([(_, key), (_, value)]) = types.next() else { return };
        let mut issues = Vec::new();
        for [(key_at, other_key), (value_at, other_value)] in types {
            if !key.is(&other_key) {
                issues.push(mismatch(key_at, &key, &other_key));
            }
            if !value.is(&other_value) {
                issues.push(mismatch(value_at, &value, &other_value));
            }
        }
        self.issues.extend(issues);
    }
}

fn mismatch(at: usize, wanted: &Type, found: &Type) -> Issue {
    Issue { at, because: format!("expected type '{wanted}' but found '{found}'") }
}
