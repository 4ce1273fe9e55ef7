//! [`Budget`]: what all rules of an object may cost, and how one of them is asked within that.

use serde_json::Value as Json;

use trimtab_cel::{Activation, EvalError, Meter, Program};

use super::{Before, Node, OLD_SELF, Rule, SELF};
use crate::error::FieldError;

/// The most that all rules of an object may cost: upstream's limit.
const ALL: u64 = 10_000_000;
/// The longest message that an expression may come to, in bytes.
const LONGEST_MESSAGE: usize = 5 * 1024;

/// Whether to go on: not if the budget is used up.
pub(crate) type Verdict = Result<(), UsedUp>;

/// No further rules are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsedUp;

/// The rest of the budget.
#[derive(Debug)]
pub(crate) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(ALL)
    }
}

impl Budget {
    /// Asks the rules that stand at a value.
    pub(crate) fn ask(
        &mut self,
        node: &Node,
        path: &str,
        value: &Json,
        before: Before<'_>,
        causes: &mut Vec<FieldError>,
    ) -> Verdict {
        for rule in &node.rules {
            if rule.compares() && before.old.is_none() && !rule.takes_no_old_self {
                continue;
            }
            let asked = Asked { node, rule, path, value, before };
            match self.one(&asked) {
                Ok(None) => {}
                Ok(Some(cause)) => causes.push(cause),
                Err(cause) => {
                    causes.push(cause);
                    return Err(UsedUp);
                }
            }
        }
        Ok(())
    }

    /// Evaluates a rule about a value. `Err` ends the evaluation of all rules.
    fn one(&mut self, asked: &Asked<'_>) -> Result<Option<FieldError>, FieldError> {
        let rule = asked.rule;
        let program = match &rule.program {
            Ok(program) => program,
            Err(because) => return Ok(Some(asked.cause(&format!("rule compile error: {because}")))),
        };
        let mut meter = Meter::default();
        let outcome = program.evaluate(asked.variables(program), &mut meter);
        if outcome.as_ref().is_err_and(EvalError::is_cost_limit) {
            let because = "'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call \
                           cost exceeds limit for rule";
            return Err(asked.cause(&format!("{because}: {}", rule.text)));
        }
        self.spend(&meter).map_err(|UsedUp| {
            asked.cause("validation failed due to running out of cost budget, no further validation rules will be run")
        })?;
        let holds = match outcome {
            Ok(output) => output.as_bool() == Some(true),
            Err(failure) if failure.is_no_overload() => {
                let because =
                    "call arguments did not match a supported operator, function or macro signature for rule";
                return Ok(Some(asked.cause(&format!("'{failure}': {because}: {}", rule.text))));
            }
            Err(failure) => {
                return Ok(Some(asked.cause(&format!("{failure} evaluating rule: {}", rule.text))));
            }
        };
        if holds || !rule.compares() && asked.is_unchanged() {
            return Ok(None);
        }
        self.message(asked).map(|message| Some(asked.refusal(&message)))
    }

    fn spend(&mut self, meter: &Meter) -> Result<(), UsedUp> {
        self.0 = self.0.checked_sub(meter.cost()).ok_or(UsedUp)?;
        Ok(())
    }

    /// Returns the message of a broken rule: the value of its expression, or else its message, or else its source.
    fn message(&mut self, asked: &Asked<'_>) -> Result<String, FieldError> {
        let rule = asked.rule;
        let otherwise = || rule.message.clone().unwrap_or_else(|| format!("failed rule: {}", rule.text));
        let Some(program) = &rule.message_expression else { return Ok(otherwise()) };
        let mut meter = Meter::default();
        let outcome = program.evaluate(asked.variables(program), &mut meter);
        let is_used_up = self.spend(&meter).is_err();
        if is_used_up || outcome.as_ref().is_err_and(EvalError::is_cost_limit) {
            let because = "messageExpression evaluation failed due to running out of cost budget, no further validation rules \
                           will be run";
            return Err(asked.refusal(because));
        }
        match outcome.as_ref().ok().and_then(|output| output.as_str()) {
            Some(text) => {
                let text = text.trim();
                let is_fit = !text.is_empty() && text.len() <= LONGEST_MESSAGE && !text.contains('\n');
                Ok(if is_fit { text.to_owned() } else { otherwise() })
            }
            None => Ok(otherwise()),
        }
    }
}

/// A rule, and the value that it is asked about.
struct Asked<'a> {
    node: &'a Node,
    rule: &'a Rule,
    path: &'a str,
    value: &'a Json,
    before: Before<'a>,
}

impl<'a> Asked<'a> {
    fn variables(&self, program: &Program) -> Activation<'a> {
        let declared = &self.node.declared;
        let variables = Activation::new().bind(SELF, self.value, declared);
        match self.before.old {
            _ if !program.uses(OLD_SELF) => variables,
            old if self.rule.takes_no_old_self => variables.bind_optional(OLD_SELF, old, declared),
            Some(old) => variables.bind(OLD_SELF, old, declared),
            None => variables.bind_null(OLD_SELF), // the rule is skipped then
        }
    }

    /// Whether the value, or something around it, is what it was.
    fn is_unchanged(&self) -> bool {
        self.before.is_unchanged || self.before.old == Some(self.value)
    }

    fn field(&self) -> &str {
        if self.path.is_empty() { "<nil>" } else { self.path }
    }

    fn cause(&self, because: &str) -> FieldError {
        FieldError::invalid(self.field(), &Json::from(self.node.kind.as_str()), because)
    }

    /// A refusal by the rule's own reason, about the field that it names.
    fn refusal(&self, message: &str) -> FieldError {
        let field = match &self.rule.field {
            Some(field) if self.path.is_empty() => field.trim_start_matches('.').to_owned(),
            Some(field) => format!("{}{field}", self.path),
            None => self.field().to_owned(),
        };
        // What has parts is not told.
        let shown = match self.value {
            Json::Object(_) | Json::Array(_) => String::new(),
            value => format!(": {value}"),
        };
        match self.rule.reason.as_deref() {
            Some("FieldValueForbidden") => FieldError::forbidden(field, message),
            Some("FieldValueRequired") => FieldError::required(field, message),
            Some("FieldValueDuplicate") => {
                FieldError::new("FieldValueDuplicate", field, format!("Duplicate value{shown}"))
            }
            _ => FieldError::new("FieldValueInvalid", field, format!("Invalid value{shown}: {message}")),
        }
    }
}
