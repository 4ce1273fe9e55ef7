//! Pods on a real API server, created for a comparison.

use crate::cargo;
use crate::failure::{Failure, While};
use crate::peer::{build_go, folder, target};
use crate::workspace::Workspace;
use std::path::{Path, PathBuf};
use std::process::Command;

const NAMESPACE: &str = "trimtab-bench";

/// Pods in one namespace; dropping this value deletes them.
#[derive(Debug)]
pub(super) struct Pods {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Pods {
    /// Creates Pods until there are `count`.
    pub(super) fn create(workspace: &Workspace, kubeconfig: &Path, count: u32) -> Result<Self, Failure> {
        let program = target(workspace).join("client-go-populate");
        build_go(&folder(workspace, "client-go"), "populate", &program, None)?;
        let pods = Self { program, kubeconfig: kubeconfig.to_owned() };
        let template = folder(workspace, "load").join("pod.json");
        let mut create = pods.command();
        create.args(["--objects", &count.to_string(), "--template"]).arg(template);
        cargo::run(&mut create).doing("creating Pods")?;
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
            eprintln!("xtask: the Pods in {NAMESPACE} are not deleted: {failure}");
        }
    }
}
