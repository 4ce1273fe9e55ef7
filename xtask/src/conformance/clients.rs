//! Upstream's clients: finds or builds them, then runs the suite's program with them.

use super::options::Options;
use super::server;
use crate::failure::Failure;
use crate::peer;
use crate::program;
use crate::workspace::Workspace;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(super) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let mut arguments: Vec<OsString> = vec!["--clients".into()];
    let path = std::env::var_os("PATH").unwrap_or_default();
    for kubectl in options.kubectl.iter().cloned().chain(kubectls(&path)) {
        arguments.extend(["--kubectl".into(), kubectl.into()]);
    }
    // Without Go the program skips some clients and names them.
    match server::kube(options.kube.clone()) {
        Ok(kube) => arguments.extend(["--kube".into(), kube.into()]),
        Err(failure) => eprintln!("xtask: {failure}"),
    }
    match client_go() {
        Ok(client_go) => arguments.extend(["--client-go".into(), client_go.into()]),
        Err(failure) => eprintln!("xtask: {failure}"),
    }
    match kube_runtime() {
        Ok(kube_runtime) => arguments.extend(["--kube-runtime".into(), kube_runtime.into()]),
        Err(failure) => eprintln!("xtask: {failure}"),
    }
    program::run(server::SUITE, arguments)
}

/// Builds the program that uses kube-runtime's helpers.
fn kube_runtime() -> Result<PathBuf, Failure> {
    let workspace = Workspace::load()?;
    peer::build_rust(&peer::folder(&workspace, "kube-runtime"), &peer::target(&workspace), "combined", "dev")
}

/// Builds the program that uses client-go.
fn client_go() -> Result<PathBuf, Failure> {
    let workspace = Workspace::load()?;
    let program = peer::target(&workspace).join("client-go-conformance");
    peer::build_go(&peer::folder(&workspace, "client-go"), "conformance", &program, None).map(|()| program)
}

/// Finds every `kubectl` and `kubectl.1.NN` in the folders of a `PATH`.
fn kubectls(path: &OsStr) -> Vec<PathBuf> {
    let inside = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = std::env::split_paths(path)
        .flat_map(inside)
        .map(|entry| entry.path())
        .filter(|file| is_kubectl(file))
        .collect();
    found.sort();
    found
}

fn is_kubectl(file: &Path) -> bool {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let minor = name.strip_prefix("kubectl.1.").unwrap_or_default();
    name == "kubectl" || (!minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_kubectl_may_end_with_its_minor_version() {
        assert!(is_kubectl(Path::new("/bin/kubectl")) && is_kubectl(Path::new("/opt/kubectl.1.27")));
        assert!(!is_kubectl(Path::new("/bin/kubectl-plugin")) && !is_kubectl(Path::new("/bin/kubectl.1.")));
    }
}
