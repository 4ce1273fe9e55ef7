//! The process: flags, leader election, probes, metrics, signals.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use trimtab_admin::{Admin, metrics};
use trimtab_manager::{Manager, ManagerArgs, exit};

/// The name of the Lease.
const NAME: &str = "{{project-name}}";

/// Runs the operator of {{kind}} objects.
#[derive(Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    manager: ManagerArgs,
    /// The namespace of the Lease.
    #[arg(long, default_value = NAME)]
    namespace: String,
    /// The address of health checks and metrics.
    #[arg(long, default_value = "0.0.0.0:8080")]
    admin: String,
    /// Serves the debug page, too. It names objects: keep the address private.
    #[arg(long)]
    debug: bool,
    /// Prints the CustomResourceDefinition as YAML, and ends.
    #[arg(long)]
    crd: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error + Send + Sync>> {
    if args.crd {
        print!("{}", serde_saphyr::to_string(&operator::kind::definition())?);
        return Ok(());
    }
    tracing_subscriber::fmt().init();
    let metrics = metrics::install()?; // before the parts that are measured
    let mut manager = Manager::builder(NAME, args.manager.config().await?)
        .version(env!("CARGO_PKG_VERSION"))
        .leader_election(&args.namespace, NAME)
        .admin(&args.admin, Admin::builder().metrics(metrics).debug(args.debug))
        .build()?;
    operator::add_to(&mut manager)?;
    Ok(manager.run().await?)
}
