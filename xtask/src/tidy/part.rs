//! Rules for one part: the files that it must have, and how they agree.

use super::Finding;
use crate::workspace::Package;

/// What the rules read of one part's folder.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// From the workspace's root: `crates/workqueue`.
    pub(super) folder: String,
    pub(super) manifest: String,
    pub(super) lib: String,
    pub(super) readme: Option<String>,
    pub(super) changelog: Option<String>,
    pub(super) has_tests: bool,
}

pub(super) fn check(texts: &Texts, package: &Package) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut tell =
        |name: &str, what: String| found.push(Finding::new(&format!("{}/{name}", texts.folder), 0, what));

    match &texts.readme {
        None => tell("README.md", "is missing".to_owned()),
        Some(readme) => {
            if !same_example(readme, &texts.lib) {
                tell("README.md", "its first example is not that of src/lib.rs".to_owned());
            }
            if !texts.lib.contains("include_str!(\"../README.md\")") {
                tell(
                    "src/lib.rs",
                    "README.md is not compiled: include it under `#[cfg(doctest)]`".to_owned(),
                );
            }
        }
    }
    match &texts.changelog {
        None => tell("CHANGELOG.md", "is missing".to_owned()),
        Some(log) => {
            if !log.lines().any(|line| matches!(line.trim(), "## Unreleased" | "## [Unreleased]")) {
                tell("CHANGELOG.md", "has no `## Unreleased` heading".to_owned());
            }
        }
    }
    if !texts.has_tests {
        tell("tests", "is missing: a promise is tested through the public API".to_owned());
    }
    if !inherits_lints(&texts.manifest) {
        tell("Cargo.toml", "does not inherit the workspace's lints".to_owned());
    }
    if package.name != format!("trimtab-{}", package.part()) {
        tell("Cargo.toml", format!("is named {}, not trimtab-{}", package.name, package.part()));
    }
    for field in &package.unfilled {
        tell("Cargo.toml", format!("`{field}` is empty, and a registry shows it"));
    }
    found
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.next() == Some("workspace = true")
}

/// Whether the first example of both is the same; a README may show what rustdoc hides behind `#`.
fn same_example(readme: &str, lib: &str) -> bool {
    let docs = lib.lines().map_while(|line| line.strip_prefix("//!"));
    let of_lib = first_example(docs);
    !of_lib.is_empty() && of_lib == first_example(readme.lines())
}

/// The lines of the first Rust block, without indentation, blank lines and the mark of hidden lines.
fn first_example<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut lines = lines.map(str::trim);
    while let Some(opening) = lines.find(|line| line.starts_with("```")) {
        let block: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        if opens_rust(opening) {
            let shown = block.into_iter().map(|line| line.strip_prefix("# ").unwrap_or(line).trim());
            return shown.filter(|line| !matches!(*line, "" | "#")).collect();
        }
    }
    Vec::new()
}

fn opens_rust(line: &str) -> bool {
    let rust = ["", "rust", "no_run", "should_panic", "compile_fail"];
    line.strip_prefix("```").is_some_and(|info| info.split(',').all(|word| rust.contains(&word.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "//! A queue.\n//!\n//! ```\n//! # fn main() {\n//! let queue = 1;\n//! # }\n//! ```\n\
                       #[doc = include_str!(\"../README.md\")]\nstruct Readme;\n";
    const README: &str =
        "# queue\n\n```toml\nqueue = \"1\"\n```\n\n```rust\nfn main() {\n    let queue = 1;\n}\n```\n";

    fn texts() -> Texts {
        Texts {
            folder: "crates/queue".to_owned(),
            manifest: "[package]\n\n[lints]\nworkspace = true\n".to_owned(),
            lib: LIB.to_owned(),
            readme: Some(README.to_owned()),
            changelog: Some("# Changelog\n\n## Unreleased\n".to_owned()),
            has_tests: true,
        }
    }

    fn package() -> Package {
        let (name, folder) = ("trimtab-queue".to_owned(), "/w/crates/queue".into());
        Package { name, folder, published: true, ..Package::default() }
    }

    fn files(texts: &Texts) -> Vec<String> {
        check(texts, &package()).into_iter().map(|finding| finding.file).collect()
    }

    #[test]
    fn a_tidy_part_yields_nothing() {
        assert_eq!(check(&texts(), &package()), []);
    }

    #[test]
    fn missing_files_are_named() {
        let bare = Texts { readme: None, changelog: None, has_tests: false, ..texts() };
        assert_eq!(
            files(&bare),
            ["crates/queue/README.md", "crates/queue/CHANGELOG.md", "crates/queue/tests"]
        );
    }

    #[test]
    fn an_example_that_went_its_own_way_is_found() {
        let other = Texts { readme: Some(README.replace("= 1;", "= 2;")), ..texts() };
        assert_eq!(files(&other), ["crates/queue/README.md"]);
        let none = Texts { readme: Some("# queue\n".to_owned()), ..texts() };
        assert_eq!(files(&none), ["crates/queue/README.md"]);
    }

    #[test]
    fn a_readme_that_nobody_compiles_is_found() {
        let uncompiled = Texts { lib: LIB.replace("include_str!", "text!"), ..texts() };
        assert_eq!(files(&uncompiled), ["crates/queue/src/lib.rs"]);
    }

    #[test]
    fn a_changelog_needs_a_place_for_what_comes() {
        let closed = Texts { changelog: Some("# Changelog\n\n## 0.1.0\n".to_owned()), ..texts() };
        assert_eq!(files(&closed), ["crates/queue/CHANGELOG.md"]);
    }

    #[test]
    fn lints_of_its_own_are_found() {
        let own = Texts {
            manifest: "[lints]\nrust.unsafe_code = \"allow\"\nworkspace = true\n".to_owned(),
            ..texts()
        };
        assert_eq!(files(&own), ["crates/queue/Cargo.toml"]);
    }

    #[test]
    fn a_name_beside_the_folder_and_an_empty_field_are_found() {
        let odd = Package { name: "queue".to_owned(), unfilled: vec!["keywords"], ..package() };
        assert_eq!(check(&texts(), &odd).len(), 2);
    }
}
