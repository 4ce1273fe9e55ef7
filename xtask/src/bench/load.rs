//! The source of objects that informers are measured on: a program of its own, started afresh for every run.

use super::peer::build_rust;
use crate::failure::{Failure, While};
use crate::peer::{folder, target};
use crate::workspace::Workspace;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The load's program.
#[derive(Debug)]
pub(super) struct Load {
    program: PathBuf,
}

/// A running load; it ends with this value.
#[derive(Debug)]
pub(super) struct Serving {
    process: Child,
    url: String,
}

impl Load {
    pub(super) fn build(workspace: &Workspace) -> Result<Self, Failure> {
        let program = build_rust(&folder(workspace, "load"), &target(workspace), "load")?;
        Ok(Self { program })
    }

    pub(super) fn serve(&self, objects: u32) -> Result<Serving, Failure> {
        let mut command = Command::new(&self.program);
        command.args(["--objects", &objects.to_string()]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().doing("starting the load")?;
        let mut url = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut url).doing("waiting for the load")?;
        }
        let serving = Serving { process, url: url.trim_end().to_owned() };
        if serving.url.is_empty() { Err(Failure::new("the load did not start")) } else { Ok(serving) }
    }
}

impl Serving {
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
