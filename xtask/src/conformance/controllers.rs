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
    if let Some(specs) = specs(options, e2e)? {
        arguments.extend(["--e2e".into(), specs.into()]);
    }
    program::run(server::SUITE, arguments)
}

/// Returns the program of upstream's specs: the given one or a built one; `None` if the specs are left out.
fn specs(
    options: &Options,
    build: impl FnOnce() -> Result<PathBuf, Failure>,
) -> Result<Option<PathBuf>, Failure> {
    match &options.e2e {
        _ if options.without_specs => Ok(None),
        Some(program) => Ok(Some(program.clone())),
        None => build().doing("upstream's specs cannot be built (--without-specs leaves them out)").map(Some),
    }
}

/// Builds the program of upstream's specs from their modules.
fn e2e() -> Result<PathBuf, Failure> {
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn specs_that_cannot_be_built_are_a_failure_unless_they_are_left_out() {
        let specs = |more: &[&str]| {
            let arguments = ["conformance", "--controllers"].iter().chain(more);
            let options = Arguments::try_parse_from(arguments).expect("known flags").options;
            super::specs(&options, || Err(Failure::new("go is not installed")))
                .map_err(|failure| failure.to_string())
        };
        let failed =
            "upstream's specs cannot be built (--without-specs leaves them out): go is not installed";
        assert_eq!(specs(&[]), Err(failed.to_owned()));
        assert_eq!(specs(&["--without-specs"]), Ok(None));
        assert_eq!(specs(&["--e2e=e2e.test"]), Ok(Some(PathBuf::from("e2e.test"))));
    }
}
