//! Clients that nobody here wrote, against our server: kubectl, client-go, kube-runtime, kube-controller-manager.

mod client_go;
mod cluster;
mod controllers;
mod kube_runtime;
mod kubectl;
mod script;
mod shell;

use crate::servers::Failure;
use comfy_table::Table;
use comfy_table::presets::ASCII_FULL_CONDENSED;
use std::path::PathBuf;

/// The programs that could be found or built; what is missing is named, and left out.
#[derive(Debug, Default)]
pub(crate) struct Programs {
    pub(crate) kubectl: Vec<PathBuf>,
    /// etcd, kube-apiserver, kube-controller-manager and kubectl in one.
    pub(crate) kube: Option<PathBuf>,
    pub(crate) client_go: Option<PathBuf>,
    pub(crate) kube_runtime: Option<PathBuf>,
}

/// What became of one step of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Passed,
    /// Left out, for this reason.
    Skipped(&'static str),
    Failed,
}

/// A client's steps, by name.
#[derive(Debug)]
struct Session {
    client: String,
    steps: Vec<(String, Verdict)>,
}

impl Session {
    fn failures(&self) -> usize {
        self.steps.iter().filter(|(_, verdict)| *verdict == Verdict::Failed).count()
    }
}

/// Runs every client; true if no step of any failed.
pub(crate) async fn run(programs: &Programs) -> Result<bool, Failure> {
    let mut sessions = kubectl::run(programs).await?;
    let kubectls = sessions.len();
    match &programs.client_go {
        Some(program) => {
            for encoding in ["json", "protobuf"] {
                sessions.push(client_go::run(program, encoding).await?);
            }
        }
        None => println!("client-go is left out: its program needs Go (https://go.dev/dl)"),
    }
    match &programs.kube_runtime {
        Some(program) => sessions.push(kube_runtime::run(program).await?),
        None => println!("kube-runtime is left out: its program could not be built"),
    }
    match &programs.kube {
        Some(kube) => sessions.push(controllers::run(kube).await?),
        None => println!("kube-controller-manager is left out: building it needs Go (https://go.dev/dl)"),
    }
    println!("\n{}", table(&sessions[..kubectls]));
    sessions[kubectls..].iter().for_each(|session| println!("\n{}", table(std::slice::from_ref(session))));
    let failures: usize = sessions.iter().map(Session::failures).sum();
    let steps: usize = sessions.iter().map(|session| session.steps.len()).sum();
    println!("clients: {steps} steps of {} clients, {failures} failed", sessions.len());
    Ok(failures == 0)
}

/// Steps down, clients across.
fn table(sessions: &[Session]) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_FULL_CONDENSED);
    let clients = sessions.iter().map(|session| session.client.clone());
    table.set_header(std::iter::once("step".to_owned()).chain(clients));
    for (row, (name, _)) in sessions.first().map(|first| &first.steps).into_iter().flatten().enumerate() {
        let cells = sessions.iter().map(|session| match session.steps.get(row) {
            Some((_, Verdict::Passed)) => "ok".to_owned(),
            Some((_, Verdict::Skipped(reason))) => (*reason).to_owned(),
            Some((_, Verdict::Failed)) => "FAILED".to_owned(),
            None => String::new(),
        });
        table.add_row(std::iter::once(name.clone()).chain(cells));
    }
    table
}
