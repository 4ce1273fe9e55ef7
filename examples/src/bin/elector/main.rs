//! A process that stands for election, for `cargo xtask failover`.
//!
//! ```text
//! elector --kubeconfig FILE --lease NAME --identity ID
//! ```
//!
//! It prints a line when it stands, when it starts to lead, whenever it acts as the leader, and when it has stopped, with
//! the time in nanoseconds since 1970:
//!
//! ```text
//! stands 1795960800000000000
//! leads 1795960800010000000
//! acts 1795960800010000000
//! stopped 1795960812000000000
//! ```
//!
//! SIGTERM makes it release the Lease and end.

use std::{
    error::Error,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use kube_client::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use trimtab_leaderelection::{LeaderElector, Leadership, lease_client_config};

/// The time between two acts of a leader.
const REST: Duration = Duration::from_millis(50);

/// Stands for election.
#[derive(Debug, Parser)]
struct Options {
    /// The API server.
    #[arg(long)]
    kubeconfig: PathBuf,
    /// The name of the Lease, in the namespace default.
    #[arg(long)]
    lease: String,
    /// The identity of this candidate.
    #[arg(long)]
    identity: String,
    /// Polls the Lease only, and does not watch it.
    #[arg(long)]
    poll: bool,
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse();
    let kubeconfig = Kubeconfig::read_from(&options.kubeconfig)?;
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let client = Client::try_from(lease_client_config(config))?;
    let mut elector = LeaderElector::builder(client, "default", options.lease)
        .identity(options.identity)
        .watch(!options.poll)
        .release_on_cancel(true)
        .build()?;
    let mut terminate = signal(SignalKind::terminate())?;
    say("stands");
    let shutdown = async { _ = terminate.recv().await };
    let outcome = elector.run_terms(shutdown, lead).await;
    Ok(if outcome.must_exit() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Acts as long as the token is valid.
async fn lead(leadership: Leadership) {
    say("leads");
    let acting = async {
        while leadership.check().is_ok() {
            say("acts");
            sleep(REST).await;
        }
    };
    tokio::select! {
        biased; // a loss is told first
        () = leadership.lost() => {}
        () = acting => {}
    }
    say("stopped");
}

fn say(what: &str) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    println!("{what} {}", now.as_nanos());
}
