//! Pods on a real API server, made for a comparison and deleted with this value.

use crate::cargo;
use crate::failure::{Failure, While};
use crate::peer::{build_go, folder, target};
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMESPACE: &str = "trimtab-bench";

#[derive(Debug)]
pub(super) struct Pods {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Pods {
    /// Makes `count` Pods, or as many as are missing.
    pub(super) fn make(workspace: &Workspace, kubeconfig: &Path, count: u32) -> Result<Self, Failure> {
        let program = target(workspace).join("client-go-populate");
        build_go(&folder(workspace, "client-go"), "populate", &program, None)?;
        let pods = Self { program, kubeconfig: kubeconfig.to_owned() };
        let template = folder(workspace, "load").join("pod.json");
        let mut make = pods.command();
        make.args(["--objects", &count.to_string(), "--template"]).arg(template);
        cargo::run(&mut make).doing("making Pods")?;
        Ok(pods)
    }

    pub(super) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    pub(super) fn namespace(&self) -> &'static str {
        NAMESPACE
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(["--namespace", NAMESPACE]);
        command
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        if let Err(failure) = cargo::run(self.command().arg("--delete")) {
            eprintln!("xtask: the Pods in {NAMESPACE} are left: {failure}");
        }
    }
}
