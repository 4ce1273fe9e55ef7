//! The step `loom`: runs the models of each part that has `src/loom_tests.rs`. Only the part itself is compiled with
//! loom's `cfg`, so that its dependencies are not compiled again.

use crate::cargo::{self, checked_output};
use crate::failure::{Failure, While};
use crate::workspace::{Package, Workspace};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The `cfg` has the project's prefix, because some dependencies react to a bare `loom`.
/// The code is optimised a little, because loom's threads have small stacks.
const SWITCH: [&str; 4] = ["--cfg", "trimtab_loom", "-C", "opt-level=1"];

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    for package in workspace.parts().filter(|package| package.folder.join("src/loom_tests.rs").exists()) {
        let models = build(package)?;
        let ran = checked_output(Command::new(models).arg("loom_tests"))?;
        if passed(&ran) == 0 {
            return Err(Failure::new(format!("{} has loom_tests.rs, but no model ran", package.name)));
        }
    }
    Ok(())
}

/// Builds the part's unit tests with loom's `cfg` and returns the path of the program.
fn build(package: &Package) -> Result<PathBuf, Failure> {
    let mut rustc =
        cargo::command(["rustc", "--locked", "--package", &package.name, "--lib", "--profile", "test"]);
    rustc.args(["--message-format", "json-render-diagnostics", "--"]).args(SWITCH);
    println!("$ {}", cargo::line(&rustc));
    let output = rustc.stderr(Stdio::inherit()).output().doing("starting cargo rustc")?;
    cargo::checked(output.status)?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    executable(&messages).ok_or_else(|| Failure::new(format!("cargo built no tests for {}", package.name)))
}

/// Extracts the last program from cargo's messages.
fn executable(messages: &str) -> Option<PathBuf> {
    let program = |line| serde_json::from_str::<Value>(line).ok()?["executable"].as_str().map(PathBuf::from);
    messages.lines().rev().find_map(program)
}

/// Reads the number of passed tests from the harness's last line.
fn passed(output: &str) -> usize {
    let count = |line: &str| line.strip_prefix("test result: ok. ")?.split(' ').next()?.parse().ok();
    output.lines().rev().find_map(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_program_is_found_among_cargos_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n{\"executable\":\"/t/deps/queue-1\"}\n{\"reason\":\"build-finished\"}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/deps/queue-1")));
        assert_eq!(executable("{\"executable\":null}\n"), None);
    }

    #[test]
    fn filtered_models_do_not_count() {
        assert_eq!(passed("running 2 tests\n\ntest result: ok. 2 passed; 0 failed; 0 ignored\n"), 2);
        assert_eq!(passed("running 0 tests\n\ntest result: ok. 0 passed; 0 failed; 9 filtered out\n"), 0);
        assert_eq!(passed(""), 0);
    }
}
