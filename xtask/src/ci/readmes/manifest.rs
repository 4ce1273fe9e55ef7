//! [`Manifest`]: the generated package's manifest, and the problems of a README's own `[dependencies]`.

use crate::tidy::{Readme, brings_kubernetes};
use crate::workspace::{Package, Workspace};
use std::collections::BTreeSet;
use std::fmt::Write as _;

#[derive(Debug)]
pub(in crate::ci) struct Manifest<'a> {
    workspace: &'a Workspace,
    crates: Vec<Locked>,
    /// The `[profile]` tables of the workspace: other profiles would compile everything again.
    profiles: String,
}

/// A crate from a registry, as the workspace has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Locked {
    name: String,
    version: String,
    features: Vec<String>,
}

/// Code that needs a feature of tokio.
const TOKIO: [(&str, &[&str]); 5] = [
    ("#[tokio::main]", &["macros", "rt-multi-thread"]),
    ("#[tokio::main(", &["macros", "rt"]),
    ("tokio::signal", &["signal"]),
    ("tokio::time", &["time"]),
    ("tokio::select!", &["macros"]),
];

/// Code that connects to the cluster of a kubeconfig.
const CLUSTER: [&str; 2] = ["Client::try_default", "Config::infer"];

impl<'a> Manifest<'a> {
    /// Builds the manifest from the lines of `cargo tree`, each `name vVERSION|FEATURES`.
    pub(in crate::ci) fn new(workspace: &'a Workspace, tree: &str) -> Self {
        let crates: BTreeSet<_> = tree.lines().filter_map(Locked::read).collect();
        let text = std::fs::read_to_string(workspace.root.join("Cargo.toml")).unwrap_or_default();
        let profiles = text.find("\n[profile").map(|at| text[at..].to_owned()).unwrap_or_default();
        Self { workspace, crates: crates.into_iter().collect(), profiles }
    }

    /// Writes the manifest for these binaries.
    pub(super) fn text<'r>(&self, bins: impl Iterator<Item = (&'r str, &'r Readme)> + Clone) -> String {
        let mut text =
            "# Written by `cargo xtask ci --only readmes`.\n[workspace]\n\n[package]\nname = \"readmes\"\n\
                        version = \"0.0.0\"\nedition = \"2024\"\npublish = false\n"
                .to_owned();
        for (bin, _) in bins.clone() {
            let _ = write!(text, "\n[[bin]]\nname = \"{bin}\"\npath = \"src/{bin}.rs\"\n");
        }
        text += "\n[dependencies]\n";
        let asked: BTreeSet<_> =
            bins.flat_map(|(_, readme)| readme.dependencies.iter()).filter_map(|line| name(line)).collect();
        for name in &asked {
            if let Some(part) = self.part(name) {
                let _ =
                    writeln!(text, "{name} = {{ path = {:?}, features = {:?} }}", part.folder, part.features);
            }
        }
        text + &self.pins()
    }

    /// Writes the dependencies that give each crate the version and the features that the workspace has, and the
    /// profiles. A package with them finds its dependencies compiled.
    pub(in crate::ci) fn pins(&self) -> String {
        let mut text = String::new();
        for (number, locked) in self.crates.iter().enumerate() {
            let Locked { name, version, features } = locked;
            let key = if self.is_direct(locked) { name.clone() } else { format!("pin-{number}") };
            let _ = writeln!(
                text,
                "{key} = {{ package = \"{name}\", version = \"={version}\", default-features = false, features = {features:?} }}"
            );
        }
        text + &self.profiles
    }

    /// Lists the problems of a README's dependencies that the shared package hides: crates and features that another
    /// README asks for are there, too.
    pub(super) fn problems(&self, readme: &Readme) -> Vec<String> {
        let mut problems = Vec::new();
        let lines = || readme.dependencies.iter().filter_map(|line| Some((name(line)?, &**line)));
        for (name, line) in lines() {
            let versions = self.versions(name);
            let required = requirement(line);
            if versions.is_empty() {
                problems.push(format!("depends on {name}, which the workspace does not have"));
            } else if !versions.iter().any(|version| is_compatible(required, version)) {
                problems
                    .push(format!("depends on {name} {required}; the workspace has {}", versions.join(", ")));
            }
        }
        let known = self
            .workspace
            .parts()
            .map(|part| &*part.name)
            .chain(self.crates.iter().map(|locked| &*locked.name));
        for name in known.collect::<BTreeSet<_>>() {
            let path = format!("{}::", name.replace('-', "_"));
            let code = format!("\n{}", readme.example);
            let is_named = names_crate(&code, &path) && !imports_module(&code, &name.replace('-', "_"));
            if is_named && lines().all(|(listed, _)| listed != name) {
                problems.push(format!("uses {name}, which is not in its `[dependencies]`"));
            }
        }
        let feature = |dependency: &str, feature: &str| {
            lines().any(|(name, line)| name == dependency && line.contains(&format!("\"{feature}\"")))
        };
        let kubernetes = lines().any(|(name, _)| brings_kubernetes(name, &self.workspace.packages));
        let version = lines().any(|(name, line)| {
            name == "k8s-openapi" && (line.contains("\"v1_") || line.contains("\"latest\""))
        });
        if kubernetes && !version {
            problems.push("needs k8s-openapi with a version feature, such as \"latest\"".to_owned());
        }
        let has_tls = ["rustls-tls", "openssl-tls"].iter().any(|tls| feature("kube-client", tls));
        let mut code = readme.example.lines().map(|line| line.split("//").next().unwrap_or_default());
        if code.any(|line| CLUSTER.iter().any(|code| line.contains(code))) && !has_tls {
            problems.push("connects to a cluster, which needs a TLS feature of kube-client".to_owned());
        }
        for (code, features) in TOKIO.iter().filter(|(code, _)| readme.example.contains(code)) {
            for missing in features.iter().filter(|name| !feature("tokio", name) && !feature("tokio", "full"))
            {
                problems.push(format!("uses `{code}`, which needs tokio's feature \"{missing}\""));
            }
        }
        problems
    }

    /// Returns whether a package of the workspace depends on this version directly; examples name no other crate.
    fn is_direct(&self, locked: &Locked) -> bool {
        let mut all = self.workspace.packages.iter().flat_map(|package| &package.dependencies);
        all.any(|direct| direct.name == locked.name && is_compatible(&direct.requirement, &locked.version))
    }

    /// Returns the versions that the workspace has of a crate or a part.
    fn versions(&self, name: &str) -> Vec<&str> {
        let of_part = self.part(name).map(|part| &*part.version);
        let locked = self.crates.iter().filter(|locked| locked.name == name).map(|locked| &*locked.version);
        of_part.into_iter().chain(locked).collect()
    }

    fn part(&self, name: &str) -> Option<&Package> {
        self.workspace.parts().find(|part| part.name == name)
    }
}

