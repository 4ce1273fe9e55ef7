//! `cargo xtask openapi`: the types of the built-in kinds, from a running kube-apiserver to the file that our
//! API server reads. What is prose stays there; what is a fact is one line for each field.

mod compact;

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

/// Where our API server finds the types.
const FILE: &str = "crates/apiserver/src/schema/builtin.txt";

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// How to reach a kube-apiserver. It tells of what is enabled there: our API server also serves
    /// `--runtime-config=coordination.k8s.io/v1beta1=true`.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The kubectl to ask it with.
    #[arg(long, default_value = "kubectl")]
    kubectl: String,
    /// Write nothing, and fail if the file that is there says something else.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let version = get(options, "/version")?["gitVersion"].as_str().unwrap_or_default().to_owned();
    let index = get(options, "/openapi/v3")?;
    let mut definitions = Definitions::default();
    for (path, place) in index["paths"].as_object().into_iter().flatten() {
        // `apis/apps/v1` has types; `apis/apps` has none that are not there, too.
        if path == "api/v1" || path.starts_with("apis/") && path.matches('/').count() == 2 {
            definitions.read(&get(options, place["serverRelativeURL"].as_str().unwrap_or_default())?)?;
        }
    }
    let text = format!(
        "# The types of Kubernetes {version}: `cargo xtask openapi` writes this file.\n{definitions}"
    );
    let file = Workspace::load()?.root.join(FILE);
    if options.check {
        let is_same = fs::read_to_string(&file).doing(file.display())? == text;
        println!("{FILE} {} {version}", if is_same { "is that of" } else { "is not that of" });
        return Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    fs::write(&file, &text).doing(file.display())?;
    println!("{FILE}: {} types of {version}, {} KB", definitions.len(), text.len() / 1024);
    Ok(ExitCode::SUCCESS)
}

/// The answer to a GET of `path`, which kubectl gets past whatever the cluster asks for.
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
    serde_json::from_slice(&output.stdout).doing(format_args!("the answer to GET {path}"))
}
