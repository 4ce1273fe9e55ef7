//! `cargo xtask failover`: measures failover between real processes, ours and client-go's, with a program of `examples/`.

use crate::cargo;
use crate::failure::{Failure, While};
use crate::peer::{build_go, folder, target};
use crate::workspace::Workspace;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// A kube-apiserver, such as `xtask/peers/kube-apiserver` builds; by default the embedded API server.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// How often each signal is sent to each leader.
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: u32,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let client_go = target(&workspace).join("client-go-elector");
    build_go(&folder(&workspace, "client-go"), "elector", &client_go, None)?;
    let package = ["--quiet", "--locked", "--package", "trimtab-examples"];
    let mut build = cargo::command(["build"]);
    cargo::run(build.args(package).args(["--bin", "elector"])).doing("cargo build")?;
    let mut failover = cargo::command(["run"]);
    failover.args(package).args(["--bin", "failover", "--", "--client-go"]).arg(client_go);
    failover.args(["--rounds", &options.rounds.to_string()]);
    if let Some(kubeconfig) = &options.kubeconfig {
        failover.arg("--kubeconfig").arg(kubeconfig);
    }
    cargo::become_program(failover)
}
