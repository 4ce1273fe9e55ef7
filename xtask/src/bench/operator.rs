//! The website operators: the example of this repository, and the peers' operators of the same shape.

use super::subject::{OURS, Subject};
use crate::cargo;
use crate::failure::{Failure, While};
use crate::peer::{build_go, build_rust, folder, target};
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};

/// The definition of the kind `Website`, in the workspace.
pub(super) const DEFINITION: &str = "examples/website/manifests/crd.yaml";

/// The profile of programs that are shipped. It strips their symbols.
pub(super) const DIST: &str = "dist";

/// The operators of all subjects, built as they would be shipped.
#[derive(Debug)]
pub(super) struct Operators {
    /// The benchmark that starts and measures them.
    driver: PathBuf,
    programs: Vec<(&'static str, Result<PathBuf, Failure>)>,
}

impl Operators {
    /// Builds the operators of these subjects. An operator that cannot be built fails its subject alone.
    pub(super) fn build(workspace: &Workspace, driver: &Path, subjects: &[Subject]) -> Self {
        let program = |subject: &Subject| (subject.name, build(workspace, subject.name));
        Self { driver: driver.to_owned(), programs: subjects.iter().map(program).collect() }
    }

    /// Returns the benchmark that measures an operator.
    pub(super) fn driver(&self) -> &Path {
        &self.driver
    }

    /// Returns the operator of a subject.
    pub(super) fn program(&self, subject: &Subject) -> Result<&Path, Failure> {
        let found = self.programs.iter().find(|(name, _)| *name == subject.name);
        match found {
            Some((_, Ok(program))) => Ok(program),
            Some((_, Err(failure))) => Err(Failure::new(failure.to_string())),
            None => Err(Failure::new(format!("{} has no website operator", subject.name))),
        }
    }
}

fn build(workspace: &Workspace, name: &str) -> Result<PathBuf, Failure> {
    match name {
        OURS => build_ours(workspace),
        "kube-runtime" => build_rust(&folder(workspace, name), &target(workspace), "website", DIST),
        _ => {
            let stripped = target(workspace).join(format!("website-{name}"));
            build_go(&folder(workspace, name), "website", &stripped, Some("-s -w"))?;
            Ok(stripped)
        }
    }
}

/// Builds the example by itself, as a user's operator is built.
fn build_ours(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let mut build = cargo::command(["build", "--quiet", "--profile", DIST, "--locked"]);
    build.args(["--package", "trimtab-website"]).current_dir(&workspace.root);
    cargo::run(&mut build).doing("cargo build")?;
    let program = workspace.target.join(DIST).join("trimtab-website");
    Ok(program.with_extension(std::env::consts::EXE_EXTENSION))
}
