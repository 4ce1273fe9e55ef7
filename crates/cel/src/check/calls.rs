//! Overload resolution: which functions a call can mean, and the type of its result.

use std::sync::Arc;

use super::{Checker, Issue};
use crate::{
    ast::{Call, Expr},
    function::{Declaration, Resolved},
    libraries,
    typed::Type,
};

impl Checker {
    pub(super) fn call(&mut self, expr: &Expr, call: &Call) -> Type {
        let Call { function, target, arguments } = call;
        // `strings.quote(…)` has no target: that is its name.
        let qualified =
            target.as_ref().and_then(|target| Some(format!("{}.{function}", target.qualified()?)));
        let qualified = qualified.filter(|name| libraries::declared(name).is_some());
        let mut found = Vec::new();
        if let (Some(target), None) = (target, &qualified) {
            found.push(self.part(target));
        }
        for argument in arguments {
            found.push(self.part(argument));
        }
        let has_receiver = target.is_some() && qualified.is_none();
        let name = qualified.as_deref().unwrap_or(function);
        let Some(declared) = libraries::declared(name) else { return self.undeclared(expr.at, name) };
        let (resolved, result) = self.overload(declared, has_receiver, &found);
        match result {
            Some(result) => {
                self.literals(call, &resolved);
                self.calls[expr.id] = Some(resolved);
                result
            }
            None => self.no_overload(expr.at, name, has_receiver, &found),
        }
    }

    /// Resolves the overload and its result type. If several fit, because arguments are dynamic, the result is their common
    /// type.
    fn overload(
        &mut self,
        declared: &'static [Declaration],
        has_receiver: bool,
        found: &[Type],
    ) -> (Resolved, Option<Type>) {
        let mut resolved = Resolved { functions: Vec::new(), has_receiver };
        let mut result: Option<Type> = None;
        for Declaration { function, overloads } in declared {
            let mut fits = false;
            for signature in overloads.iter().filter(|signature| signature.is_member == has_receiver) {
                let open: Vec<Type> = (0..signature.open).map(|_| self.bindings.open()).collect();
                let parameters: Vec<Type> = signature.parameters.iter().map(|is| fill(is, &open)).collect();
                if !self.bindings.fit_all(found, &parameters) {
                    continue;
                }
                fits = true;
                let given = self.bindings.resolve(&fill(&signature.result, &open), false);
                result = Some(match result {
                    Some(other) if !other.is(&given) => Type::Dyn,
                    _ => given,
                });
            }
            if fits {
                resolved.functions.push(*function);
            }
        }
        (resolved, result)
    }

    fn no_overload(&mut self, at: usize, name: &str, has_receiver: bool, found: &[Type]) -> Type {
        let found: Vec<String> = found.iter().map(|is| self.bindings.resolve(is, true).to_string()).collect();
        let signature = match found.split_first() {
            Some((target, arguments)) if has_receiver => format!("{target}.({})", arguments.join(", ")),
            _ => format!("({})", found.join(", ")),
        };
        self.wrong(at, format!("found no matching overload for '{name}' applied to '{signature}'"))
    }

    /// Checks constant arguments that must be patterns, timestamps or durations.
    fn literals(&mut self, call: &Call, resolved: &Resolved) {
        let target = call.target.as_deref().filter(|_| resolved.has_receiver);
        let arguments: Vec<&Expr> = target.into_iter().chain(&call.arguments).collect();
        for rule in resolved.functions.iter().filter_map(|function| function.literal) {
            let Some(argument) = arguments.get(rule.argument) else { continue };
            if argument.text().is_some_and(|text| !(rule.is_valid)(text)) {
                self.literal_issues.push(Issue { at: argument.at, because: rule.error.to_owned() });
            }
        }
    }
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