impl Locked {
    /// Reads a line of `cargo tree`; `None` for members of the workspace and for repeated lines.
    fn read(line: &str) -> Option<Self> {
        let (package, features) = line.split_once('|')?;
        let (name, version) = package.split_once(" v")?;
        if version.contains(' ') || features.ends_with("(*)") {
            return None;
        }
        let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect();
        Some(Self { name: name.to_owned(), version: version.to_owned(), features })
    }
}

/// Returns whether both versions agree in the first number that is not 0 and in those before it.
fn is_compatible(requirement: &str, version: &str) -> bool {
    let pairs = requirement.trim_start_matches('^').split('.').zip(version.split('.'));
    for (required, found) in pairs {
        if required != found {
            return false;
        }
        if required != "0" {
            return true;
        }
    }
    true
}

/// Returns the crate that a line of a `[dependencies]` table is about.
fn name(line: &str) -> Option<&str> {
    line.split_once('=').map(|(name, _)| name.trim())
}

/// Returns the version that a line of a `[dependencies]` table requires; empty if there is none.
fn requirement(line: &str) -> &str {
    let (_, value) = line.split_once('=').unwrap_or_default();
    let table = || value.split_once("version").map_or("", |(_, after)| after);
    let quoted = if value.trim_start().starts_with('{') { table() } else { value };
    quoted.split('"').nth(1).unwrap_or_default()
}

/// Returns whether a `use` statement imports a module of this name from another crate.
fn imports_module(code: &str, module: &str) -> bool {
    let imports =
        code.split(';').filter_map(|statement| statement.rsplit_once("\nuse ").map(|(_, path)| path));
    imports.into_iter().any(|path| {
        let mut names = path.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        names.next() != Some(module) && names.any(|name| name == module)
    })
}

/// Returns whether the code has a path that begins like this. Inside of a `use` group, a path is not a crate's.
fn names_crate(code: &str, path: &str) -> bool {
    code.split(';').any(|statement| match statement.rfind("\nuse ").map(|at| &statement[at + 1..]) {
        Some(import) => import.starts_with(&format!("use {path}")),
        None => begins_path(statement, path),
    })
}

