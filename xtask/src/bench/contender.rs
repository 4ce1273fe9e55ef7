//! One program in a comparison: how it is run, and what it prints.

use super::results;
use crate::cargo;
use crate::failure::{Failure, While};
use crate::workspace::{Package, Workspace};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A program that does the work, under the name of its column.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    /// What it is told beside the size of the work.
    pub(super) arguments: Vec<String>,
    /// How it shall hold its objects, if it can choose.
    pub(super) form: Option<&'static str>,
    /// The forms of ours beside which it is shown; empty where there are no forms.
    pub(super) beside: &'static [&'static str],
}

/// One measurement that a program printed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) bench: String,
    pub(super) unit: String,
    pub(super) better: String,
    pub(super) value: f64,
}

impl Contender {
    /// The column's name, and the form where there are several.
    pub(super) fn title(&self) -> String {
        self.form.map_or_else(|| self.name.to_owned(), |form| format!("{} ({form})", self.name))
    }

    pub(super) fn is_ours(&self) -> bool {
        self.name == results::OURS
    }

    /// Runs the program once, with what it is told beside.
    pub(super) fn run(&self, told: &[String]) -> Result<Vec<Line>, Failure> {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).args(told);
        if let Some(form) = self.form {
            command.args(["--form", form]);
        }
        let output = command.stderr(Stdio::inherit()).output().doing(self.program.display())?;
        cargo::checked(output.status).doing(self.program.display())?;
        Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(Line::read).collect())
    }
}

/// Builds a part's bench targets, and tells where they are.
pub(super) fn build_benches(workspace: &Workspace, package: &Package) -> Result<Vec<PathBuf>, Failure> {
    let mut build =
        cargo::command(["bench", "--quiet", "--locked", "--package", &package.name, "--benches", "--no-run"]);
    if package.part() == "apiserver" {
        build.args(["--features", "tls"]); // its peer speaks nothing else
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

/// The bench targets among cargo's messages.
fn bench_programs(messages: &str) -> Vec<PathBuf> {
    let program = |line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_bench = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bench");
        message["executable"].as_str().filter(|_| is_bench).map(PathBuf::from)
    };
    messages.lines().filter_map(program).collect()
}

impl Line {
    fn read(line: &str) -> Option<Self> {
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
    fn what_is_no_measurement_is_passed_over() {
        let line = r#"{"bench":"queue/add","unit":"ns","better":"lower","value":93.1}"#;
        let (bench, unit, better) = ("queue/add".to_owned(), "ns".to_owned(), "lower".to_owned());
        assert_eq!(Line::read(line), Some(Line { bench, unit, better, value: 93.1 }));
        assert_eq!(Line::read("running 3 benches"), None);
        assert_eq!(Line::read(r#"{"bench":"queue/add"}"#), None);
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
