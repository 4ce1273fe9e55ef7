//! [`Candidate`]: a process that stands for election, and the lines that it prints.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc::Sender,
    thread,
    time::Duration,
};

use crate::Failure;

/// The elector of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ours; it watches the Lease.
    Trimtab,
    /// Ours with the default options.
    TrimtabPolling,
    ClientGo,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trimtab => "trimtab",
            Self::TrimtabPolling => "trimtab, polling",
            Self::ClientGo => "client-go",
        }
    }
}

/// The programs, and the server that they speak to.
#[derive(Debug)]
pub(crate) struct Programs {
    kubeconfig: PathBuf,
    ours: PathBuf,
    client_go: PathBuf,
}

impl Programs {
    /// Our elector is beside this program.
    pub(crate) fn new(kubeconfig: PathBuf, client_go: PathBuf) -> Result<Self, Failure> {
        let ours = std::env::current_exe()?.with_file_name("elector");
        Ok(Self { kubeconfig, ours, client_go })
    }
}

/// What a candidate has said, and when, since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) candidate: usize,
    pub(crate) what: String,
    pub(crate) at: Duration,
}

/// A running candidate; dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Candidate {
    process: Child,
}

impl Candidate {
    /// Starts a candidate for `lease`. Its lines go to `lines`, with its number.
    pub(crate) fn start(
        programs: &Programs,
        kind: Kind,
        lease: &str,
        number: usize,
        lines: Sender<Line>,
    ) -> Result<Self, Failure> {
        let program = if kind == Kind::ClientGo { &programs.client_go } else { &programs.ours };
        let mut command = Command::new(program);
        command.arg("--kubeconfig").arg(&programs.kubeconfig);
        command.args(["--lease", lease, "--identity", &format!("{lease}-{number}")]);
        if kind == Kind::TrimtabPolling {
            command.arg("--poll");
        }
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = started.map_err(|error| format!("starting {}: {error}", program.display()))?;
        let stdout = process.stdout.take().ok_or("a candidate has no output")?;
        // It ends with the process.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let Some((what, at)) = line.split_once(' ') else { continue };
                let at = Duration::from_nanos(at.parse().unwrap_or_default());
                if lines.send(Line { candidate: number, what: what.to_owned(), at }).is_err() {
                    return;
                }
            }
        });
        Ok(Self { process })
    }

    /// Sends a signal, such as `KILL`.
    pub(crate) fn signal(&self, name: &str) -> Result<(), Failure> {
        let sent =
            Command::new("kill").arg(format!("-{name}")).arg(self.process.id().to_string()).status()?;
        if sent.success() { Ok(()) } else { Err(format!("kill -{name} has failed").into()) }
    }
}

impl Drop for Candidate {
    fn drop(&mut self) {
        // Both fail if the process has already ended, which is fine.
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
