//! The load: a server of Pods for the informers, of Leases for elections, or of the objects of controllers, started in a
//! new process for every run.

use crate::failure::{Failure, While};
use crate::peer::{build_rust, folder, target};
use crate::workspace::Workspace;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The load's program.
#[derive(Debug)]
pub(super) struct Load {
    program: PathBuf,
    arguments: Vec<String>,
}

/// A running load; dropping it ends the process.
#[derive(Debug)]
pub(super) struct RunningLoad {
    process: Child,
    url: String,
}

impl Load {
    pub(super) fn build(workspace: &Workspace) -> Result<Self, Failure> {
        let program = build_rust(&folder(workspace, "load"), &target(workspace), "load", "release")?;
        Ok(Self { program, arguments: Vec::new() })
    }

    /// A benchmark that serves its own load, of a scenario.
    pub(super) fn of_bench(program: &Path, scenario: &str) -> Self {
        let arguments = ["--serve", "--scenario", scenario].map(str::to_owned).into();
        Self { program: program.to_owned(), arguments }
    }

    /// Also creates the objects of a manifest before it serves.
    pub(super) fn with_manifest(mut self, manifest: &Path) -> Self {
        self.arguments.extend(["--load".to_owned(), manifest.display().to_string()]);
        self
    }

    /// Starts the load and waits until it serves so many objects.
    pub(super) fn start(&self, objects: u32) -> Result<RunningLoad, Failure> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .args(["--objects", &objects.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut process = command.spawn().doing("starting the load")?;
        let mut url = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut url).doing("waiting for the load")?;
        }
        let load = RunningLoad { process, url: url.trim_end().to_owned() };
        if load.url.is_empty() { Err(Failure::new("the load did not start")) } else { Ok(load) }
    }
}

impl RunningLoad {
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RunningLoad {
    fn drop(&mut self) {
        // Both fail if the process has already ended, which is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
