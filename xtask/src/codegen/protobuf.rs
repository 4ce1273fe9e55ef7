//! `cargo xtask codegen protobuf`: writes the protobuf fields of the built-in kinds, read from the tags of their Go
//! types, to the file that our API server reads.

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

/// The file that our API server reads.
pub(super) const FILE: &str = "crates/apiserver/src/wire/protobuf/wire.txt";

pub(crate) fn run() -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let program = target(&workspace).join("protobuf");
    build_go(&folder(&workspace, "protobuf"), "", &program, None)?;
    let output = Command::new(&program).stderr(Stdio::inherit()).output().doing(program.display())?;
    checked(output.status).doing(program.display())?;
    let fields = String::from_utf8_lossy(&output.stdout);
    let text = format!(
        "# The protobuf fields of Kubernetes 1.36.3: `cargo xtask codegen protobuf` writes this file.\n{fields}"
    );
    let file = workspace.root.join(FILE);
    fs::write(&file, &text).doing(file.display())?;
    println!("{FILE}: {} KB", text.len() / 1024);
    Ok(ExitCode::SUCCESS)
}
