//! Benchmarks of the controller; `cargo xtask bench controller` runs them beside kube-runtime's and controller-runtime's.
//!
//! Each scenario needs the address of an API server over HTTP. `--serve` runs one, which holds objects of 1 KB and changes
//! them on demand; see `serve.rs`.
//!
//! ```text
//! --serve --scenario NAME --objects N [--load FILE]...
//! --scenario latency|loaded|isolation --url URL --objects N --events N --rate N
//! --scenario throughput --url URL --objects N [--quick]
//! --scenario many --url URL --objects N          N objects of each of ten kinds
//! --scenario idle --url URL --operator PROGRAM [--quick]
//! ```

mod client;
mod idle;
mod isolation;
mod latency;
mod limit;
mod many;
mod samples;
mod serve;
mod throughput;

use std::{error::Error, fmt::Display, process::ExitCode, str::FromStr, time::Duration};

use tokio::time::sleep;
use trimtab_admin::metrics;
use trimtab_controller::RunError;

/// The reason why a run has ended early.
type Failure = Box<dyn Error>;

/// The interval at which the recorder removes old samples, as in `trimtab-admin`.
const UPKEEP: Duration = Duration::from_secs(5);

/// The number of workers of a controller that is measured, ours and the peers'.
const WORKERS: usize = 8;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("controller: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Failure> {
    let scenario: String = option("scenario")?;
    if std::env::args().any(|argument| argument == "--serve") {
        return serve::run(&scenario).await;
    }
    if scenario == "idle" {
        return idle::run().await; // the operator is a process of its own
    }
    record_metrics()?;
    match &*scenario {
        "latency" => {
            latency::run(&[("controller/latency-p50", 50), ("controller/latency-p99", 99)]).await?;
            limit::run(&client::client()?).await
        }
        "loaded" => latency::run(&[("controller/loaded-p99", 99)]).await,
        "throughput" => throughput::run().await,
        "isolation" => isolation::run().await,
        "many" => many::run().await,
        other => Err(format!("--scenario {other} is not known").into()),
    }
}

/// Records metrics, as controller-runtime always does. `trimtab-admin` serves them, which nobody asks for here.
fn record_metrics() -> Result<(), Failure> {
    let recorder = metrics::install()?;
    tokio::spawn(async move {
        loop {
            sleep(UPKEEP).await;
            recorder.run_upkeep();
        }
    });
    Ok(())
}

/// The reason why a controller has ended before its measurements.
fn early_end(ended: Result<(), RunError>) -> Failure {
    ended.err().map_or_else(|| "the controller has ended".into(), Into::into)
}

/// The value after `--name` on the command line.
fn option<T: FromStr<Err: Display>>(name: &str) -> Result<T, Failure> {
    let flag = format!("--{name}");
    let mut arguments = std::env::args().skip_while(|argument| *argument != flag).skip(1);
    let value = arguments.next().ok_or_else(|| format!("{flag} is missing"))?;
    value.parse().map_err(|error| format!("{flag} {value}: {error}").into())
}
