//! [`Report`]: the results of the steps, printed as they run and in a table at the end.

use crate::failure::Failure;
use crate::stopwatch::{Elapsed, Stopwatch};
use comfy_table::Table;
use std::fmt;

/// The results of the steps so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<(String, Outcome)>,
}

#[derive(Debug)]
enum Outcome {
    Passed(Elapsed),
    Failed(Elapsed, Failure),
    /// The step did not run, because this earlier step failed.
    Skipped(&'static str),
}

impl Report {
    /// Runs a step and records its result.
    pub(super) fn step(&mut self, name: &str, run: impl FnOnce() -> Result<(), Failure>) {
        println!("\n== {name}");
        let watch = Stopwatch::start();
        let result = run();
        let elapsed = watch.elapsed();
        let outcome = match result {
            Ok(()) => Outcome::Passed(elapsed),
            Err(failure) => {
                println!("== {name} failed: {failure}");
                Outcome::Failed(elapsed, failure)
            }
        };
        println!("== {name}: {elapsed}");
        self.rows.push((name.to_owned(), outcome));
    }

    pub(super) fn skip(&mut self, name: &str, earlier: &'static str) {
        println!("\n== {name} is skipped: {earlier} failed");
        self.rows.push((name.to_owned(), Outcome::Skipped(earlier)));
    }

    /// Returns whether a step of this name failed or was skipped.
    pub(super) fn failed(&self, name: &str) -> bool {
        self.rows.iter().any(|(row, outcome)| row == name && !matches!(outcome, Outcome::Passed(_)))
    }

    pub(super) fn is_green(&self) -> bool {
        self.rows.iter().all(|(_, outcome)| matches!(outcome, Outcome::Passed(_)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_preset(comfy_table::presets::NOTHING).set_header(["step", "time", "result"]);
        for (name, outcome) in &self.rows {
            table.add_row(match outcome {
                Outcome::Passed(elapsed) => [name.clone(), elapsed.to_string(), "ok".to_owned()],
                Outcome::Failed(elapsed, failure) => {
                    [name.clone(), elapsed.to_string(), format!("FAILED: {failure}")]
                }
                Outcome::Skipped(earlier) => {
                    [name.clone(), "-".to_owned(), format!("skipped: {earlier} failed")]
                }
            });
        }
        write!(f, "{}", table.trim_fmt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_fails_the_run_and_is_listed_with_its_reason() {
        let mut report = Report::default();
        report.step("build", || Ok(()));
        assert!(report.is_green());
        report.step("test", || Err(Failure::new("two tests")));
        report.skip("demo", "test");
        assert!(!report.is_green());
        assert!(report.failed("test") && report.failed("demo") && !report.failed("build"));
        let shown = report.to_string();
        assert!(shown.contains("FAILED: two tests") && shown.contains("skipped: test failed"), "{shown}");
    }
}
