//! One program under measurement: its command line and its output.

use crate::cargo;
use crate::failure::{Failure, While};
use crate::workspace::{Package, Workspace};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The name of our own column.
pub(super) const OURS: &str = "trimtab";

/// A program that does the work; its name heads a column of the table.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    /// Its own arguments, before those of the scenario.
    pub(super) arguments: Vec<String>,
    /// The form in which it holds objects, if it has several.
    pub(super) form: Option<&'static str>,
    /// Our forms that it is compared with; empty if the part has no forms.
    pub(super) beside: &'static [&'static str],
}

/// One measurement, printed by a program.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Measurement {
    pub(super) bench: String,
    pub(super) unit: String,
    pub(super) better: String,
    pub(super) value: f64,
}

impl Subject {
    /// Returns the column's name, with the form if there are several.
    pub(super) fn title(&self) -> String {
        self.form.map_or_else(|| self.name.to_owned(), |form| format!("{} ({form})", self.name))
    }

    pub(super) fn is_ours(&self) -> bool {
        self.name == OURS
    }

    /// Runs a program once, with the arguments of a scenario: the subject's own, or one that measures the subject.
    pub(super) fn run(&self, program: &Path, arguments: &[String]) -> Result<Vec<Measurement>, Failure> {
        let mut command = Command::new(program);
        command.args(&self.arguments).args(arguments);
        if let Some(form) = self.form {
            command.args(["--form", form]);
        }
        let output = command.stderr(Stdio::inherit()).output().doing(program.display())?;
        cargo::checked(output.status).doing(program.display())?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(Measurement::read).collect())
    }
}

/// The part whose benchmark is optimized as a whole, as Go inlines across packages. An operation of it takes a hundred
/// nanoseconds, a tenth of which are calls between crates. The other benchmarks would take five minutes each to build so.
const WHOLE: &str = "trimtab-workqueue";

/// Builds a part's bench targets and returns their paths.
///
/// They have the features of the whole workspace: the parts then share their compiled dependencies.
pub(super) fn build_benches(workspace: &Workspace, package: &Package) -> Result<Vec<PathBuf>, Failure> {
    let mut build =
        cargo::command(["bench", "--quiet", "--locked", "--workspace", "--all-features", "--no-run"]);
    for bench in &package.benches {
        build.args(["--bench", bench]);
    }
    if package.name == WHOLE {
        build.args(["--config", "profile.bench.lto='fat'", "--config", "profile.bench.codegen-units=1"]);
    }
    build.args(["--message-format", "json-render-diagnostics"]).current_dir(&workspace.root);
    let output = build.stderr(Stdio::inherit()).output().doing("starting cargo bench")?;
    cargo::checked(output.status).doing("cargo bench --no-run")?;
    let programs = bench_programs(&String::from_utf8_lossy(&output.stdout));
    if programs.is_empty() {
        Err(Failure::new(format!("{} built no benchmark", package.name)))
    } else {
        Ok(programs)
    }
}

/// Extracts the bench targets from cargo's messages.
fn bench_programs(messages: &str) -> Vec<PathBuf> {
    let program = |line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_bench = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bench");
        message["executable"].as_str().filter(|_| is_bench).map(PathBuf::from)
    };
    messages.lines().filter_map(program).collect()
}

impl Measurement {
    pub(super) fn read(line: &str) -> Option<Self> {
        let line: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        Some(Self {
            bench: text("bench")?,
            unit: text("unit")?,
            better: text("better")?,
            value: line["value"].as_f64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_without_a_measurement_are_ignored() {
        let line = r#"{"bench":"queue/add","unit":"ns","better":"lower","value":93.1}"#;
        let (bench, unit, better) = ("queue/add".to_owned(), "ns".to_owned(), "lower".to_owned());
        assert_eq!(Measurement::read(line), Some(Measurement { bench, unit, better, value: 93.1 }));
        assert_eq!(Measurement::read("running 3 benches"), None);
        assert_eq!(Measurement::read(r#"{"bench":"queue/add"}"#), None);
    }

    #[test]
    fn only_bench_targets_are_run() {
        let messages = concat!(
            "{\"target\":{\"kind\":[\"lib\"]},\"executable\":\"/t/lib\"}\n",
            "{\"target\":{\"kind\":[\"bench\"]},\"executable\":\"/t/backlog\"}\n",
            "{\"reason\":\"build-finished\"}\n",
        );
        assert_eq!(bench_programs(messages), [PathBuf::from("/t/backlog")]);
    }
}
