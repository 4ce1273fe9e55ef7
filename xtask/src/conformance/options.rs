//! [`Options`]: the suite to run, and the options of each.

use clap::{ArgGroup, Args};
use std::path::PathBuf;

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).multiple(false))]
pub(crate) struct Options {
    /// Runs the suite of API rules against this server: `embedded` (ours), `real` (kube-apiserver and etcd; needs Go)
    /// or `kubeconfig=PATH`.
    #[arg(long, group = "what", value_name = "SERVER")]
    pub(super) server: Option<String>,
    /// Runs upstream's clients against our server: every kubectl on the PATH, kubectl 1.36, client-go and
    /// kube-controller-manager. Without Go it skips and names the clients that need it.
    #[arg(long, group = "what")]
    pub(super) clients: bool,
    /// Hands the Deployments of a kube-apiserver from upstream's kube-controller-manager to the example
    /// `trimtab-controller-manager` and back in the middle of rollouts, and counts the Pods. Then runs upstream's
    /// end-to-end specs of Deployments and ReplicaSets with both, on both servers; needs Go.
    #[arg(long, group = "what")]
    pub(super) controllers: bool,
    /// With --controllers: uses this build of xtask/peers/e2e instead of building it.
    #[arg(long, value_name = "PROGRAM", requires = "controllers")]
    pub(super) e2e: Option<PathBuf>,
    /// With --controllers: leaves the specs out. Without it, a machine that cannot build them fails.
    #[arg(long, requires = "controllers", conflicts_with = "e2e")]
    pub(super) without_specs: bool,
    /// Sends a stream of random requests to our server and to a kube-apiserver side by side, and groups the differences
    /// of their answers; needs Go.
    #[arg(long, group = "what")]
    pub(super) differential: bool,
    /// With --differential: sends no further request after so many seconds.
    #[arg(long, value_name = "N", requires = "differential")]
    pub(super) seconds: Option<u64>,
    /// Fetches the definitions of some fifty public projects as Go modules, and sends them and their samples to our server
    /// and to a kube-apiserver; needs Go.
    #[arg(long, group = "what")]
    pub(super) definitions: bool,
    /// With --definitions: only modules whose name contains this; may be repeated.
    #[arg(long, value_name = "NAME", requires = "definitions")]
    pub(super) module: Vec<String>,
    /// Compares feature gates with k8s.io/component-base on random registries; needs Go.
    #[arg(long, group = "what")]
    pub(super) featuregate: bool,
    /// Runs the informer suite against our API server, or a real one with --kubeconfig.
    #[arg(long, group = "what")]
    pub(super) informer: bool,
    /// With --informer: connects to this cluster.
    #[arg(long, value_name = "FILE", requires = "informer")]
    pub(super) kubeconfig: Option<PathBuf>,
    /// With --server: runs only the cases whose group/name contains this; may be repeated.
    #[arg(long, value_name = "NAME", requires = "server")]
    pub(super) case: Vec<String>,
    /// With --server: prints the cases with their rules and sources, and runs none.
    #[arg(long, requires = "server")]
    pub(super) list: bool,
    /// With --server: compares the decisions of RBAC with the recorded decisions of a kube-apiserver.
    #[arg(long, requires = "server", conflicts_with_all = ["case", "list"])]
    pub(super) authorization: bool,
    /// With --authorization or --differential: writes the answers of the server to this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["clients", "featuregate", "informer"])]
    pub(super) record: Option<PathBuf>,
    /// With --server real, --clients, --controllers, --differential or --definitions: uses this build of xtask/peers/kube-apiserver instead of building it.
    #[arg(long, value_name = "PROGRAM", requires = "what", conflicts_with = "featuregate")]
    pub(super) kube: Option<PathBuf>,
    /// With --clients: runs one more kubectl; may be repeated.
    #[arg(long, value_name = "PROGRAM", requires = "clients")]
    pub(super) kubectl: Vec<PathBuf>,
    /// With --featuregate: sets the number of random registries.
    #[arg(long, value_name = "N", default_value_t = 2_000, conflicts_with_all = ["server", "clients"])]
    pub(super) cases: u32,
    /// With --featuregate: sets the seed of the random registries, 1 by default; a failure prints it. With --differential:
    /// runs this seed alone, instead of 1 to 20.
    #[arg(long, value_name = "N", conflicts_with_all = ["server", "clients"])]
    pub(super) seed: Option<u64>,
}
