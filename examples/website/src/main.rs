//! The website operator as a process: flags, leader election, probes, metrics, signals.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use trimtab_admin::{Admin, metrics};
use trimtab_manager::{Manager, ManagerArgs, exit};

/// Runs websites in a cluster: a Deployment, a Service and a ConfigMap for each Website.
#[derive(Parser)]
struct Args {
    #[command(flatten)]
    manager: ManagerArgs,
    /// The address of health checks and metrics.
    #[arg(long, default_value = "0.0.0.0:8080")]
    admin: String,
    /// Serves the debug page, too. It names objects: keep the address private.
    #[arg(long)]
    debug: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    tracing_subscriber::fmt().init();
    let metrics = metrics::install()?; // before the parts that are measured
    let mut manager = Manager::builder("website-operator", args.manager.config().await?)
        .leader_election("website-system", "website-operator")
        .admin(&args.admin, Admin::builder().metrics(metrics).debug(args.debug))
        .build()?;
    trimtab_website::add_to(&mut manager);
    Ok(manager.run().await?)
}
