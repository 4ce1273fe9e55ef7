//! [`Checks`]: the conditions of a part's release.

use crate::failure::{Failure, While};
use crate::tidy::{Changelog, brings_kubernetes};
use crate::workspace::{Package, Workspace};

/// The facts about a part that the checks compare.
#[derive(Debug, Default)]
pub(super) struct Checks {
    pub(super) changelog: String,
    /// The version that other packages of the workspace require.
    required: Option<String>,
    /// Whether Kubernetes' types are among the dependencies.
    kubernetes: bool,
}

/// The effect of a new version on users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bump {
    First,
    Patch,
    Minor,
    Breaking,
    /// The version is not newer than the last release.
    None,
}

impl Checks {
    pub(super) fn read(workspace: &Workspace, part: &Package) -> Result<Self, Failure> {
        let path = part.folder.join("CHANGELOG.md");
        let changelog = std::fs::read_to_string(&path).doing(path.display())?;
        let all = workspace.packages.iter().flat_map(|package| &package.dependencies);
        let mut required = all.filter(|dependency| dependency.name == part.name && !dependency.dev);
        let required =
            required.next().map(|dependency| dependency.requirement.trim_start_matches('^').to_owned());
        let kubernetes = brings_kubernetes(&part.name, &workspace.packages);
        Ok(Self { changelog, required, kubernetes })
    }

    pub(super) fn problems(&self, part: &Package) -> Vec<String> {
        let mut problems = Vec::new();
        let log = Changelog::new(&self.changelog);
        let entries = log.unreleased();
        if entries.is_empty() {
            problems.push("the changelog has no entries under Unreleased".to_owned());
        }
        match self.bump(&part.version) {
            Bump::None => {
                problems.push(format!("version {} is not newer than the last release", part.version))
            }
            Bump::Patch | Bump::Minor if is_breaking(entries) => {
                problems.push(format!(
                    "the changelog names a breaking change, which {} does not announce",
                    part.version
                ));
            }
            _ => {}
        }
        if let Some(required) = self.required.as_ref().filter(|required| **required != part.version) {
            let version = &part.version;
            problems
                .push(format!("the manifest says {version}, the workspace's dependency on it {required}"));
        }
        let shown = &part.docs_features;
        if self.kubernetes && !shown.iter().any(|feature| feature == "k8s-openapi/latest") {
            problems.push("docs.rs needs the feature k8s-openapi/latest".to_owned());
        }
        let public =
            part.features.iter().filter(|name| *name != "default" && !part.bin_features.contains(name));
        for hidden in public.filter(|name| !shown.contains(name)) {
            problems.push(format!(
                "docs.rs does not show the feature {hidden}: add it to package.metadata.docs.rs"
            ));
        }
        problems
    }

    /// Checks that the part has this version.
    ///
    /// # Errors
    ///
    /// If the manifest or the newest heading of the changelog has another one.
    pub(super) fn tagged(&self, part: &Package, version: &str) -> Result<(), Failure> {
        let newest = Changelog::new(&self.changelog).versions().next().unwrap_or("none");
        if part.version == version && newest == version {
            return Ok(());
        }
        let manifest = &part.version;
        Err(Failure::new(format!(
            "the tag says {version}, the manifest {manifest}, the newest heading of the changelog {newest}"
        )))
    }

    /// Describes the version for the reader who decides about it.
    pub(super) fn semver_note(&self, version: &str) -> &'static str {
        match self.bump(version) {
            Bump::First => "the first release",
            Bump::Patch => "a patch: no new items, no changed ones",
            Bump::Minor => "a minor release: new items, none changed",
            Bump::Breaking => "a breaking release",
            Bump::None => "no release",
        }
    }

    fn bump(&self, version: &str) -> Bump {
        let Some(last) = Changelog::new(&self.changelog).versions().next() else { return Bump::First };
        let [old, new] = [last, version].map(numbers);
        let is_zero = new[0] == 0;
        match () {
            () if new <= old => Bump::None,
            () if new[0] > old[0] || (is_zero && new[1] > old[1]) => Bump::Breaking,
            () if new[1] > old[1] => Bump::Minor,
            // Before 1.0, a patch may bring new items.
            () if is_zero => Bump::Minor,
            () => Bump::Patch,
        }
    }
}

/// Returns whether the entries have a heading or a line for breaking changes.
fn is_breaking(entries: &str) -> bool {
    entries.lines().any(|line| {
        line.starts_with("### Removed") || line.starts_with("### Breaking") || line.contains("**Breaking**")
    })
}

fn numbers(version: &str) -> [u64; 3] {
    let mut parts = version.split(['.', '-', '+']).map(|number| number.parse().unwrap_or(0));
    std::array::from_fn(|_| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(log: &str) -> Checks {
        let changelog = format!("# Changelog\n\n## Unreleased\n\n{log}");
        Checks { changelog, required: Some("0.2.0".to_owned()), kubernetes: false }
    }

    fn part() -> Package {
        Package { name: "trimtab-queue".to_owned(), version: "0.2.0".to_owned(), ..Package::default() }
    }

    #[test]
    fn a_part_that_is_ready_has_no_problems() {
        assert_eq!(checks("- A queue.\n").problems(&part()), [""; 0]);
        assert_eq!(checks("### Removed\n\n- `X`.\n\n## 0.1.9 - 2026-01-01\n").problems(&part()), [""; 0]);
    }

    #[test]
    fn missing_entries_and_old_versions_are_found() {
        assert_eq!(checks("").problems(&part()), ["the changelog has no entries under Unreleased"]);
        let released = checks("- A queue.\n\n## 0.2.0 - 2026-01-01\n").problems(&part());
        assert_eq!(released, ["version 0.2.0 is not newer than the last release"]);
        let other = Package { version: "0.2.1".to_owned(), ..part() };
        assert_eq!(checks("- A queue.\n").problems(&other).len(), 1, "the workspace requires 0.2.0");
    }

    #[test]
    fn a_breaking_change_needs_a_breaking_version() {
        let log = "### Removed\n\n- `X`.\n\n## 0.2.0 - 2026-01-01\n";
        let patch = Package { version: "0.2.1".to_owned(), ..part() };
        let ready = Checks { required: None, ..checks(log) };
        assert_eq!(ready.problems(&patch).len(), 1);
        let minor = Package { version: "0.3.0".to_owned(), ..part() };
        assert_eq!(ready.problems(&minor), [""; 0]);
        assert_eq!(ready.semver_note("0.3.0"), "a breaking release");
    }

    #[test]
    fn a_tag_needs_the_version_of_manifest_and_changelog() {
        let released = checks("## 0.2.0 - 2026-01-01\n\n- A queue.\n");
        assert!(released.tagged(&part(), "0.2.0").is_ok());
        assert!(released.tagged(&part(), "0.2.1").is_err());
        assert!(checks("- A queue.\n").tagged(&part(), "0.2.0").is_err(), "there is no heading yet");
    }

    #[test]
    fn features_that_docs_rs_does_not_show_are_found() {
        let ready = Checks { kubernetes: true, ..checks("- A queue.\n") };
        let features = ["default", "program", "tls"].map(str::to_owned).to_vec();
        let bare = Package { features, bin_features: vec!["program".to_owned()], ..part() };
        assert_eq!(ready.problems(&bare).len(), 2, "k8s-openapi/latest and tls");
        let shown =
            Package { docs_features: vec!["k8s-openapi/latest".to_owned(), "tls".to_owned()], ..bare };
        assert_eq!(ready.problems(&shown), [""; 0]);
    }
}
