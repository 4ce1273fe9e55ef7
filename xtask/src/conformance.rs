//! `cargo xtask conformance`: ours and upstream's at the same work, compared.
//!
//! The API servers are asked by a program of its own, which this command builds and hands over to.

mod clients;
mod featuregate;
mod informer;
mod server;

use crate::failure::Failure;
use clap::{ArgGroup, Args};
pub(crate) use server::kube;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).multiple(false))]
pub(crate) struct Options {
    /// The suite of API rules, against this server: `embedded` (ours), `real` (kube-apiserver and etcd; needs Go) or
    /// `kubeconfig=PATH`.
    #[arg(long, group = "what", value_name = "SERVER")]
    server: Option<String>,
    /// Clients that nobody here wrote, against our server: every kubectl on the PATH and 1.36's, client-go, and upstream's
    /// kube-controller-manager. What needs Go is left out, and named, where there is none.
    #[arg(long, group = "what")]
    clients: bool,
    /// Feature gates, against k8s.io/component-base, on random registries. Needs Go.
    #[arg(long, group = "what")]
    featuregate: bool,
    /// Informers, against an API server: our own, or a real one with --kubeconfig.
    #[arg(long, group = "what")]
    informer: bool,
    /// With --informer: the cluster to ask.
    #[arg(long, value_name = "FILE", requires = "informer")]
    kubeconfig: Option<PathBuf>,
    /// With --server: only the cases whose group/name contains this; may be given several times.
    #[arg(long, value_name = "NAME", requires = "server")]
    case: Vec<String>,
    /// With --server: prints the cases, each with its rule and source, and asks nobody.
    #[arg(long, requires = "server")]
    list: bool,
    /// With --server real or --clients: Kubernetes' programs in one, if they are built already (xtask/peers/kube-apiserver).
    #[arg(long, value_name = "PROGRAM", requires = "what", conflicts_with = "featuregate")]
    kube: Option<PathBuf>,
    /// With --clients: one more kubectl; may be given several times.
    #[arg(long, value_name = "PROGRAM", requires = "clients")]
    kubectl: Vec<PathBuf>,
    /// With --featuregate: how many random registries.
    #[arg(long, value_name = "N", default_value_t = 2_000, conflicts_with_all = ["server", "clients"])]
    cases: u32,
    /// With --featuregate: which random registries; a failure names the one to repeat.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["server", "clients"])]
    seed: u64,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    match &options.server {
        Some(server) => server::run(server, options),
        None if options.informer => informer::run(options.kubeconfig.as_deref()),
        None if options.clients => clients::run(options),
        None => featuregate::run(options.cases, options.seed),
    }
}
