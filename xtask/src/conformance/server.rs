//! The suite of API rules: builds what the chosen server needs, then hands over to the suite's program.

use super::Options;
use crate::cargo;
use crate::failure::Failure;
use crate::peer;
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::process::ExitCode;

pub(super) fn run(server: &str, options: &Options) -> Result<ExitCode, Failure> {
    let mut program =
        cargo::command(["run", "--quiet", "--locked", "--package", "trimtab-conformance", "--"]);
    program.args(["--server", server]);
    for case in &options.case {
        program.args(["--case", case]);
    }
    if options.list {
        program.arg("--list");
    } else if server == "real" {
        program.arg("--kube").arg(kube(options.kube.clone())?);
    }
    cargo::become_program(program)
}

/// Kubernetes' own programs in one: as given, or built from their modules.
pub(crate) fn kube(built: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(program) = built {
        return Ok(program);
    }
    let workspace = Workspace::load()?;
    let target = peer::target(&workspace);
    let program = target.join("kube");
    if !program.exists() {
        eprintln!("building kube-apiserver, etcd and kubectl once: about five minutes");
    }
    peer::build_go(&peer::folder(&workspace, "kube-apiserver"), ".", &program, Some(VERSION))
        .map(|()| program)
}

/// What the programs say about themselves; else kubectl and the server would call themselves v0.0.0.
const VERSION: &str = "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
                       -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36";
