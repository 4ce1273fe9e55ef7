//! Runs a ReplicaSet controller on Trimtab under faults and checks the result. It kills Pods, scales sets,
//! cuts and delays watches, compacts the history, makes a reconcile panic and takes the lease away.
//!
//! ```text
//! cargo xtask demo                                    # in this process, default manifests
//! cargo xtask demo my-sets.yaml --keep --listen 127.0.0.1:8001
//! cargo xtask demo --keep --admin 127.0.0.1:8080      # http://127.0.0.1:8080/debug
//! cargo xtask demo --deployments                      # rollouts, a pause, a rollback, within 30 s
//! cargo xtask demo --kubeconfig ~/.kube/config        # a cluster without a ReplicaSet controller
//! ```
//!
//! After about 20 s it prints a table:
//!
//! ```text
//! │replicaset   desired  ready  created  deleted  adopted  released  surplus │
//! │shop/batch       420    420      606      186        0         0        0 │
//! …
//! the cluster equals the manifests, and no set ever had too many Pods
//! ```
//!
//! It exits with 0 if the cluster equals the manifests and no set ever had too many Pods, with 1 if not or if no
//! manifest is a ReplicaSet, with 2 if the input is invalid and nothing was applied, and with 130 after Ctrl-C.

mod audit;
mod cluster;
mod controller;
mod deployments;
mod disturb;
mod failure;
mod footprint;
mod live;
mod manifests;
mod preflight;
mod report;
mod table;

use std::{future::pending, net::SocketAddr, path::PathBuf, process::ExitCode};

use clap::Parser;
use tracing_subscriber::EnvFilter;

use crate::{
    audit::Audit,
    cluster::{Background, Cluster},
    controller::Subject,
    disturb::Stage,
    failure::Failure,
    live::Live,
    manifests::Manifest,
    preflight::Foreign,
    report::{Expected, Wanted},
};

/// The manifests beside this program.
const MANIFESTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifests");

/// Runs a ReplicaSet controller, injects faults, and checks every Pod.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo", bin_name = "cargo xtask demo")]
struct Cli {
    /// Applies these manifests: YAML or JSON files, or folders of them.
    #[arg(default_value = MANIFESTS, hide_default_value = true)]
    files: Vec<PathBuf>,
    /// Runs on the cluster of this kubeconfig, which must have no ReplicaSet controller.
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
    /// Selects this context of the kubeconfig instead of the current one.
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    context: Option<String>,
    /// Listens on this address for kubectl.
    #[arg(long, value_name = "ADDR", conflicts_with = "kubeconfig")]
    listen: Option<SocketAddr>,
    /// Serves the controller's debug page, metrics and health checks on this address.
    #[arg(long, value_name = "ADDR")]
    admin: Option<SocketAddr>,
    /// Shows rollouts of Deployments instead, by Kubernetes' Deployment and ReplicaSet controllers under faults.
    #[arg(long, conflicts_with_all = ["files", "kubeconfig", "listen", "admin", "keep"])]
    deployments: bool,
    /// Keeps everything running at the end, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    controller::quiet_the_fuse();
    let cli = Cli::parse();
    let ended = if cli.deployments { run_deployments().await } else { run(&cli).await };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("demo: {failure}");
            failure.exit_code()
        }
    }
}

/// Runs the demo of Deployments; nothing is left to clean up.
async fn run_deployments() -> Result<(), Failure> {
    tokio::select! {
        ended = deployments::run() => ended,
        () = interrupted() => Err(Failure::Interrupted),
    }
}

/// Runs the demo and then cleans up, also after a failure.
async fn run(cli: &Cli) -> Result<(), Failure> {
    let cluster = match &cli.kubeconfig {
        None => Cluster::embedded(),
        Some(kubeconfig) => Cluster::real(kubeconfig, cli.context.clone()).await?,
    };
    let mut background = Background::new();
    let ended = tokio::select! {
        biased; // a demo that waits for Ctrl-C has succeeded
        ended = demonstrate(cli, &cluster, &mut background) => ended,
        () = interrupted() => Err(Failure::Interrupted),
    };
    background.shutdown().await; // first the controller, which would replace deleted Pods
    let is_interrupted = matches!(ended, Err(Failure::Interrupted));
    match (ended, cluster.clean_up(is_interrupted).await) {
        (Err(failure), Err(left)) => {
            eprintln!("demo: {left}");
            Err(failure)
        }
        (ended, cleaned) => ended.and(cleaned),
    }
}

async fn demonstrate(cli: &Cli, cluster: &Cluster, background: &mut Background) -> Result<(), Failure> {
    let (manifests, foreign) = read(cli, cluster).await?;
    let address = listen(cli, cluster).await?;
    let audit = Audit::new(manifests::sets(&manifests));
    let wanted = perform(cli, cluster, &manifests, &audit, background).await?;
    let expected = Expected { manifests: &manifests, wanted: &wanted, foreign: &foreign };
    judge(cluster, &expected, &audit).await?;
    if cli.keep { keep(cli, address, background).await } else { Ok(()) }
}

