//! [`Meter`]: the cost of evaluations in upstream's units, and its limit. [`EvalError`]: why an evaluation has no result.

use std::{collections::HashMap, fmt};

use regex::Regex;

use crate::estimate::{TENTH, scaled};

/// The cost limit of one expression upstream.
const LIMIT: u64 = 1_000_000;
/// The limit of steps that costs do not count, such as comparing the parts of two large objects: a fraction of a second.
const MOST_WORK: usize = 20_000_000;
/// The number of steps that a made item counts for: it also takes memory.
const ITEM: usize = 10;
/// The number of compiled patterns that are kept.
const MOST_PATTERNS: usize = 64;

/// The failure of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The cost limit is exceeded.
    TooCostly,
    /// No overload takes the arguments, whose dynamic types the checker could not know.
    NoOverload,
    /// The same, with the name of the function and the types of the arguments.
    NoOverloadOf(String),
    /// Another error, with upstream's message.
    Error(String),
}

/// The error of an evaluation. Its text is upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError(pub(crate) Failure);

impl EvalError {
    /// Returns whether the evaluation was aborted because it exceeded the limit of its [`Meter`].
    pub fn is_cost_limit(&self) -> bool {
        self.0 == Failure::TooCostly
    }

    /// Returns whether a dynamic value had a type that a function or operator does not take.
    pub fn is_no_overload(&self) -> bool {
        matches!(self.0, Failure::NoOverload | Failure::NoOverloadOf(_))
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for EvalError {}

impl Failure {
    pub(crate) fn error(because: impl Into<String>) -> Self {
        Self::Error(because.into())
    }

    pub(crate) fn no_key(key: &str) -> Self {
        Self::Error(format!("no such key: {key}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooCostly => "operation cancelled: actual cost limit exceeded",
            Self::NoOverload => "no such overload",
            Self::NoOverloadOf(call) => return write!(f, "no such overload: {call}"),
            Self::Error(because) => because,
        })
    }
}

/// Counts the cost of evaluations, and aborts them at a limit.
///
/// The units are upstream's. The time that an expression within the limit can take is bounded too: by steps, which count
/// work that costs do not show.
#[derive(Debug)]
pub struct Meter {
    cost: u64,
    limit: u64,
    work: usize,
    /// Compiled patterns.
    patterns: HashMap<String, Regex>,
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(LIMIT)
    }
}

impl Meter {
    /// Makes a meter with a limit. [`Meter::default`] has upstream's limit of one rule: 1,000,000.
    pub fn new(limit: u64) -> Self {
        Self { cost: 0, limit, work: 0, patterns: HashMap::new() }
    }

    /// Returns the cost so far.
    pub fn cost(&self) -> u64 {
        self.cost
    }

    pub(crate) fn charge(&mut self, cost: u64) -> Result<(), Failure> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limit { Err(Failure::TooCostly) } else { Ok(()) }
    }

    /// Takes back all charges since the cost was this.
    pub(crate) fn refund_to(&mut self, cost: u64) {
        self.cost = cost;
    }

    /// Charges a tenth of `size`: the cost of traversing a text.
    pub(crate) fn traverse(&mut self, size: u64) -> Result<(), Failure> {
        self.charge(scaled(size, TENTH))
    }

    /// Counts made items that have no cost of their own.
    pub(crate) fn make(&mut self, items: usize) -> Result<(), Failure> {
        self.work(items.saturating_mul(ITEM))
    }

    pub(crate) fn pattern(&self, text: &str) -> Option<Regex> {
        self.patterns.get(text).cloned()
    }

    pub(crate) fn keep_pattern(&mut self, text: &str, pattern: &Regex) {
        if self.patterns.len() < MOST_PATTERNS {
            self.patterns.insert(text.to_owned(), pattern.clone());
        }
    }

    /// Counts steps that have no cost.
    pub(crate) fn work(&mut self, steps: usize) -> Result<(), Failure> {
        self.work = self.work.saturating_add(steps);
        if self.work > MOST_WORK { Err(Failure::TooCostly) } else { Ok(()) }
    }
}
