//! Benchmarks of the election; `cargo xtask bench leaderelection` runs them beside client-go's elector.
//!
//! `--scenario token` needs nothing. The others need the address of an API server over HTTP: `--serve --objects N` runs
//! one, whose `N` Leases are renewed by the server's process itself.
//!
//! ```text
//! --scenario failover --url URL --objects PAIRS
//! --scenario thousand --url URL --objects FOLLOWERS
//! ```
//!
//! In rows whose name ends with `/watch`, followers watch the Lease; with `/shared-watch`, they share one watch. In the others they have the
//! default options, as upstream.

mod failover;
mod serve;
mod thousand;
mod token;

use std::{error::Error, process::ExitCode, str::FromStr, time::Duration};

use kube_client::{Client, Config};
use trimtab_leaderelection::{LeaderElector, LeaderElectorBuilder, lease_client_config};

/// The reason why a run has ended early.
type Failure = Box<dyn Error>;

/// The options of all candidates, as Kubernetes' own components have them.
const LEASE_DURATION: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> ExitCode {
    let run = async {
        if std::env::args().any(|argument| argument == "--serve") {
            return serve::run(option("objects")?).await;
        }
        match &*option::<String>("scenario").unwrap_or_else(|_| "token".to_owned()) {
            "failover" => failover::run().await,
            "thousand" => thousand::run().await,
            _ => token::run().await,
        }
    };
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("leaderelection: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The value of an option on the command line.
fn option<T: FromStr<Err: Error + 'static>>(name: &str) -> Result<T, Failure> {
    let mut arguments = std::env::args().skip_while(|argument| *argument != format!("--{name}"));
    let value = arguments.nth(1).ok_or_else(|| format!("--{name} is missing"))?;
    Ok(value.parse()?)
}

/// The configuration of a client of an election.
fn config() -> Result<Config, Failure> {
    Ok(lease_client_config(Config::new(option::<String>("url")?.parse()?)))
}

fn builder(client: Client, lease: &str, identity: &str, watches: bool) -> LeaderElectorBuilder {
    LeaderElector::builder(client, "default", lease)
        .lease_duration(LEASE_DURATION)
        .identity(identity)
        .watch(watches)
}
