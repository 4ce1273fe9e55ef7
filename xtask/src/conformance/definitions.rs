//! The definitions of public projects on both servers: fetches the projects' Go modules, then runs the suite's program with
//! their folders.

use super::options::Options;
use super::server;
use crate::failure::{Failure, While};
use crate::program;
use crate::workspace::Workspace;
use serde_json::Value;
use std::ffi::OsString;
use std::fs;
use std::process::{Command, ExitCode};

/// The modules and their versions.
const MODULES: &str = "conformance/src/differential/definitions/modules.txt";

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let file = Workspace::load()?.root.join(MODULES);
    let modules = fs::read_to_string(&file).doing(format!("reading {}", file.display()))?;
    let mut arguments: Vec<OsString> = vec!["--kube".into(), server::kube(options.kube.clone())?.into()];
    let wanted = modules.lines().filter(|module| match options.module.as_slice() {
        [] => true,
        parts => parts.iter().any(|part| module.contains(part.as_str())),
    });
    for module in wanted {
        match fetch(module) {
            Ok(folder) => arguments.extend(["--definitions".into(), format!("{module}={folder}").into()]),
            Err(failure) => eprintln!("xtask: {module} is left out: {failure}"),
        }
    }
    program::run(server::SUITE, arguments)
}

/// Fetches a module's sources, and returns their folder.
fn fetch(module: &str) -> Result<String, Failure> {
    let mut download = Command::new("go");
    download.args(["mod", "download", "-json", module]).env("GOFLAGS", "-mod=mod");
    let output = download.output().doing("go mod download; Go is at https://go.dev/dl")?;
    let answer: Value =
        serde_json::from_slice(&output.stdout).doing("reading the answer of go mod download")?;
    match (answer["Dir"].as_str(), answer["Error"].as_str()) {
        (Some(folder), _) => Ok(folder.to_owned()),
        (None, because) => Err(Failure::new(because.unwrap_or("go names no folder"))),
    }
}
