//! The step `readmes`: the first example of each README compiles as a reader pastes it into `src/main.rs`.
//!
//! All examples are binaries of one generated package outside of the workspace. It depends on the parts by path, and
//! pins every other crate to the version and the features that the workspace has, so that cargo finds them compiled.

mod manifest;

use crate::cargo;
use crate::failure::{Failure, While};
use crate::tidy::Readme;
use crate::workspace::Workspace;
pub(super) use manifest::Manifest;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// One README and the binary that is made of its example.
#[derive(Debug)]
struct Example {
    /// From the workspace's root: `crates/workqueue/README.md`.
    file: String,
    bin: String,
    readme: Readme,
}

pub(super) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let examples = read(workspace)?;
    let manifest = Manifest::new(workspace, &locked_crates(workspace)?);
    let mut problems = Vec::new();
    for example in &examples {
        let found = example.readme.problems().into_iter().chain(manifest.problems(&example.readme));
        problems.extend(found.map(|problem| format!("{}: {problem}", example.file)));
    }
    let bins: Vec<_> = examples.iter().filter(|example| !example.readme.example.is_empty()).collect();
    let compiled = compile(workspace, &manifest, &bins)?;
    for example in bins.iter().filter(|example| !compiled.contains(&example.bin)) {
        problems.push(format!("{}: the first example does not compile as pasted", example.file));
    }
    for problem in &problems {
        println!("{problem}");
    }
    let (wrong, all) = (problems.len(), examples.len());
    if wrong == 0 {
        println!("the first examples of {all} READMEs compile as pasted");
        return Ok(());
    }
    Err(Failure::new(format!("{wrong} problems in {all} READMEs")))
}

/// Reads the READMEs of the workspace and of the parts.
fn read(workspace: &Workspace) -> Result<Vec<Example>, Failure> {
    let root = (workspace.root.join("README.md"), "trimtab");
    let parts = workspace.parts().map(|part| (part.folder.join("README.md"), part.part()));
    let mut examples = Vec::new();
    for (path, bin) in std::iter::once(root).chain(parts).filter(|(path, _)| path.exists()) {
        let text = std::fs::read_to_string(&path).doing(path.display())?;
        let file = workspace.relative(&path).display().to_string();
        examples.push(Example { file, bin: bin.to_owned(), readme: Readme::read(&text) });
    }
    Ok(examples)
}

/// Lists the crates of the workspace with the features that they are built with.
pub(super) fn locked_crates(workspace: &Workspace) -> Result<String, Failure> {
    let mut tree = cargo::command(["tree", "--locked", "--workspace", "--all-features", "--prefix", "none"]);
    tree.args(["--edges", "no-build,no-proc-macro", "--format", "{p}|{f}"]).current_dir(&workspace.root);
    let output = tree.stderr(Stdio::inherit()).output().doing("starting cargo tree")?;
    cargo::checked(output.status).doing("cargo tree")?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Checks all examples and returns the names of those that compile. The compiler's errors go to the terminal.
fn compile(
    workspace: &Workspace,
    manifest: &Manifest,
    examples: &[&Example],
) -> Result<BTreeSet<String>, Failure> {
    let folder = workspace.target.join("readmes");
    write(
        &folder.join("Cargo.toml"),
        &manifest.text(examples.iter().map(|example| (&*example.bin, &example.readme))),
    )?;
    for example in examples {
        write(&folder.join("src").join(&example.bin).with_extension("rs"), &example.readme.example)?;
    }
    let lock = workspace.root.join("Cargo.lock");
    std::fs::copy(&lock, folder.join("Cargo.lock")).doing(lock.display())?;

    let mut check = cargo::command(["check", "--quiet", "--bins", "--keep-going"]);
    check.arg("--manifest-path").arg(workspace.relative(&folder).join("Cargo.toml"));
    check.args(["--message-format", "json-render-diagnostics"]);
    // The folder decides which `.cargo/config.toml` is read: it chooses the Kubernetes version.
    check.current_dir(&workspace.root).env("CARGO_TARGET_DIR", workspace.relative(&workspace.target));
    println!("$ {}", cargo::line(&check));
    let output = check.stderr(Stdio::inherit()).output().doing("starting cargo check")?;
    Ok(compiled_bins(&String::from_utf8_lossy(&output.stdout)))
}

/// Extracts the binaries that compiled from cargo's messages.
fn compiled_bins(messages: &str) -> BTreeSet<String> {
    let bin = |line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let is_bin = message["target"]["kind"].as_array()?.iter().any(|kind| kind == "bin");
        let is_artifact = message["reason"] == "compiler-artifact";
        message["target"]["name"].as_str().filter(|_| is_bin && is_artifact).map(str::to_owned)
    };
    messages.lines().filter_map(bin).collect()
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().map(PathBuf::from).unwrap_or_default();
    std::fs::create_dir_all(&folder).doing(folder.display())?;
    std::fs::write(path, text).doing(path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_binaries_with_an_artifact_have_compiled() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"bin\"],\"name\":\"cache\"}}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"lib\"],\"name\":\"serde\"}}\n",
            "{\"reason\":\"compiler-message\",\"target\":{\"kind\":[\"bin\"],\"name\":\"informer\"}}\n",
        );
        assert_eq!(compiled_bins(messages).into_iter().collect::<Vec<_>>(), ["cache"]);
    }
}
