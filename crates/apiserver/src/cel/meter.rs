//! [`Meter`]: what an evaluation costs, in upstream's units, and how it ends that costs too much.

use std::{collections::HashMap, fmt};

use regex::Regex;

/// The most that one expression may cost: upstream's limit.
const LIMIT: u64 = 1_000_000;
/// The most steps of what costs do not tell, such as looking at each part of two large objects: a fraction of a second.
const MOST_WORK: usize = 20_000_000;
/// How many steps an item is worth that is made: it also takes memory.
const ITEM: usize = 10;
/// How many patterns are kept.
const MOST_PATTERNS: usize = 64;

/// Why an expression comes to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It costs more than it may.
    TooCostly,
    /// A function was called with what it does not take: what is typed too loosely to be found out earlier.
    NoOverload,
    /// Anything else, in upstream's words.
    Error(String),
}

impl Failure {
    pub(super) fn error(because: impl Into<String>) -> Self {
        Self::Error(because.into())
    }

    pub(super) fn no_key(key: &str) -> Self {
        Self::Error(format!("no such key: {key}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooCostly => "operation cancelled: actual cost limit exceeded",
            Self::NoOverload => "no such overload",
            Self::Error(because) => because,
        })
    }
}

/// Counts what an evaluation costs.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    cost: u64,
    work: usize,
    /// What was compiled once need not be compiled again.
    patterns: HashMap<String, Regex>,
}

impl Meter {
    /// What it has come to.
    pub(crate) fn cost(&self) -> u64 {
        self.cost
    }

    pub(super) fn charge(&mut self, cost: u64) -> Result<(), Failure> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > LIMIT { Err(Failure::TooCostly) } else { Ok(()) }
    }

    /// Charges a tenth of `size`: what it costs to go through a text.
    pub(super) fn traverse(&mut self, size: u64) -> Result<(), Failure> {
        self.charge(size.div_ceil(10))
    }

    /// Counts items that are made without a cost of their own.
    pub(super) fn make(&mut self, items: usize) -> Result<(), Failure> {
        self.work(items.saturating_mul(ITEM))
    }

    pub(super) fn pattern(&self, text: &str) -> Option<Regex> {
        self.patterns.get(text).cloned()
    }

    pub(super) fn keep_pattern(&mut self, text: &str, pattern: &Regex) {
        if self.patterns.len() < MOST_PATTERNS {
            self.patterns.insert(text.to_owned(), pattern.clone());
        }
    }

    /// Counts steps that cost nothing.
    pub(super) fn work(&mut self, steps: usize) -> Result<(), Failure> {
        self.work = self.work.saturating_add(steps);
        if self.work > MOST_WORK { Err(Failure::TooCostly) } else { Ok(()) }
    }
}