/// Returns whether the text has this path, and not as the end of a longer path or word.
fn begins_path(text: &str, path: &str) -> bool {
    let mut before = text.match_indices(path).map(|(at, _)| text[..at].chars().next_back());
    before.any(|c| c.is_none_or(|c| !(c.is_alphanumeric() || "_:".contains(c))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        let folder = "/w/crates/cache".into();
        let on = |name: &str, requirement: &str| crate::workspace::Dependency {
            name: name.to_owned(),
            requirement: requirement.to_owned(),
            ..Default::default()
        };
        let dependencies = vec![on("kube-client", "^5.0"), on("rand", "^0.9.2")];
        let (name, version) = ("trimtab-cache".to_owned(), "0.1.0".to_owned());
        let cache = Package { name, version, folder, dependencies, ..Package::default() };
        Workspace { root: "/w".into(), target: "/w/target".into(), packages: vec![cache] }
    }

    fn problems(example: &str, dependencies: &[&str]) -> Vec<String> {
        let workspace = workspace();
        let tree = "kube-client v5.0.0|client\ntokio v1.47.0|rt\nserde v1.0.219|alloc,derive\nserde v1.0.219|alloc,derive (*)\nk8s-openapi v0.29.0|std\n";
        let manifest = Manifest::new(&workspace, tree);
        let dependencies = dependencies.iter().map(ToString::to_string).collect();
        manifest.problems(&Readme { example: example.to_owned(), dependencies, names_rust: true })
    }

    #[test]
    fn a_complete_block_has_no_problems() {
        let block =
            ["trimtab-cache = \"0.1\"", "k8s-openapi = { version = \"0.29\", features = [\"latest\"] }"];
        assert_eq!(problems("use trimtab_cache::Store;\nfn main() {}\n", &block), [""; 0]);
    }

    #[test]
    fn a_crate_that_another_readme_brings_is_still_missing() {
        let found = problems("use serde::Deserialize;\nfn main() {}\n", &["tokio = \"1\""]);
        assert_eq!(found, ["uses serde, which is not in its `[dependencies]`"]);
        assert_eq!(problems("\nuse crate::serde::X;\n", &["tokio = \"1\""]), [""; 0]);
        assert_eq!(
            problems("use tokio::{X, serde};\nfn main() { serde::f() }\n", &["tokio = \"1\""]),
            [""; 0]
        );
        assert_eq!(
            problems("\nuse tokio::{serde::X, Y};\n", &["tokio = \"1\""]),
            [""; 0],
            "a module of tokio"
        );
    }

    #[test]
    fn a_missing_feature_is_found() {
        let found = problems(
            "#[tokio::main]\nasync fn main() {}\n",
            &["tokio = { version = \"1\", features = [\"macros\"] }"],
        );
        assert_eq!(found, ["uses `#[tokio::main]`, which needs tokio's feature \"rt-multi-thread\""]);
        assert_eq!(
            problems("", &["trimtab-cache = \"0.1\""]),
            ["needs k8s-openapi with a version feature, such as \"latest\""]
        );
    }

    #[test]
    fn a_cluster_needs_tls() {
        let connects = "#[test]\nfn f() { kube_client::Client::try_default(); }\n";
        let client = |features| format!("kube-client = {{ version = \"5.0\", features = [{features}] }}");
        let kubernetes = "k8s-openapi = { version = \"0.29\", features = [\"latest\"] }";
        let found = problems(connects, &[&client("\"client\""), kubernetes]);
        assert_eq!(found, ["connects to a cluster, which needs a TLS feature of kube-client"]);
        assert_eq!(problems(connects, &[&client("\"rustls-tls\""), kubernetes]), [""; 0]);
        let comment = "fn f() {} // or Client::try_default()\n";
        assert_eq!(problems(comment, &[&client("\"client\""), kubernetes]), [""; 0]);
    }

    #[test]
    fn another_version_than_that_of_the_workspace_is_found() {
        let found = problems("", &["tokio = \"2.1\""]);
        assert_eq!(found, ["depends on tokio 2.1; the workspace has 1.47.0"]);
        assert_eq!(problems("", &["tokio = { features = [], version = \"1.4\" }"]), [""; 0]);
    }

    #[test]
    fn an_unknown_crate_is_found() {
        assert_eq!(
            problems("", &["anyhow = \"1\""]),
            ["depends on anyhow, which the workspace does not have"]
        );
    }

    #[test]
    fn the_manifest_pins_crates_as_the_workspace_has_them() {
        let workspace = workspace();
        let manifest = Manifest::new(&workspace, "rand v0.10.0|std\nrand v0.9.2|std,thread_rng\n");
        let dependencies = vec!["trimtab-cache = \"0.1\"".to_owned()];
        let readme = Readme { dependencies, ..Readme::default() };
        let text = manifest.text(std::iter::once(("cache", &readme)));
        assert!(text.contains("trimtab-cache = { path = \"/w/crates/cache\", features = [] }"), "{text}");
        assert!(text.contains("pin-0 = { package = \"rand\", version = \"=0.10.0\""), "{text}");
        assert!(text.contains("\nrand = { package = \"rand\", version = \"=0.9.2\", default-features = false, features = [\"std\", \"thread_rng\"] }"), "{text}");
    }
}
