//! `trimtab-controller-manager`: Kubernetes' Deployment and ReplicaSet controllers as one process.
//!
//! ```text
//! cargo run -p trimtab-examples --bin trimtab-controller-manager -- --kubeconfig FILE --controllers=deployment,replicaset
//! ```
//!
//! The [README](README.md) has the flags.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use trimtab_examples::controller_manager::{Options, features, run};

// One thread: neither controller blocks or computes for long, and to wake another thread costs more than most of their steps.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    trimtab_manager::exit(start().await)
}

async fn start() -> Result<(), Box<dyn Error + Send + Sync>> {
    let features = features()?;
    features.install(); // before the flags, whose help lists the gates
    let options = Options::parse();
    tracing_subscriber::fmt().init();
    run(options, &features).await
}
