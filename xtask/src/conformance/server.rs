//! The suite of API rules: builds the programs that the chosen server needs, then runs the suite's program.

use super::options::Options;
use crate::failure::Failure;
use crate::peer;
use crate::program;
use crate::workspace::Workspace;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// The program that contains the suite.
pub(super) const SUITE: &str = "trimtab-conformance";

pub(super) fn run(server: &str, options: &Options) -> Result<ExitCode, Failure> {
    let mut arguments: Vec<OsString> = vec!["--server".into(), server.into()];
    for case in &options.case {
        arguments.extend(["--case".into(), case.into()]);
    }
    if options.authorization {
        arguments.push("--authorization".into());
    }
    if let Some(file) = &options.record {
        arguments.extend(["--record".into(), file.into()]);
    }
    if options.list {
        arguments.push("--list".into());
    } else if server == "real" {
        arguments.extend(["--kube".into(), kube(options.kube.clone())?.into()]);
    }
    program::run(SUITE, arguments)
}

/// Returns the program that contains Kubernetes' servers and kubectl: the given one, or one built from their modules.
pub(crate) fn kube(built: Option<PathBuf>) -> Result<PathBuf, Failure> {
    if let Some(program) = built {
        return Ok(program);
    }
    let workspace = Workspace::load()?;
    let target = peer::target(&workspace);
    let program = target.join("kube");
    if !program.exists() {
        eprintln!("building kube-apiserver, etcd and kubectl, which takes about five minutes the first time");
    }
    peer::build_go(&peer::folder(&workspace, "kube-apiserver"), ".", &program, Some(VERSION))
        .map(|()| program)
}

/// The version that the programs report; without these flags it would be v0.0.0.
pub(crate) const VERSION: &str = "-s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 \
                       -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36";
