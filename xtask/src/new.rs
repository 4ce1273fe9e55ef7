//! `cargo xtask new`: makes a package of `templates/operator/`, with Trimtab's crates by path.

mod template;

use crate::failure::{Failure, While};
use crate::workspace::Workspace;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
pub(crate) use template::Names;

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The folder of the new package; must not exist.
    path: PathBuf,
    /// The name of the package, also of the Lease and of the roles: lower-case letters, digits and dashes.
    name: String,
    /// The custom kind, in CamelCase.
    #[arg(long, default_value = Names::KIND)]
    kind: String,
    /// The API group of the kind, a domain.
    #[arg(long, default_value = Names::GROUP)]
    group: String,
    /// The folder of a clone of Trimtab, whose crates the package depends on. By default this one.
    #[arg(long, value_name = "FOLDER")]
    trimtab_path: Option<PathBuf>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode, Failure> {
    let workspace = Workspace::load()?;
    let names = Names::new(&options.name, &options.kind, &options.group)?;
    let trimtab = options.trimtab_path.as_deref().unwrap_or(&workspace.root);
    let files = make(&workspace, &options.path, &names, trimtab)?;
    let (path, name) = (options.path.display(), &options.name);
    println!("{files} files of the package {name} in {path}; next: cd {path} && cargo test");
    Ok(ExitCode::SUCCESS)
}

/// Makes the package in the new folder `path`, on the crates in the clone `trimtab`. Returns the number of files.
pub(crate) fn make(
    workspace: &Workspace,
    path: &Path,
    names: &Names,
    trimtab: &Path,
) -> Result<usize, Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(Failure::new(format!("{} exists already: name a new folder", path.display())));
    }
    let trimtab = clone_in(trimtab)?;
    let rendered = template::render(&workspace.root.join("templates/operator"), names, &trimtab)?;
    for (file, text) in &rendered {
        let file = path.join(file);
        let folder = file.parent().unwrap_or(path);
        std::fs::create_dir_all(folder).doing(folder.display())?;
        std::fs::write(&file, text).doing(file.display())?;
    }
    Ok(rendered.len())
}

/// Returns the absolute path of a folder that is a clone of Trimtab.
fn clone_in(folder: &Path) -> Result<PathBuf, Failure> {
    let name = folder.display();
    if !folder.join("crates/manager/Cargo.toml").exists() {
        let reason = "no clone of Trimtab: crates/manager/Cargo.toml is missing";
        return Err(Failure::new(format!("--trimtab-path {name}: {reason}")));
    }
    std::path::absolute(folder).doing(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn making(path: &Path, trimtab: &Path) -> Result<usize, String> {
        let workspace = Workspace { root: root(), target: PathBuf::new(), packages: Vec::new() };
        let names = Names::new("app-operator", Names::KIND, Names::GROUP).expect("sound names");
        make(&workspace, path, &names, trimtab).map_err(|failure| failure.to_string())
    }

    #[test]
    fn a_path_that_exists_is_refused() {
        let path = root().join("templates");
        let refused = making(&path, &root()).expect_err("the folder exists");
        assert_eq!(refused, format!("{} exists already: name a new folder", path.display()));
    }

    #[test]
    fn a_folder_without_trimtab_is_refused_and_nothing_is_written() {
        let (path, nowhere) = (root().join("target/never-made"), Path::new("/nowhere"));
        let refused = making(&path, nowhere).expect_err("no Trimtab there");
        assert_eq!(
            refused,
            "--trimtab-path /nowhere: no clone of Trimtab: crates/manager/Cargo.toml is missing"
        );
        assert!(!path.exists());
    }
}
