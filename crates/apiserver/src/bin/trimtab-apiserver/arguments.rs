//! [`Arguments`]: the command line, and which of its combinations are refused.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use clap::Parser;

/// A Kubernetes API server that keeps everything in memory, for tests and development.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The address to listen on for HTTP; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 8001)))]
    pub(crate) listen: SocketAddr,
    /// Listens on an address that other machines reach although everybody there is an administrator or reads what is sent.
    #[arg(long)]
    pub(crate) insecure_listen: bool,
    /// Decides UIDs and generated names.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Runs Pods on this many nodes.
    #[arg(long, value_name = "nodes=NUMBER", value_parser = nodes, num_args = 0..=1, default_missing_value = "nodes=1")]
    pub(crate) kubelet: Option<usize>,
    /// Runs the Pods of the cluster of this kubeconfig, which has no nodes, instead of serving an API.
    #[arg(long, value_name = "FILE", conflicts_with_all = SERVING)]
    pub(crate) kubelet_for: Option<PathBuf>,
    /// The seconds from a Pod's binding until it is ready.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "1")]
    pub(crate) pod_startup: Duration,
    /// Leaves namespaces, dependents and service accounts to other controllers, such as a kube-controller-manager's.
    #[arg(long)]
    pub(crate) no_controllers: bool,
    /// Serves through TLS, with a certificate made for this run; the kubeconfig names it.
    #[arg(long)]
    pub(crate) tls: bool,
    /// Lets RBAC's objects decide who may do what; the kubeconfig is an administrator's.
    #[arg(long)]
    pub(crate) rbac: bool,
    /// Creates the objects of this file or directory first; may be given several times.
    #[arg(long, value_name = "PATH")]
    pub(crate) load: Vec<PathBuf>,
    /// The file to write the kubeconfig to; by default, one in a new folder among the temporary files.
    #[arg(long, value_name = "PATH")]
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// The arguments of a program that serves.
const SERVING: [&str; 8] =
    ["listen", "insecure_listen", "seed", "no_controllers", "tls", "rbac", "load", "kubeconfig"];

impl Arguments {
    /// Refuses to let other machines in unasked.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.listen.ip().is_loopback() || self.insecure_listen || (self.tls && self.rbac) {
            return Ok(());
        }
        Err(format!(
            "--listen {} lets other machines in: add --tls and --rbac, or --insecure-listen to let them in as \
             administrators or without encryption",
            self.listen
        ))
    }
}

/// Parses `nodes=3`.
fn nodes(text: &str) -> Result<usize, String> {
    let count = text.strip_prefix("nodes=").and_then(|count| count.parse().ok());
    count
        .filter(|count| (1..=10_000).contains(count))
        .ok_or_else(|| "expected nodes=1 to nodes=10000".to_owned())
}

/// Parses `0.2`, up to an hour.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds
        .filter(|seconds| *seconds <= Duration::from_secs(3600))
        .ok_or_else(|| "expected 0 to 3600 seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str]) -> Result<(), String> {
        let arguments = [&["trimtab-apiserver"], arguments].concat();
        Arguments::try_parse_from(arguments).expect("known arguments").check()
    }

    #[test]
    fn other_machines_are_let_in_only_with_tls_and_rbac_or_when_asked_for() {
        for allowed in [
            &[][..],
            &["--listen", "127.0.0.1:0"],
            &["--listen", "[::1]:0"],
            &["--listen", "0.0.0.0:0", "--tls", "--rbac"],
            &["--listen", "0.0.0.0:0", "--insecure-listen"],
        ] {
            assert_eq!(check(allowed), Ok(()), "{allowed:?}");
        }
        for refused in [
            &["--listen", "0.0.0.0:0"][..],
            &["--listen", "[::]:0", "--tls"],
            &["--listen", "192.0.2.7:8001", "--rbac"],
        ] {
            let because = check(refused).expect_err("other machines reach it");
            assert!(because.contains(refused[1]) && because.contains("--insecure-listen"), "{because}");
        }
    }

    #[test]
    fn a_kubelet_for_another_server_serves_nothing() {
        let parsed = |more: &[&str]| {
            let arguments = [&["trimtab-apiserver", "--kubelet-for", "config"], more].concat();
            Arguments::try_parse_from(arguments)
        };
        let arguments =
            parsed(&["--kubelet", "nodes=3", "--pod-startup", "0.2"]).expect("they belong together");
        assert_eq!((arguments.kubelet, arguments.pod_startup), (Some(3), Duration::from_millis(200)));
        for serving in [&["--tls"][..], &["--listen", "127.0.0.1:0"], &["--load", "a.yaml"], &["--seed", "1"]]
        {
            let because = parsed(serving).expect_err("it does not serve").to_string();
            assert!(because.contains("--kubelet-for") && because.contains(serving[0]), "{because}");
        }
        assert!(parsed(&["--pod-startup", "-1"]).is_err());
    }
}
