//! One suite of rules for API servers: `cargo xtask conformance` builds what it needs and runs it.

#![allow(clippy::needless_pass_by_value, reason = "a case reads better with json! than with &json!")]

mod answer;
mod authorization;
mod case;
mod clients;
mod controllers;
mod differences;
mod differential;
mod events;
mod objects;
mod request;
mod run;
mod servers;
mod site;
mod suite;

use clap::Parser;
use run::Chosen;
use servers::{Choice, Failure, Server};
use std::path::PathBuf;
use std::process::ExitCode;

/// Asks an API server whether it keeps the rules of Kubernetes' API.
#[derive(Clone, Debug, Parser)]
#[command(bin_name = "cargo xtask conformance")]
struct Arguments {
    /// Which server: embedded, real (kube-apiserver 1.36 and etcd; needs Go) or kubeconfig=PATH.
    #[arg(long, value_name = "SERVER", default_value = "embedded")]
    server: Choice,
    /// Only cases whose group/name contains this; may be given several times.
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// Prints the cases with their rules and sources instead of running them.
    #[arg(long)]
    list: bool,
    /// Runs clients that nobody here wrote against the embedded server, instead of the cases.
    #[arg(long, conflicts_with_all = ["server", "case", "list"])]
    clients: bool,
    /// Holds the server's decisions on who may do what against the recorded ones, instead of running cases.
    #[arg(long, conflicts_with_all = ["case", "list", "clients"])]
    authorization: bool,
    /// Sends a stream of random requests to the embedded server and to a
    /// kube-apiserver, and compares their answers.
    #[arg(long, conflicts_with_all = ["server", "case", "list", "clients", "authorization"])]
    differential: bool,
    /// With --differential: the only seed; without it, 1 to 20.
    #[arg(long, value_name = "S", requires = "differential")]
    seed: Option<u64>,
    /// With --differential: sends no further request after so many seconds.
    #[arg(long, value_name = "N", requires = "differential")]
    seconds: Option<u64>,
    /// Sends the definitions and samples of a project, PROJECT=FOLDER, to the embedded server and to a kube-apiserver; may be
    /// given several times.
    #[arg(long, value_name = "PROJECT=FOLDER", requires = "kube",
          conflicts_with_all = ["server", "case", "list", "clients", "authorization", "differential"])]
    definitions: Vec<String>,
    /// With --authorization or --differential: writes a kube-apiserver's answers to this file instead.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// The program that holds etcd, kube-apiserver, kube-controller-manager and kubectl.
    #[arg(long, value_name = "PROGRAM")]
    kube: Option<PathBuf>,
    /// With --clients: a kubectl; may be given several times.
    #[arg(long, value_name = "PROGRAM", requires = "clients")]
    kubectl: Vec<PathBuf>,
    /// Hands a kube-apiserver's Deployments from upstream's controllers to the examples' and back.
    #[arg(long, requires_all = ["kube", "manager", "kubelet"],
          conflicts_with_all = ["server", "case", "list", "clients", "authorization", "differential"])]
    controllers: bool,
    /// With --controllers: measures both implementations instead.
    #[arg(long, requires = "controllers")]
    measure: bool,
    /// With --measure: only this scenario, rollout, failover or rss; may be given several times.
    #[arg(long, value_name = "NAME", requires = "measure")]
    scenario: Vec<String>,
    /// With --measure: fewer Deployments.
    #[arg(long, requires = "measure")]
    quick: bool,
    /// With --controllers: the program kube-controller-manager; by default the one in --kube.
    #[arg(long, value_name = "PROGRAM", requires = "controllers")]
    upstream: Option<PathBuf>,
    /// With --controllers: the program of upstream's end-to-end specs.
    #[arg(long, value_name = "PROGRAM", requires = "controllers")]
    e2e: Option<PathBuf>,
    /// With --controllers: the program trimtab-controller-manager.
    #[arg(long, value_name = "PROGRAM", requires = "controllers")]
    manager: Option<PathBuf>,
    /// With --controllers: the program trimtab-apiserver, which runs the Pods.
    #[arg(long, value_name = "PROGRAM", requires = "controllers")]
    kubelet: Option<PathBuf>,
    /// With --clients: the program around client-go.
    #[arg(long, value_name = "PROGRAM", requires = "clients")]
    client_go: Option<PathBuf>,
    /// With --clients: the program around kube-runtime.
    #[arg(long, value_name = "PROGRAM", requires = "clients")]
    kube_runtime: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        outcome = conformance(&arguments) => outcome,
        () = interrupted() => Err("interrupted".into()), // what was started ends with the other branch
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("conformance: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs or lists the cases; true if nothing failed.
async fn conformance(arguments: &Arguments) -> Result<bool, Failure> {
    if arguments.clients {
        let Arguments { kubectl, kube, client_go, kube_runtime, .. } = arguments.clone();
        return clients::run(&clients::Programs { kubectl, kube, client_go, kube_runtime }).await;
    }
    if let (true, Some(kube), Some(manager), Some(kubelet)) =
        (arguments.controllers, &arguments.kube, &arguments.manager, &arguments.kubelet)
    {
        let (kube, manager, kubelet) = (kube.clone(), manager.clone(), kubelet.clone());
        let programs = controllers::Programs { kube, manager, kubelet, upstream: arguments.upstream.clone() };
        if arguments.measure {
            let plan = controllers::Plan { scenarios: arguments.scenario.clone(), quick: arguments.quick };
            return controllers::measure(&programs, &plan).await.map(|()| true);
        }
        return controllers::run(&programs, arguments.e2e.as_deref()).await;
    }
    if !arguments.definitions.is_empty() {
        return differential::definitions::run(&arguments.definitions, arguments.kube.as_deref()).await;
    }
    if arguments.authorization {
        let Arguments { server, kube, record, .. } = arguments;
        return authorization::run(server, kube.as_deref(), record.as_deref()).await;
    }
    if arguments.record.is_some() && !arguments.authorization && !arguments.differential {
        return Err("--record needs --authorization or --differential".into());
    }
    if arguments.differential {
        let Arguments { seed, seconds, kube, record, .. } = arguments.clone();
        return differential::run(&differential::Run { seed, seconds, kube, record }).await;
    }
    let chosen = chosen(&arguments.case);
    if chosen.is_empty() {
        return Err("no such case; --list shows them".into());
    }
    if arguments.list {
        for (group, case) in &chosen {
            println!("{group}/{}\n    {} [{}]", case.name, case.rule, case.source);
        }
        println!("{} cases", chosen.len());
        return Ok(true);
    }
    let server = Server::start(&arguments.server, arguments.kube.as_deref()).await?;
    let title = match &arguments.server {
        Choice::Embedded => "embedded".to_owned(),
        Choice::Real => "real".to_owned(),
        Choice::Kubeconfig(path) => path.display().to_string(),
    };
    let kept = run::run(&server, chosen, &title).await?;
    // A part of the cases is asked for by somebody who works on them.
    let replayed = !server.is_ours() || !arguments.case.is_empty() || differential::replay(&server).await?;
    Ok(kept && replayed)
}

/// The cases that the command line asks for.
fn chosen(names: &[String]) -> Vec<Chosen> {
    let wanted = |(group, case): &Chosen| {
        let name = format!("{group}/{}", case.name);
        names.is_empty() || names.iter().any(|part| name.contains(part.as_str()))
    };
    suite::all().filter(wanted).collect()
}

/// Resolves when somebody wants this program to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                outcome = tokio::signal::ctrl_c() => if outcome.is_ok() { return },
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await; // nobody can be told; the run ends by itself
    }
}
