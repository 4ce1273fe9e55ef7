//! `trimtab-controller-manager`: Kubernetes' Deployment and ReplicaSet controllers as one process.
//!
//! ```text
//! cargo run -p trimtab-examples --bin trimtab-controller-manager -- --kubeconfig FILE --controllers=deployment,replicaset
//! ```
//!
//! The [README](README.md) has the flags.

use std::process::ExitCode;

use clap::Parser;
use trimtab_examples::controller_manager::{Options, run};

// One thread: neither controller blocks or computes for long, and to wake another thread costs more than most of their steps.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    tracing_subscriber::fmt().init();
    trimtab_manager::exit(run(options).await)
}
