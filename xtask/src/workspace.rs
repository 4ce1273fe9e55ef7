//! The workspace as `cargo metadata` describes it: packages, features, dependencies and targets.

use crate::cargo;
use crate::failure::{Failure, While};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The workspace of the current directory.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// One member of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) rust_version: Option<String>,
    /// The folder of its manifest.
    pub(crate) folder: PathBuf,
    /// Whether it may be published.
    pub(crate) published: bool,
    pub(crate) features: Vec<String>,
    /// The features of its documentation on docs.rs.
    pub(crate) docs_features: Vec<String>,
    /// The features that only its binaries require.
    pub(crate) bin_features: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) benches: Vec<String>,
    /// The empty fields among those that a registry shows.
    pub(crate) unfilled: Vec<&'static str>,
}

/// One line of a package's dependency tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) requirement: String,
    pub(crate) dev: bool,
    pub(crate) optional: bool,
    pub(crate) features: Vec<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self, Failure> {
        let mut metadata = cargo::command(["metadata", "--format-version", "1", "--no-deps"]);
        let output =
            metadata.stderr(std::process::Stdio::inherit()).output().doing("starting cargo metadata")?;
        cargo::checked(output.status).doing("cargo metadata")?;
        let metadata: Value = serde_json::from_slice(&output.stdout).doing("reading cargo metadata")?;
        let mut packages: Vec<_> = list(&metadata["packages"]).iter().map(Package::read).collect();
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self {
            root: text(&metadata["workspace_root"]).into(),
            target: text(&metadata["target_directory"]).into(),
            packages,
        })
    }

    /// Returns the packages under `crates/`, which users depend on.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.is_part(package))
    }

    /// Returns whether a package's folder is directly under `crates/`.
    pub(crate) fn is_part(&self, package: &Package) -> bool {
        package.folder.parent() == Some(&self.root.join("crates"))
    }

    /// `path` relative to the workspace's root.
    pub(crate) fn relative<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}

impl Package {
    fn read(package: &Value) -> Self {
        let shown = ["description", "license", "repository", "readme", "keywords", "categories"];
        let empty = |field: &&str| match &package[*field] {
            Value::Array(values) => values.is_empty(),
            value => text(value).is_empty(),
        };
        Self {
            name: text(&package["name"]),
            version: text(&package["version"]),
            rust_version: package["rust_version"].as_str().map(str::to_owned),
            folder: Path::new(&text(&package["manifest_path"]))
                .parent()
                .map(Path::to_owned)
                .unwrap_or_default(),
            published: package["publish"].is_null(),
            features: package["features"]
                .as_object()
                .map(|all| all.keys().cloned().collect())
                .unwrap_or_default(),
            docs_features: docs_features(package),
            bin_features: list(&package["targets"])
                .iter()
                .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "bin"))
                .flat_map(|target| texts(&target["required-features"]))
                .collect(),
            dependencies: list(&package["dependencies"]).iter().map(Dependency::read).collect(),
            benches: list(&package["targets"])
                .iter()
                .filter(|target| list(&target["kind"]).iter().any(|kind| kind == "bench"))
                .map(|target| text(&target["name"]))
                .collect(),
            unfilled: shown.into_iter().filter(empty).collect(),
        }
    }

    /// Returns the folder's name: `workqueue` for `crates/workqueue`.
    pub(crate) fn part(&self) -> &str {
        self.folder.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

impl Dependency {
    fn read(dependency: &Value) -> Self {
        Self {
            name: text(&dependency["name"]),
            requirement: text(&dependency["req"]),
            dev: dependency["kind"] == "dev",
            optional: dependency["optional"] == true,
            features: texts(&dependency["features"]),
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Returns the features for docs.rs; all of the package's own if the manifest asks for them.
fn docs_features(package: &Value) -> Vec<String> {
    let docs = &package["metadata"]["docs"]["rs"];
    let mut features = texts(&docs["features"]);
    if docs["all-features"] == true {
        features.extend(package["features"].as_object().into_iter().flat_map(|all| all.keys().cloned()));
    }
    features
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(text).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
