//! Hostile clients of the API server over loopback: silent, slow, flooding and oversized ones, over HTTP/1.1, HTTP/2 and
//! TLS, in real time. It fails if a connection outlives its time, if a neighbour waits too long for a small GET, or if the
//! server takes too much memory.
//!
//! ```text
//! cargo run -p trimtab-stress --bin hostile -- --seconds 20
//! ```
//!
//! It prints one line with the neighbour's latency before and during the attacks, the server's memory, and the number of
//! connections of each attack.

mod attacks;
mod neighbour;
mod oversized;
mod server;

use std::{process::ExitCode, time::Duration};

use tokio::time::Instant;

/// The limit of the 99th percentile of the latency of small GETs during attacks, on a build machine that also runs the
/// attackers. `cargo bench -p trimtab-apiserver -- neighbour-p99` measures it alone.
const LATENCY: Duration = Duration::from_millis(250);
/// The limit of the server's memory in bytes.
const MEMORY: u64 = 1 << 30;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match (&arguments.iter().map(String::as_str).collect::<Vec<_>>()[..], runtime) {
        (["--serve"], Ok(runtime)) => runtime.block_on(server::serve()).map(|()| String::new()),
        ([], Ok(runtime)) => runtime.block_on(attack(Duration::from_secs(20))),
        (["--seconds", seconds], Ok(runtime)) => match seconds.parse() {
            Ok(seconds) => runtime.block_on(attack(Duration::from_secs(seconds))),
            Err(_) => Err("usage: hostile [--seconds N]".to_owned()),
        },
        (_, Err(error)) => Err(error.to_string()),
        _ => Err("usage: hostile [--seconds N]".to_owned()),
    };
    match outcome {
        Ok(line) => {
            print!("{line}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            eprintln!("hostile: {violation}");
            ExitCode::FAILURE
        }
    }
}

/// Attacks a server in another process. During the first fifth of the time, only the neighbour sends requests.
///
/// # Errors
///
/// The first violation, as a sentence.
async fn attack(time: Duration) -> Result<String, String> {
    let server = server::Served::start().await?;
    oversized::fill(server.plain).await?;
    let alone = neighbour::measure(server.plain, time / 5).await?;
    let until = Instant::now() + time * 3 / 5;
    let neighbour = tokio::spawn(neighbour::measure(server.plain, time * 3 / 5));
    let (connections, requests) =
        tokio::try_join!(attacks::run(&server, until), oversized::run(server.plain, until))?;
    let beside = neighbour.await.map_err(|error| error.to_string())??;
    server.is_well(time / 5).await?;
    let peak = server.peak_memory()?;
    let line = format!(
        "neighbour p99 {:.1} ms alone, {:.1} ms beside the attacks; {} MiB at most; {connections}; {requests}\n",
        alone.as_secs_f64() * 1e3,
        beside.as_secs_f64() * 1e3,
        peak >> 20
    );
    if beside > LATENCY {
        return Err(format!("a small GET took more than {LATENCY:?}: {line}"));
    }
    if peak > MEMORY {
        return Err(format!("the server took more than {} MiB: {line}", MEMORY >> 20));
    }
    Ok(line)
}
