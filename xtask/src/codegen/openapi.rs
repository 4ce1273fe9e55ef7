//! `cargo xtask codegen openapi`: writes the types of the built-in kinds to the file that our API server reads. The
//! file has one line for each field, without the descriptions; those of the metadata's fields are in a file of their own.

mod compact;
mod descriptions;
mod zero;

use super::protobuf;
use crate::{
    cargo::checked,
    failure::{Failure, While},
    workspace::Workspace,
};
use clap::Args;
use compact::Definitions;
use serde_json::Value;
use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

/// The file that our API server reads.
const FILE: &str = "crates/schema/src/builtin.txt";

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// Reads the documents from the kube-apiserver of this kubeconfig. It describes only enabled APIs, so start it with
    /// `--feature-gates=ClusterTrustBundle=true,StorageVersionMigrator=true` and with
    /// `--runtime-config=GROUP/v1beta1=true` for the groups `certificates.k8s.io`, `coordination.k8s.io` and
    /// `storagemigration.k8s.io`.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// Sends the requests with this kubectl.
    #[arg(long, default_value = "kubectl")]
    kubectl: String,
    /// Compares the files with the server instead of writing them, and fails if they differ.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let version = get(options, "/version")?["gitVersion"].as_str().unwrap_or_default().to_owned();
    let index = get(options, "/openapi/v3")?;
    let mut definitions = Definitions::default();
    let mut metadata = None;
    for (path, document) in index["paths"].as_object().into_iter().flatten() {
        // Documents of groups, such as `apis/apps`, have no types beyond those of the group's versions.
        if path == "api/v1" || path.starts_with("apis/") && path.matches('/').count() == 2 {
            let document = get(options, document["serverRelativeURL"].as_str().unwrap_or_default())?;
            definitions.read(&document)?;
            if path == "api/v1" {
                metadata = Some(descriptions::of_metadata(&document, &version)?);
            }
        }
    }
    let metadata = metadata.ok_or_else(|| Failure::new("the server has no document api/v1"))?;
    let workspace = Workspace::load()?;
    let wire = workspace.root.join(protobuf::FILE);
    definitions.mark(&fs::read_to_string(&wire).doing(wire.display())?);
    let types = format!(
        "# The types of Kubernetes {version}: `cargo xtask codegen openapi` writes this file.\n{definitions}"
    );
    let mut is_same = true;
    for (file, text) in [(FILE, types), (descriptions::FILE, metadata)] {
        let path = workspace.root.join(file);
        if options.check {
            let matches = fs::read_to_string(&path).doing(path.display())? == text;
            println!("{file} {} {version}", if matches { "matches" } else { "differs from" });
            is_same &= matches;
        } else {
            fs::write(&path, &text).doing(path.display())?;
            println!("{file}: {} KB of {version}", text.len() / 1024);
        }
    }
    Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Sends a GET of `path` through kubectl, which authenticates as the kubeconfig says.
fn get(options: &Options, path: &str) -> Result<Value, Failure> {
    let mut words = options.kubectl.split_whitespace();
    let mut kubectl = Command::new(words.next().unwrap_or_default());
    kubectl.args(words);
    if let Some(kubeconfig) = &options.kubeconfig {
        kubectl.arg("--kubeconfig").arg(kubeconfig);
    }
    kubectl.args(["get", "--raw", path]).stderr(Stdio::inherit());
    let output = kubectl.output().doing(format_args!("starting {}", options.kubectl))?;
    checked(output.status).doing(format_args!("kubectl get --raw {path}"))?;
    serde_json::from_slice(&output.stdout).doing(format_args!("reading the response to GET {path}"))
}
