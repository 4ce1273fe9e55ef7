//! [`Finding`]: one place that breaks a rule.

use std::fmt;

/// One place that breaks a rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(super) file: String,
    /// Counted from 1; 0 stands for the whole file.
    pub(super) line: usize,
    pub(super) problem: String,
}

impl Finding {
    pub(super) fn new(file: &str, line: usize, problem: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, problem: problem.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.problem),
            line => write!(f, "{}:{line}: {}", self.file, self.problem),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_like_a_compiler_message() {
        assert_eq!(Finding::new("a.rs", 3, "is late").to_string(), "a.rs:3: is late");
        assert_eq!(Finding::new("a.rs", 0, "is late").to_string(), "a.rs: is late");
    }
}
