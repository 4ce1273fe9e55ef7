//! A ReplicaSet controller on Trimtab, disturbed on purpose, and whether it holds.
//!
//! ```text
//! cargo xtask demo                                    # in this process, default manifests
//! cargo xtask demo my-sets.yaml --keep --listen 127.0.0.1:8001
//! cargo xtask demo --kubeconfig ~/.kube/config        # a cluster without a ReplicaSet controller
//! ```
//!
//! Ends with a table and exit code 0 only if the cluster is exactly as the manifests say, and no set
//! ever had a Pod too many. Exit code 1: it is not; 2: the input cannot be used, nothing was applied.

mod audit;
mod cluster;
mod disturb;
mod failure;
mod live;
mod manifests;
mod report;

use std::{
    future::pending,
    net::SocketAddr,
    panic::panic_any,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use clap::Parser;
use tokio::task::JoinSet;
use trimtab_controller::{
    Controller,
    informer::InformerFactory,
    leaderelection::{LeaderElector, Leadership},
};
use trimtab_examples::replicaset::ReplicaSets;

use crate::{
    audit::Audit,
    cluster::Cluster,
    disturb::{Disturbance, LEASE, Stage},
    failure::Failure,
    live::Live,
};

/// Runs a ReplicaSet controller, disturbs it, and checks that every Pod is as it should be.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask demo")]
struct Cli {
    /// Manifests to apply: YAML or JSON files, or folders of them.
    #[arg(default_value = "examples/manifests")]
    files: Vec<PathBuf>,
    /// Run on the cluster of this kubeconfig, which has no ReplicaSet controller of its own.
    #[arg(long, value_name = "PATH")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context, if not its current one.
    #[arg(long, value_name = "NAME", requires = "kubeconfig")]
    context: Option<String>,
    /// Let kubectl in at this address.
    #[arg(long, value_name = "ADDR", conflicts_with = "kubeconfig")]
    listen: Option<SocketAddr>,
    /// Leave everything running at the end, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "off".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let cli = Cli::parse();
    quiet_the_fuse();
    let ended = tokio::select! {
        ended = run(cli) => ended,
        _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("demo: {failure}");
            failure.exit_code()
        }
    }
}

async fn run(cli: Cli) -> Result<(), Failure> {
    let mut cluster = match &cli.kubeconfig {
        None => Cluster::embedded(),
        Some(kubeconfig) => Cluster::real(kubeconfig, cli.context.clone()).await?,
    };
    let manifests = manifests::read(&cluster.client, &cli.files)
        .await
        .map_err(|error| Failure::Input(error.to_string()))?;
    if cluster.server.is_none() {
        println!("probing whether somebody controls ReplicaSets here already");
        cluster.probe().await?;
    }
    let address = match cli.listen {
        Some(address) => cluster.listen(address).await?,
        None => None,
    };

    let audit = Audit::default();
    let informers = InformerFactory::new(cluster.controller_client());
    let sets = ReplicaSets::new(cluster.controller_client(), &informers);
    cluster.audit(&audit, &informers);
    let fuse = Arc::new(AtomicBool::new(false));
    let controller = Arc::new(with_fuse(&sets, fuse.clone()));
    let live = Live::new(audit.clone(), controller.clone());

    if !cluster.run_kubelet().await? {
        println!("the cluster has Nodes of its own: no kubelet is simulated");
    }
    for manifest in &manifests {
        let applied = manifest.apply(&cluster.client).await;
        applied.map_err(Failure::api(format_args!("applying {}", manifest.describe())))?;
    }
    live.say(&format!("{} objects applied", manifests.len()));

    let mut tasks = JoinSet::new();
    tasks.spawn(lead(cluster.controller_client(), controller)?);
    let view = tasks.spawn(live.clone().run());
    let mut stage = Stage::new(&cluster, &manifests, &audit, &fuse);
    let steps = disturb_all(&mut stage, &live).await?;
    let wanted = stage.wanted;
    view.abort();
    live.close();

    let pages = audit.pages();
    println!("{}", report::table(&pages, &steps));
    let wrong = report::differences(&cluster.client, &manifests, &wanted, &pages).await;
    let wrong = wrong.map_err(Failure::api("checking the cluster"))?;
    if !wrong.is_empty() {
        let list = wrong.join("\n  ");
        return Err(Failure::Cluster(format!("the cluster is not as it should be:\n  {list}")));
    }
    println!("exactly as the manifests say, and never a Pod too many");
    if cli.keep {
        match address {
            Some(address) => println!("kubectl --server http://{address} get pods -A\nCtrl-C ends it"),
            None => println!("still running; Ctrl-C ends it"),
        }
        pending::<()>().await;
    }
    drop(tasks); // the controller: what goes now is not to be replaced
    cluster.clean_up(&manifests).await
}

/// Disturbs the cluster in every way that it allows, each time after it has converged. Returns what
/// was done, and how many seconds the cluster took to converge again.
async fn disturb_all(stage: &mut Stage<'_>, live: &Live) -> Result<Vec<(&'static str, f64)>, Failure> {
    let mut steps = vec![("apply", stage.converge("the manifests were applied").await?)];
    for disturbance in Disturbance::ALL {
        let name = disturbance.name();
        if disturbance.needs_levers() && stage.cluster.server.is_none() {
            live.say(&format!("{name}: left out, a real cluster has no levers"));
            continue;
        }
        let Some(done) = stage.disturb(disturbance).await? else {
            live.say(&format!("{name}: left out, nothing in the manifests to do it to"));
            continue;
        };
        live.say(&format!("{name}: {done}"));
        steps.push((name, stage.converge(name).await?));
    }
    Ok(steps)
}

/// What the panic that the demo asks for says.
const FUSE: &str = "the demo asked for a panic";

/// Keeps that one panic off the screen: the controller reports it.
fn quiet_the_fuse() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload().downcast_ref() != Some(&FUSE) {
            report(panic);
        }
    }));
}

/// The controller, which panics once when the fuse is lit.
fn with_fuse(sets: &ReplicaSets, fuse: Arc<AtomicBool>) -> Controller {
    let this = sets.clone();
    sets.wiring().reconciler(move |request| {
        let (sets, fuse) = (this.clone(), fuse.clone());
        async move {
            if fuse.swap(false, SeqCst) {
                panic_any(FUSE);
            }
            sets.sync(&request.key).await
        }
    })
}

/// Runs the controller while it holds the lease, and stands for it again after it was lost.
fn lead(
    client: kube_client::Client,
    controller: Arc<Controller>,
) -> Result<impl Future<Output = ()> + Send, Failure> {
    let mut elector = LeaderElector::builder(client, LEASE.0, LEASE.1)
        .identity(format!("demo-{}", std::process::id()))
        .lease_duration(Duration::from_secs(6))
        .renew_deadline(Duration::from_secs(4))
        .retry_period(Duration::from_millis(300))
        .release_on_cancel(true)
        .build()
        .map_err(|error| Failure::Cluster(error.to_string()))?;
    Ok(async move {
        let work = |leadership: Leadership| async {
            let term = leadership;
            controller.run(term.lost()).await
        };
        if let Some(Err(error)) = elector.run_terms(pending(), work).await.into_output() {
            tracing::error!(%error, "the controller stopped");
        }
    })
}
