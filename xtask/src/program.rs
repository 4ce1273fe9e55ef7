//! The programs of the workspace that are not published: `demo`, `simulate`, the conformance suite, the stress programs.

use crate::cargo::{self, become_program};
use crate::failure::Failure;
use crate::workspace::Workspace;
use std::ffi::OsStr;
use std::process::{Command, ExitCode};

/// Builds the program `bin` and replaces this process with it.
pub(crate) fn run<A: AsRef<OsStr>>(
    bin: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    cargo::run(&mut build(bin))?;
    let file = format!("{bin}{}", std::env::consts::EXE_SUFFIX);
    let mut program = Command::new(workspace.target.join("debug").join(file));
    program.args(arguments);
    become_program(program)
}

/// The command that builds the program.
///
/// It selects the features of the whole workspace. With those of one package, cargo would compile the dependencies that
/// the tests have compiled once more.
pub(crate) fn build(bin: &str) -> Command {
    cargo::command(["build", "--quiet", "--locked", "--workspace", "--all-features", "--bin", bin])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_have_the_features_of_the_whole_workspace() {
        let line = cargo::line(&build("demo"));
        assert_eq!(line, "cargo build --quiet --locked --workspace --all-features --bin demo");
    }
}
