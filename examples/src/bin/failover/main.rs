//! Measures failover between real processes: a leader gets a signal, and two followers are waiting.
//!
//! `cargo xtask failover` builds what this needs, and starts it. Each leader is one of `elector` (this package) or
//! client-go's elector (`xtask/peers/client-go/elector`), and so is each follower. The API server is the embedded one over
//! HTTP, or the one of `--kubeconfig`.
//!
//! - SIGKILL: the Lease expires.
//! - SIGSTOP: the Lease expires while the leader is frozen; after its successor leads, SIGCONT wakes it. The column
//!   `late` counts its acts as a leader from then on, and should be 0.
//! - SIGTERM: the leader releases the Lease.

mod candidate;
mod trial;

use std::{error::Error, fs, net::SocketAddr, path::PathBuf, process::ExitCode, thread};

use clap::Parser;
use comfy_table::Table;
use tokio::runtime::{Builder, Handle};
use trimtab_apiserver::ApiServer;

use self::{
    candidate::{Kind, Programs},
    trial::{Measured, Signal, Trial},
};

/// Measures failover between real processes.
#[derive(Debug, Parser)]
#[command(name = "failover", bin_name = "cargo xtask failover")]
struct Options {
    /// A kube-apiserver; by default the embedded API server.
    #[arg(long)]
    kubeconfig: Option<PathBuf>,
    /// The program of client-go's elector.
    #[arg(long)]
    client_go: PathBuf,
    /// How often each signal is sent to each leader.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
}

type Failure = Box<dyn Error + Send + Sync>;

const PAIRS: [(Kind, Kind); 5] = [
    (Kind::Trimtab, Kind::Trimtab),
    (Kind::TrimtabPolling, Kind::TrimtabPolling),
    (Kind::Trimtab, Kind::ClientGo),
    (Kind::ClientGo, Kind::Trimtab),
    (Kind::ClientGo, Kind::ClientGo),
];

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(late) => {
            eprintln!("failover: {late} acts of trimtab's leaders came late");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("failover: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the table. Returns the number of late acts of our own leaders.
fn run(options: &Options) -> Result<usize, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let _context = runtime.enter();
    let (kubeconfig, server) = match &options.kubeconfig {
        Some(kubeconfig) => (kubeconfig.clone(), None),
        None => {
            let server = ApiServer::start();
            let address = runtime.block_on(server.listen(SocketAddr::from(([127, 0, 0, 1], 0))))?;
            let file = std::env::temp_dir().join(format!("failover-{}.yaml", std::process::id()));
            fs::write(&file, server.kubeconfig(address))?;
            (file, Some(server))
        }
    };
    let programs = Programs::new(kubeconfig.clone(), options.client_go.clone())?;
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["leader", "followers", "SIGKILL", "SIGSTOP", "late", "SIGTERM"]);
    let mut late_of_ours = 0;
    for (leader, follower) in PAIRS {
        let measured = of_pair(&programs, leader, follower, options.rounds)?;
        let seconds = |signal| summary(measured.iter().filter(|one| one.signal == signal));
        let late: usize = measured.iter().map(|one| one.late_acts).sum();
        late_of_ours += if leader == Kind::ClientGo { 0 } else { late };
        table.add_row([
            leader.name().to_owned(),
            follower.name().to_owned(),
            seconds(Signal::Kill),
            seconds(Signal::Stop),
            late.to_string(),
            seconds(Signal::Term),
        ]);
    }
    let name = if server.is_some() { "embedded API server over HTTP" } else { "kube-apiserver" };
    println!("{name}: seconds until a follower leads, the median of {} (least to most)\n", options.rounds);
    println!("{table}");
    if server.is_some() {
        fs::remove_file(kubeconfig)?;
    }
    Ok(late_of_ours)
}

/// Runs all trials of a pair at once: they only wait.
fn of_pair(programs: &Programs, leader: Kind, follower: Kind, rounds: u32) -> Result<Vec<Measured>, Failure> {
    let runtime = &Handle::current();
    let trials = (0..rounds).flat_map(|round| Signal::ALL.map(|signal| (round, signal)));
    thread::scope(|scope| {
        let running: Vec<_> = trials
            .map(|(round, signal)| {
                let trial = Trial { runtime, programs, leader, follower, signal, round, rounds };
                scope.spawn(move || trial.run())
            })
            .collect();
        let ended =
            running.into_iter().map(|trial| trial.join().unwrap_or_else(|_| Err("a trial panicked".into())));
        ended.collect()
    })
}

fn summary<'a>(measured: impl Iterator<Item = &'a Measured>) -> String {
    let mut seconds: Vec<f64> = measured.map(|one| one.failover.as_secs_f64()).collect();
    seconds.sort_unstable_by(f64::total_cmp);
    match (seconds.first(), seconds.get(seconds.len() / 2), seconds.last()) {
        (Some(least), Some(median), Some(most)) => format!("{median:.2} ({least:.2} to {most:.2})"),
        _ => String::new(),
    }
}
