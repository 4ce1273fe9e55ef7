//! `cargo xtask conformance`: compares our implementations with upstream's.
//!
//! The suites of the API server and of the informer are programs of their own, which this command builds and runs.

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
    /// Runs the suite of API rules against this server: `embedded` (ours), `real` (kube-apiserver and etcd; needs Go)
    /// or `kubeconfig=PATH`.
    #[arg(long, group = "what", value_name = "SERVER")]
    server: Option<String>,
    /// Runs upstream's clients against our server: every kubectl on the PATH, kubectl 1.36, client-go and
    /// kube-controller-manager. Without Go it skips and names the clients that need it.
    #[arg(long, group = "what")]
    clients: bool,
    /// Compares feature gates with k8s.io/component-base on random registries; needs Go.
    #[arg(long, group = "what")]
    featuregate: bool,
    /// Runs the informer suite against our API server, or a real one with --kubeconfig.
    #[arg(long, group = "what")]
    informer: bool,
    /// With --informer: connects to this cluster.
    #[arg(long, value_name = "FILE", requires = "informer")]
    kubeconfig: Option<PathBuf>,
    /// With --server: runs only the cases whose group/name contains this; may be repeated.
    #[arg(long, value_name = "NAME", requires = "server")]
    case: Vec<String>,
    /// With --server: prints the cases with their rules and sources, and runs none.
    #[arg(long, requires = "server")]
    list: bool,
    /// With --server real or --clients: uses this build of xtask/peers/kube-apiserver instead of building it.
    #[arg(long, value_name = "PROGRAM", requires = "what", conflicts_with = "featuregate")]
    kube: Option<PathBuf>,
    /// With --clients: runs one more kubectl; may be repeated.
    #[arg(long, value_name = "PROGRAM", requires = "clients")]
    kubectl: Vec<PathBuf>,
    /// With --featuregate: sets the number of random registries.
    #[arg(long, value_name = "N", default_value_t = 2_000, conflicts_with_all = ["server", "clients"])]
    cases: u32,
    /// With --featuregate: sets the seed of the random registries; a failure prints it.
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
