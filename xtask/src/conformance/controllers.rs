//! Upstream's Deployment and ReplicaSet controllers, and those of the examples, on one kube-apiserver: builds the programs, then
//! runs the suite's.

use super::options::Options;
use super::server;
use crate::cargo;
use crate::failure::{Failure, While};
use crate::peer;
use crate::program;
use crate::workspace::Workspace;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The programs of ours that run beside the kube-apiserver.
const OURS: [(&str, &str); 2] =
    [("--manager", "trimtab-controller-manager"), ("--kubelet", "trimtab-apiserver")];

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut arguments: Vec<OsString> = vec!["--controllers".into()];
    arguments.extend(["--kube".into(), server::kube(options.kube.clone())?.into()]);
    let debug = Workspace::load()?.target.join("debug");
    for (flag, bin) in OURS {
        cargo::run(&mut program::build(bin)).doing("cargo build")?;
        let file = debug.join(format!("{bin}{}", std::env::consts::EXE_SUFFIX));
        arguments.extend([flag.into(), file.into()]);
    }
    match e2e(options) {
        Ok(specs) => arguments.extend(["--e2e".into(), specs.into()]),
        Err(failure) => eprintln!("xtask: upstream's specs are left out: {failure}"),
    }
    program::run(server::SUITE, arguments)
}

/// Returns the program of upstream's specs: the given one, or one built from their modules.
fn e2e(options: &Options) -> Result<PathBuf, Failure> {
    if let Some(program) = &options.e2e {
        return Ok(program.clone());
    }
    let workspace = Workspace::load()?;
    let program = peer::target(&workspace).join("e2e.test");
    if !program.exists() {
        eprintln!("building upstream's specs, which takes about five minutes the first time");
    }
    let mut build = Command::new("go");
    build.current_dir(peer::folder(&workspace, "e2e")).args(["test", "-c", "-vet=off", "-o"]).arg(&program);
    cargo::run(build.arg(".")).doing("go test -c; Go is at https://go.dev/dl")?;
    Ok(program)
}
