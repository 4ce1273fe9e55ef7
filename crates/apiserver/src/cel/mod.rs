//! The Common Expression Language, as far as rules of custom resources use it: read, checked against a schema, its cost
//! estimated, and evaluated. Why it is not a library's: `docs/decisions/0006-cel.md`.
//!
//! - I1: no expression makes the server go deeper than [`parser`] allows: each part knows how deep it is.
//! - I2: no evaluation goes on for longer than a [`Meter`] allows: every step of a loop is charged.

mod ast;
mod check;
mod declared;
mod estimate;
mod evaluate;
mod functions;
mod lexer;
mod macros;
mod meter;
mod operators;
mod parser;
mod signatures;
mod typed;
mod value;

use self::{
    ast::{Expr, Kind, Literal},
    check::Issue,
    evaluate::Evaluation,
};
pub(crate) use self::{
    declared::Declared,
    functions::times::duration,
    meter::{Failure, Meter},
    typed::Type,
    value::Value,
};

/// An expression that can be evaluated.
#[derive(Debug)]
pub(crate) struct Program {
    expr: Expr,
    is: Type,
    names: Vec<String>,
    most: u64,
}

/// A variable of an expression.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable<'d> {
    pub(crate) name: &'d str,
    pub(crate) declared: &'d Declared,
    /// Whether there may be no value.
    pub(crate) is_optional: bool,
}

impl Program {
    /// Reads and checks an expression.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in upstream's words: a line for each mistake, and where it is.
    pub(crate) fn compile(source: &str, variables: &[Variable<'_>]) -> Result<Self, String> {
        let told =
            |issues: &[Issue]| issues.iter().map(|issue| tell(source, issue)).collect::<Vec<_>>().join("\n");
        let (expr, parts) = parser::parse(source)
            .map_err(|unreadable| told(&[Issue { at: unreadable.at, because: unreadable.because }]))?;
        let typed: Vec<(&str, Type)> = variables
            .iter()
            .map(|variable| {
                let is = variable.declared.is.clone();
                (variable.name, if variable.is_optional { Type::optional(is) } else { is })
            })
            .collect();
        let checked = check::check(&expr, parts, &typed).map_err(|issues| told(&issues))?;
        let issues = constants(&expr);
        if !issues.is_empty() {
            return Err(told(&issues));
        }
        let places: Vec<(&str, Option<&Declared>)> =
            variables.iter().map(|variable| (variable.name, Some(variable.declared))).collect();
        let most = estimate::most(&expr, &checked.types, &places);
        let is = checked.types.get(expr.id).cloned().unwrap_or(Type::Dyn);
        Ok(Self { expr, is, names: checked.names, most })
    }

    /// What it comes to.
    pub(crate) fn is(&self) -> &Type {
        &self.is
    }

    /// Whether it asks for a variable.
    pub(crate) fn names(&self, variable: &str) -> bool {
        self.names.iter().any(|name| name == variable)
    }

    /// The most that it is estimated to cost.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Evaluates it.
    pub(crate) fn run<'a>(
        &'a self,
        variables: Vec<(&'a str, Value<'a>)>,
        meter: &mut Meter,
    ) -> Result<Value<'a>, Failure> {
        Evaluation::new(variables, meter).of(&self.expr)
    }
}

/// Constants that are no patterns, times or spans of time, where such are asked for.
fn constants(expr: &Expr) -> Vec<Issue> {
    let mut issues = Vec::new();
    expr.each(&mut |part| {
        let Kind::Call(call) = &part.kind else { return };
        let argument = match call.function.as_str() {
            "matches" | "find" | "findAll" => {
                call.arguments.iter().rev().find(|argument| argument.text().is_some())
            }
            "timestamp" | "duration" => call.arguments.first(),
            _ => None,
        };
        let Some((argument, text)) = argument.and_then(|argument| Some((argument, argument.text()?))) else {
            return;
        };
        let because = match call.function.as_str() {
            "timestamp" => {
                functions::times::timestamp(text).is_none().then(|| "invalid timestamp argument".to_owned())
            }
            "duration" => {
                functions::times::duration(text).is_none().then(|| "invalid duration argument".to_owned())
            }
            _ => functions::regexes::compiled(text).is_err().then(|| "invalid matches argument".to_owned()),
        };
        issues.extend(because.map(|because| Issue { at: argument.at, because }));
    });
    issues
}

impl Expr {
    /// The text that it is, if it is a constant.
    fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Literal(Literal::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Shows `look` this part and all that are in it.
    fn each<'e>(&'e self, look: &mut impl FnMut(&'e Expr)) {
        look(self);
        match &self.kind {
            Kind::Literal(_) | Kind::Name(_) => {}
            Kind::Select(operand, _) | Kind::OptionalSelect(operand, _) | Kind::Has(operand, _) => {
                operand.each(look)
            }
            Kind::Call(call) => call
                .target
                .iter()
                .map(|target| &**target)
                .chain(&call.arguments)
                .for_each(|part| part.each(look)),
            Kind::And(parts) | Kind::Or(parts) => parts.iter().for_each(|part| part.each(look)),
            Kind::Choice(parts) => parts.iter().for_each(|part| part.each(look)),
            Kind::List(elements) => elements.iter().for_each(|element| element.value.each(look)),
            Kind::Map(entries) => entries.iter().for_each(|(key, element)| {
                key.each(look);
                element.value.each(look);
            }),
            Kind::Loop(over) => {
                over.range.each(look);
                over.filter.iter().for_each(|filter| filter.each(look));
                over.body.each(look);
            }
            Kind::Bind(bind) => {
                bind.value.each(look);
                bind.body.each(look);
            }
        }
    }
}

/// A mistake with the line that it is in, and a mark below it.
fn tell(source: &str, issue: &Issue) -> String {
    let before: String = source.chars().take(issue.at).collect();
    let line = before.matches('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count();
    let text = source.lines().nth(line).unwrap_or_default();
    let dots = ".".repeat(column);
    format!("ERROR: <input>:{}:{}: {}\n | {text}\n | {dots}^", line + 1, column + 1, issue.because)
}

#[cfg(test)]
mod tests;
