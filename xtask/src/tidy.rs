//! `cargo xtask tidy`: the house rules that no compiler checks. Each rule is a function of text, in the files beside this one.

mod cited;
mod dependencies;
mod part;
mod prose;
mod rust;

use crate::failure::{Failure, While};
use crate::workspace::{Package, Workspace};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One place where a rule is not kept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    /// From 1; 0 speaks of the whole file.
    line: usize,
    what: String,
}

impl Finding {
    fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

pub(crate) fn run() -> Result<ExitCode, Failure> {
    let findings = findings(&Workspace::load()?)?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: nothing found");
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} found", findings.len());
    Ok(ExitCode::FAILURE)
}

/// Everything that the rules have to say about the workspace, in the order of its files.
fn findings(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    let mut sources = String::new();
    for path in files(&workspace.root)? {
        let name = workspace.relative(&path).to_string_lossy().replace('\\', "/");
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => {
                let text = read(&path)?;
                found.extend(rust::check(&name, &text));
                sources += &text;
            }
            Some("md") => {
                let exists = |link: &str| path.parent().is_some_and(|folder| folder.join(link).exists());
                found.extend(prose::check(&name, &read(&path)?, &workspace.packages, exists));
            }
            _ => {}
        }
    }
    for package in workspace.parts() {
        found.extend(part::check(&texts(workspace, package)?, package));
    }
    for package in &workspace.packages {
        let manifest = workspace.relative(&package.folder).join("Cargo.toml").to_string_lossy().into_owned();
        found.extend(dependencies::check(&manifest, package, &workspace.packages));
    }
    let overview = ["README.md", "docs/architecture.md"];
    for name in overview {
        let text = read(&workspace.root.join(name)).unwrap_or_default();
        found.extend(prose::check_parts_named(name, &text, workspace.parts()));
    }
    let behaviours = "docs/upstream-behaviours.md";
    let page = read(&workspace.root.join(behaviours)).unwrap_or_default();
    found.extend(cited::check(behaviours, &page, |test| sources.contains(&format!("fn {test}("))));
    found.sort();
    Ok(found)
}

/// The files of one part that the rules read together.
fn texts(workspace: &Workspace, package: &Package) -> Result<part::Texts, Failure> {
    let optional = |name: &str| {
        let path = package.folder.join(name);
        if path.exists() { read(&path).map(Some) } else { Ok(None) }
    };
    Ok(part::Texts {
        folder: workspace.relative(&package.folder).to_string_lossy().replace('\\', "/"),
        manifest: optional("Cargo.toml")?.unwrap_or_default(),
        lib: optional("src/lib.rs")?.unwrap_or_default(),
        readme: optional("README.md")?,
        changelog: optional("CHANGELOG.md")?,
        has_tests: package.folder.join("tests").is_dir(),
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).doing(path.display())
}

/// Every file below `root`, leaving out what is built or hidden.
fn files(root: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).doing(folder.display())? {
            let path = entry.doing(folder.display())?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_reads_like_a_compiler_message() {
        assert_eq!(Finding::new("a.rs", 3, "is late").to_string(), "a.rs:3: is late");
        assert_eq!(Finding::new("a.rs", 0, "is late").to_string(), "a.rs: is late");
    }
}
