//! `cargo xtask wire`: how the built-in kinds are written in protobuf, from the tags of their Go types to the file
//! that our API server reads.

use crate::{
    cargo::checked,
    failure::{Failure, While},
    peer::{build_go, folder, target},
    workspace::Workspace,
};
use std::{
    fs,
    process::{Command, ExitCode, Stdio},
};

/// Where our API server finds them.
const FILE: &str = "crates/apiserver/src/http/protobuf/wire.txt";

pub(crate) fn run() -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let program = target(&workspace).join("wire");
    build_go(&folder(&workspace, "wire"), "", &program, None)?;
    let output = Command::new(&program).stderr(Stdio::inherit()).output().doing(program.display())?;
    checked(output.status).doing(program.display())?;
    let fields = String::from_utf8_lossy(&output.stdout);
    let text =
        format!("# How Kubernetes 1.36.3 writes its kinds: `cargo xtask wire` writes this file.\n{fields}");
    let file = workspace.root.join(FILE);
    fs::write(&file, &text).doing(file.display())?;
    println!("{FILE}: {} KB", text.len() / 1024);
    Ok(ExitCode::SUCCESS)
}
