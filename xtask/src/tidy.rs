//! `cargo xtask tidy`: checks the project's rules that no compiler checks. Each rule is a function of text, in its own file.

mod changelog;
mod circles;
mod cited;
mod dependencies;
mod finding;
mod layers;
mod part;
mod patterns;
mod prose;
mod readme;
mod rust;

use crate::failure::{Failure, While};
use crate::workspace::{Package, Workspace};
pub(crate) use changelog::Changelog;
use circles::Crate;
use clap::Args;
pub(crate) use dependencies::brings_kubernetes;
use finding::Finding;
pub(crate) use readme::Readme;
use readme::check_hidden_lines;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Args, Debug, Default)]
pub(crate) struct Options {
    /// Lists the circles between the files of each crate instead of checking the rules.
    #[arg(long)]
    circles: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    if options.circles {
        return circles::run(&workspace);
    }
    let findings = findings(&workspace)?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: no findings");
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} findings", findings.len());
    Ok(ExitCode::FAILURE)
}

/// Checks all rules and sorts the findings by file.
fn findings(workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut found = Vec::new();
    let mut sources = String::new();
    let mut pages = Vec::new();
    for path in files(&workspace.root)? {
        let name = workspace.relative(&path).to_string_lossy().replace('\\', "/");
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => {
                let text = read(&path)?;
                found.extend(rust::check(&name, &text));
                sources += &text;
            }
            Some("md") => {
                let text = read(&path)?;
                let exists = |link: &str| path.parent().is_some_and(|folder| folder.join(link).exists());
                found.extend(prose::check(&name, &text, &workspace.packages, exists));
                if let Some(page) = name.strip_prefix(patterns::FOLDER) {
                    pages.push((page.trim_start_matches('/').to_owned(), text));
                }
            }
            _ => {}
        }
    }
    let licence = read(&workspace.root.join("LICENSE"))?;
    for package in workspace.parts() {
        found.extend(part::check(&texts(workspace, package)?, package, &licence));
    }
    for package in &workspace.packages {
        if let Some(layers) = layers::of(&package.name) {
            let source = package.folder.join("src");
            let layered = Crate::read(&source.join("lib.rs")).doing(source.display())?;
            let folder = workspace.relative(&source).to_string_lossy().replace('\\', "/");
            found.extend(layers::check(&folder, &layered, layers));
        }
    }
    let readmes = workspace.parts().map(|part| part.folder.join("README.md"));
    for path in readmes.chain([workspace.root.join("README.md")]).filter(|path| path.exists()) {
        let name = workspace.relative(&path).to_string_lossy().replace('\\', "/");
        found.extend(check_hidden_lines(&name, &read(&path)?));
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
    let is_test = |test: &str| sources.contains(&format!("fn {test}("));
    let behaviours = "docs/upstream-behaviours.md";
    let page = read(&workspace.root.join(behaviours)).unwrap_or_default();
    found.extend(cited::check(behaviours, &page, is_test));
    for (name, page) in &pages {
        found.extend(cited::check(&format!("{}/{name}", patterns::FOLDER), page, is_test));
    }
    let readme = |part: &str| read(&workspace.root.join("crates").join(part).join("README.md")).ok();
    found.extend(patterns::check(&pages, readme));
    found.sort();
    Ok(found)
}

/// Reads the files of one part that the rules compare.
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
        licence: optional("LICENSE")?,
        has_tests: package.folder.join("tests").is_dir(),
    })
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).doing(path.display())
}

/// Lists the files below `root`, without hidden files and target folders.
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
