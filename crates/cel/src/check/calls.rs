//! Overload resolution: which functions a call can mean, and the type of its result.

use std::sync::Arc;

use super::Checker;
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
        // The arguments before the target: what they infer of open types is known when it is checked.
        let mut found: Vec<Type> = arguments.iter().map(|argument| self.part(argument)).collect();
        if let (Some(target), None) = (target, &qualified) {
            found.insert(0, self.part(target));
        }
        let has_receiver = target.is_some() && qualified.is_none();
        let name = qualified.as_deref().unwrap_or(function);
        let Some(declared) = libraries::declared(name) else { return self.undeclared(expr.at, name) };
        let (resolved, result) = self.overload(declared, has_receiver, &found);
        match result {
            Some(result) => {
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
        let mut resolved = Resolved { functions: Vec::new(), has_receiver, overloads: 0, first_overload: 0 };
        let mut result: Option<Type> = None;
        for Declaration { function, overloads } in declared {
            let mut fits = false;
            for (position, signature) in overloads.iter().enumerate() {
                if signature.is_member != has_receiver {
                    continue;
                }
                let open: Vec<Type> = (0..signature.open).map(|_| self.bindings.open()).collect();
                let parameters: Vec<Type> = signature.parameters.iter().map(|is| fill(is, &open)).collect();
                if !self.bindings.fit_all(found, &parameters) {
                    continue;
                }
                fits = true;
                if resolved.overloads == 0 {
                    resolved.first_overload = position;
                }
                resolved.overloads += 1;
                let given = self.bindings.resolve(&fill(&signature.result, &open), false);
                result = Some(match result {
                    Some(other) if !other.is(&given) => Type::Dyn,
                    Some(other) => other,
                    None => given,
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
}

/// A signature's type with `open` in the place of its own open ones.
fn fill(is: &Type, open: &[Type]) -> Type {
    match is {
        Type::Open(number) => open.get(*number).cloned().unwrap_or(Type::Dyn),
        Type::List(item) => Type::list(fill(item, open)),
        Type::Optional(inner) => Type::optional(fill(inner, open)),
        Type::AsValue(named) => Type::as_value(fill(named, open)),
        Type::Map(key, value) => Type::Map(Arc::new(fill(key, open)), Arc::new(fill(value, open))),
        other => other.clone(),
    }
}
