//! Planning of an evaluation: which parts upstream computes with the compilation. They cost nothing afterwards.

use crate::{
    ast::{Expr, Kind},
    check::Checked,
    evaluate::Evaluation,
    functions::regexes,
    meter::{Failure, Meter},
    typed::Type,
};

/// How a part is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// At its cost.
    Evaluated,
    /// Its value is constant, and costs nothing.
    Constant,
    /// `in` with a constant list of simple values: it costs nothing besides its first operand.
    Membership,
    /// `in` with an empty list: false.
    Never,
}

impl Step {
    fn is_constant(self) -> bool {
        matches!(self, Self::Constant | Self::Never)
    }
}

/// Plans the evaluation of a checked expression.
///
/// # Errors
///
/// A conversion of a constant fails, or a constant is no regular expression.
pub(crate) fn plan(expr: &Expr, checked: &Checked) -> Result<Vec<Step>, Failure> {
    let mut plan = Plan { checked, steps: vec![Step::Evaluated; checked.types.len()] };
    plan.part(expr)?;
    Ok(plan.steps)
}

struct Plan<'c> {
    checked: &'c Checked,
    steps: Vec<Step>,
}

impl Plan<'_> {
    fn part(&mut self, expr: &Expr) -> Result<(), Failure> {
        for child in expr.children() {
            self.part(child)?;
        }
        let step = match &expr.kind {
            Kind::Literal(_) => Step::Constant,
            Kind::Name(_) | Kind::Select(..) if self.checked.type_names[expr.id] => Step::Constant,
            Kind::List(elements) if elements.iter().all(|element| !element.is_optional) => {
                self.constant_if_all(expr)
            }
            Kind::Map(entries) if entries.iter().all(|(_, element)| !element.is_optional) => {
                self.constant_if_all(expr)
            }
            Kind::Call(_) => self.call(expr)?,
            _ => Step::Evaluated,
        };
        self.steps[expr.id] = step;
        Ok(())
    }

    fn is_constant(&self, expr: &Expr) -> bool {
        self.steps[expr.id].is_constant()
    }

    fn constant_if_all(&self, expr: &Expr) -> Step {
        let are_constant = expr.children().into_iter().all(|child| self.is_constant(child));
        if are_constant { Step::Constant } else { Step::Evaluated }
    }

    fn call(&mut self, expr: &Expr) -> Result<Step, Failure> {
        let Some(resolved) = &self.checked.calls[expr.id] else { return Ok(Step::Evaluated) };
        let Kind::Call(call) = &expr.kind else { return Ok(Step::Evaluated) };
        let target = call.target.as_deref().filter(|_| resolved.has_receiver);
        let arguments: Vec<&Expr> = target.into_iter().chain(&call.arguments).collect();
        for position in resolved.functions.iter().filter_map(|function| function.pattern) {
            if let Some(text) = arguments.get(position).and_then(|argument| argument.text()) {
                regexes::compiled(text).map_err(Failure::Error)?;
            }
        }
        match arguments[..] {
            [argument] if self.is_constant(argument) && resolved.functions.iter().any(|f| f.is_folded) => {
                self.steps[expr.id] = Step::Constant;
                self.evaluate(expr)?;
                Ok(Step::Constant)
            }
            [_, list] if call.function == "@in" && resolved.overloads == 1 => Ok(self.membership(list)),
            _ => Ok(Step::Evaluated),
        }
    }

    /// Plans `in` with a list that may be constant.
    fn membership(&self, list: &Expr) -> Step {
        let Type::List(item) = &self.checked.types[list.id] else { return Step::Evaluated };
        let Kind::List(elements) = &list.kind else { return Step::Evaluated };
        if !self.is_constant(list) {
            return Step::Evaluated;
        }
        let is_simple = matches!(**item, Type::Bool | Type::Int | Type::Uint | Type::Double | Type::String);
        match elements.is_empty() {
            true => Step::Never,
            false if is_simple => Step::Membership,
            false => Step::Evaluated,
        }
    }

    /// Evaluates a constant part: an error is one of the compilation.
    fn evaluate(&self, expr: &Expr) -> Result<(), Failure> {
        let mut meter = Meter::default();
        Evaluation::new(Vec::new(), &self.checked.calls, &self.steps, &mut meter).of(expr).map(drop)
    }
}
