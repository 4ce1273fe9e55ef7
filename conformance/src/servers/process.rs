//! Programs that are started for a run and end with it, and the folder that they write to.

use super::Failure;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

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
        let log = File::create(folder.join(format!("{program}.log")))?;
        let mut command = Command::new(kube);
        command.arg(program).args(arguments).current_dir(folder).stdin(Stdio::null());
        let child = command.stdout(log.try_clone()?).stderr(log).spawn();
        Ok(Self(child.map_err(|error| format!("starting {}: {error}", kube.display()))?))
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
