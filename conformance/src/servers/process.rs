//! Programs that are started for a run and end with it, and the folder that they write to.

use super::Failure;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::time::sleep;

/// The time between two looks at a process.
const POLL: Duration = Duration::from_millis(200);

/// A program that ends with this value.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    /// Starts one of the programs that `kube` holds, with its output in a log beside what else it writes.
    pub(crate) fn start(
        kube: &Path,
        folder: &Path,
        program: &str,
        arguments: &[String],
    ) -> Result<Self, Failure> {
        let mut command = Command::new(kube);
        command.arg(program);
        Self::spawn(command, folder, program, arguments)
    }

    /// Starts a program, with its output in a log of this name.
    pub(crate) fn start_program(
        program: &Path,
        folder: &Path,
        log: &str,
        arguments: &[String],
    ) -> Result<Self, Failure> {
        Self::spawn(Command::new(program), folder, log, arguments)
    }

    /// Waits until the program ends by itself.
    ///
    /// # Cancel safety
    ///
    /// It goes on.
    pub(crate) async fn ended(&mut self) -> Result<ExitStatus, Failure> {
        loop {
            match self.0.try_wait()? {
                Some(status) => return Ok(status),
                None => sleep(POLL).await,
            }
        }
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    fn spawn(mut command: Command, folder: &Path, log: &str, arguments: &[String]) -> Result<Self, Failure> {
        let log = OpenOptions::new().create(true).append(true).open(folder.join(format!("{log}.log")))?;
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(log.try_clone()?).stderr(log).spawn();
        Ok(Self(child.map_err(|error| format!("starting {}: {error}", command.get_program().display()))?))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to stop.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Where programs keep what they write; removed at the end.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty folder of this process.
    pub(crate) fn make(purpose: &str) -> std::io::Result<Self> {
        let name = format!("trimtab-conformance-{purpose}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // nothing else can be done about it here
    }
}