/// Makes all checks that come before anything is applied.
async fn read(cli: &Cli, cluster: &Cluster) -> Result<(Vec<Manifest>, Foreign), Failure> {
    let manifests = manifests::read(&cluster.client, &cli.files).await;
    let manifests = manifests.map_err(|error| Failure::Input(error.to_string()))?;
    if manifests::sets(&manifests).is_empty() {
        let files: Vec<_> = cli.files.iter().map(|file| file.display().to_string()).collect();
        return Err(Failure::NoSet(files.join(", ")));
    }
    let foreign = preflight::check(&cluster.client, &manifests).await?;
    if cluster.server.is_none() {
        println!("checking that the cluster has no ReplicaSet controller");
        preflight::probe(cluster).await?;
    }
    Ok((manifests, foreign))
}

async fn listen(cli: &Cli, cluster: &Cluster) -> Result<Option<SocketAddr>, Failure> {
    let (Some(address), Some(server)) = (cli.listen, &cluster.server) else {
        return Ok(None);
    };
    let bound = server.listen(address).await;
    let bound = bound.map_err(|error| Failure::Input(format!("cannot listen on {address}: {error}")))?;
    println!("{}", kubectl(bound));
    Ok(Some(bound))
}

fn kubectl(address: SocketAddr) -> String {
    format!("kubectl --server http://{address} get pods -A")
}

/// Applies the manifests, runs the controller and injects faults. Prints the table, also after a failure.
async fn perform(
    cli: &Cli,
    cluster: &Cluster,
    manifests: &[Manifest],
    audit: &Audit,
    background: &mut Background,
) -> Result<Wanted, Failure> {
    let (subject, manager) = Subject::new(cluster, manifests::sets(manifests), cli.admin)?;
    let mut stage = Stage::new(cluster, manifests, audit, &subject);
    cluster.audit(audit, &subject, background);
    if !cluster.run_kubelet(background).await? {
        println!("the cluster has Nodes, so no kubelet is simulated");
    }
    cluster.apply(manifests).await?;
    let live = Live::start(audit.clone(), subject.controller.clone());
    background.spawn(async move {
        let ended = manager.run_until(pending()).await;
        ended.map_err(|error| Failure::Cluster(format!("the controller stopped: {error}")))
    });
    let disturbed = tokio::select! {
        disturbed = stage.disturb_all(&live) => disturbed,
        failure = stopped(background) => Err(failure),
    };
    drop(live); // removes the bars
    println!("{}", table::table(&audit.rows()));
    disturbed.map(|()| stage.wanted)
}

/// Waits until a background task ends, which is a failure.
async fn stopped(background: &mut Background) -> Failure {
    match background.join_next().await {
        Some(Ok(Err(failure))) => failure,
        Some(Err(panicked)) => {
            Failure::Cluster(format!("a background task of the demo ended early: {panicked}"))
        }
        Some(Ok(Ok(()))) | None => Failure::Cluster("a background task of the demo ended early".to_owned()),
    }
}

async fn judge(cluster: &Cluster, expected: &Expected<'_>, audit: &Audit) -> Result<(), Failure> {
    let wrong = expected.differences(&cluster.client, &audit.rows()).await;
    let wrong = wrong.map_err(Failure::api("checking the cluster"))?;
    if wrong.is_empty() {
        println!("the cluster equals the manifests, and no set ever had too many Pods");
        return Ok(());
    }
    Err(Failure::Cluster(format!("the cluster differs from the manifests:\n  {}", wrong.join("\n  "))))
}

/// Keeps everything running until Ctrl-C.
async fn keep(cli: &Cli, address: Option<SocketAddr>, background: &mut Background) -> Result<(), Failure> {
    if let Some(admin) = cli.admin {
        println!("http://{admin}/debug");
    }
    println!("{}", address.map_or_else(|| "still running".to_owned(), kubectl));
    println!("Ctrl-C ends it");
    tokio::select! {
        () = interrupted() => Ok(()),
        failure = stopped(background) => Err(failure),
    }
}

/// Waits for Ctrl-C.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        pending::<()>().await; // this platform has no signals
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn manifests_without_a_replicaset_are_refused_at_once() {
        let file = std::env::temp_dir().join(format!("without-a-set-{}.yaml", std::process::id()));
        std::fs::write(&file, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n").expect("a file");
        let refused = run(&Cli::parse_from([OsStr::new("demo"), file.as_os_str()])).await;
        std::fs::remove_file(&file).expect("the file");
        let refused = refused.expect_err("nothing to run on");
        let reason = "no ReplicaSet in it, and the demo needs one. Nothing was applied";
        assert_eq!(refused.to_string(), format!("{}: {reason}", file.display()));
        assert_eq!(refused.exit_code(), ExitCode::from(1));
    }
}
