//! [`Program`]: a compiled expression.

use std::fmt;

use crate::{
    activation::{Activation, Output},
    ast::Expr,
    check::{self, Issue},
    decl_type::DeclType,
    estimate,
    evaluate::Evaluation,
    function::Resolved,
    meter::{EvalError, Failure, Meter},
    parser,
    plan::{self, Step},
    typed::Type,
};

/// A checked expression, which can be evaluated any number of times.
#[derive(Debug)]
pub struct Program {
    expr: Expr,
    result: Type,
    names: Vec<String>,
    max_cost: u64,
    /// The functions of the calls, as the checker resolved them.
    calls: Vec<Option<Resolved>>,
    steps: Vec<Step>,
}

/// A variable that an expression can name.
#[derive(Debug, Clone, Copy)]
pub struct Variable<'d> {
    name: &'d str,
    declared: &'d DeclType,
    is_optional: bool,
}

impl<'d> Variable<'d> {
    /// Declares a variable.
    pub fn new(name: &'d str, declared: &'d DeclType) -> Self {
        Self { name, declared, is_optional: false }
    }

    /// Makes the variable an optional value, as `optionalOldSelf` does with `oldSelf`: expressions read it with
    /// `oldSelf.hasValue()` and `oldSelf.value()`.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }
}

/// The errors of an expression. The text is upstream's: for each error its line and column, its message, the line itself
/// and a mark below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompileError {
    text: String,
    is_of_program: bool,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CompileError {}

impl CompileError {
    fn new(source: &str, issues: &[Issue]) -> Self {
        let text = issues.iter().map(|issue| message(source, issue)).collect::<Vec<_>>().join("\n");
        Self { text, is_of_program: false }
    }

    fn of_program(failure: &Failure) -> Self {
        Self { text: failure.to_string(), is_of_program: true }
    }

    /// Returns whether the expression is correct, but a constant in it is not: one that cannot be converted, or that is no
    /// regular expression. Upstream reports `program instantiation failed` then, instead of `compilation failed`.
    pub fn is_of_program(&self) -> bool {
        self.is_of_program
    }
}

impl Program {
    /// Parses and checks an expression, and estimates its cost.
    ///
    /// # Errors
    ///
    /// All errors of the checker, or the first of the parser; or a constant that cannot be converted.
    pub fn compile(source: &str, variables: &[Variable<'_>]) -> Result<Self, CompileError> {
        let (expr, parts) = parser::parse(source).map_err(|unreadable| {
            CompileError::new(source, &[Issue { at: unreadable.at, because: unreadable.because }])
        })?;
        let typed: Vec<(&str, Type)> = variables
            .iter()
            .map(|variable| {
                let is = variable.declared.is.clone();
                (variable.name, if variable.is_optional { Type::optional(is) } else { is })
            })
            .collect();
        let checked =
            check::check(&expr, parts, &typed).map_err(|issues| CompileError::new(source, &issues))?;
        let steps = plan::plan(&expr, &checked).map_err(|failure| CompileError::of_program(&failure))?;
        let places: Vec<(&str, Option<&DeclType>)> =
            variables.iter().map(|variable| (variable.name, Some(variable.declared))).collect();
        let max_cost = estimate::most(&expr, &checked, &places);
        let result = checked.types.get(expr.id).cloned().unwrap_or(Type::Dyn);
        Ok(Self { expr, result, names: checked.names, max_cost, calls: checked.calls, steps })
    }

    /// Returns whether the checked type of the result is `bool`.
    pub fn returns_bool(&self) -> bool {
        matches!(self.result, Type::Bool)
    }

    /// Returns whether the checked type of the result is `string`.
    pub fn returns_string(&self) -> bool {
        matches!(self.result, Type::String)
    }

    /// Returns the name of the result's type, such as `list(string)`; `dyn` if it is only known after an evaluation.
    pub fn result_type(&self) -> String {
        self.result.to_string()
    }

    /// Returns whether the expression names a variable.
    pub fn uses(&self, variable: &str) -> bool {
        self.names.iter().any(|name| name == variable)
    }

    /// Returns the highest cost of an evaluation, estimated as upstream does from the limits in the schemas of the variables.
    pub fn max_cost(&self) -> u64 {
        self.max_cost
    }

    /// Evaluates the expression. The meter counts the cost; it can be shared by several evaluations.
    ///
    /// # Errors
    ///
    /// See [`EvalError`]; missing keys and overflow are errors of an expression, too.
    pub fn evaluate<'a>(
        &'a self,
        activation: Activation<'a>,
        meter: &mut Meter,
    ) -> Result<Output<'a>, EvalError> {
        let value = Evaluation::new(activation.variables, &self.calls, &self.steps, meter).of(&self.expr);
        value.map(Output::new).map_err(EvalError)
    }
}

/// Formats an error with its line and a mark below it.
fn message(source: &str, issue: &Issue) -> String {
    let before: String = source.chars().take(issue.at).collect();
    let line = before.matches('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count();
    let text = source.lines().nth(line).unwrap_or_default().replace('\t', " ");
    let dots = ".".repeat(column);
    format!("ERROR: <input>:{}:{}: {}\n | {text}\n | {dots}^", line + 1, column + 1, issue.because)
}
