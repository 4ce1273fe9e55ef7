//! Rules for one part: its files exist and agree with each other.

use super::changelog::Changelog;
use super::finding::Finding;
use crate::workspace::Package;

/// The files of one part's folder.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Relative to the workspace's root: `crates/workqueue`.
    pub(super) folder: String,
    pub(super) manifest: String,
    pub(super) lib: String,
    pub(super) readme: Option<String>,
    pub(super) changelog: Option<String>,
    pub(super) licence: Option<String>,
    pub(super) has_tests: bool,
}

/// `licence` is the text of the workspace's licence file.
pub(super) fn check(texts: &Texts, package: &Package, licence: &str) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut report = |name: &str, problem: String| {
        found.push(Finding::new(&format!("{}/{name}", texts.folder), 0, problem))
    };

    match &texts.readme {
        None => report("README.md", "is missing".to_owned()),
        Some(readme) => {
            if !same_example(readme, &texts.lib) {
                report("README.md", "its first example differs from that of src/lib.rs".to_owned());
            }
            if !texts.lib.contains("include_str!(\"../README.md\")") {
                report(
                    "src/lib.rs",
                    "README.md is not compiled: include it under `#[cfg(doctest)]`".to_owned(),
                );
            }
        }
    }
    match &texts.changelog {
        None => report("CHANGELOG.md", "is missing".to_owned()),
        Some(log) => {
            if let Some(problem) = Changelog::new(log).problem() {
                report("CHANGELOG.md", problem.to_owned());
            }
        }
    }
    if texts.licence.as_deref() != Some(licence) {
        report("LICENSE", "is missing or differs from that of the workspace: copy it".to_owned());
    }
    if !texts.has_tests {
        report("tests", "is missing: guarantees are tested through the public API".to_owned());
    }
    if !inherits_lints(&texts.manifest) {
        report("Cargo.toml", "does not inherit the workspace's lints".to_owned());
    }
    if package.name != format!("trimtab-{}", package.part()) {
        report("Cargo.toml", format!("is named {}, not trimtab-{}", package.name, package.part()));
    }
    for field in &package.unfilled {
        report("Cargo.toml", format!("`{field}` is empty, and a registry shows it"));
    }
    found
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines.next() == Some("workspace = true")
}

/// Returns whether both have the same first example. `src/lib.rs` may hide lines behind `#`; the README shows them.
fn same_example(readme: &str, lib: &str) -> bool {
    let docs = lib.lines().map_while(|line| line.strip_prefix("//!"));
    let of_lib = first_example(docs);
    !of_lib.is_empty() && of_lib == first_example(readme.lines())
}

/// Returns the lines of the first Rust block, without indentation, blank lines and the `#` of hidden lines.
fn first_example<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut lines = lines.map(str::trim);
    while let Some(opening) = lines.find(|line| line.starts_with("```")) {
        let block: Vec<_> = lines.by_ref().take_while(|line| !line.starts_with("```")).collect();
        if opens_rust(opening) {
            let shown = block.into_iter().map(|line| line.strip_prefix("# ").unwrap_or(line).trim());
            return without_main(shown.filter(|line| !matches!(*line, "" | "#")).collect());
        }
    }
    Vec::new()
}

/// Removes a plain `fn main() {` and its end: rustdoc adds them to an example, and a README shows them.
fn without_main(mut lines: Vec<&str>) -> Vec<&str> {
    if let Some(main) = lines.iter().position(|line| *line == "fn main() {")
        && let Some(end) = lines.iter().rposition(|line| *line == "}")
    {
        lines.remove(end);
        lines.remove(main);
    }
    lines
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

    const LICENCE: &str = "Apache License\n";

    fn texts() -> Texts {
        Texts {
            folder: "crates/queue".to_owned(),
            manifest: "[package]\n\n[lints]\nworkspace = true\n".to_owned(),
            lib: LIB.to_owned(),
            readme: Some(README.to_owned()),
            changelog: Some(crate::tidy::changelog::OPENING.to_owned()),
            licence: Some(LICENCE.to_owned()),
            has_tests: true,
        }
    }

    fn package() -> Package {
        let (name, folder) = ("trimtab-queue".to_owned(), "/w/crates/queue".into());
        Package { name, folder, published: true, ..Package::default() }
    }

    fn files(texts: &Texts) -> Vec<String> {
        check(texts, &package(), LICENCE).into_iter().map(|finding| finding.file).collect()
    }

    #[test]
    fn a_tidy_part_has_no_findings() {
        assert_eq!(check(&texts(), &package(), LICENCE), []);
    }

    #[test]
    fn missing_files_are_named() {
        let bare = Texts { readme: None, changelog: None, licence: None, has_tests: false, ..texts() };
        let expected =
            ["README.md", "CHANGELOG.md", "LICENSE", "tests"].map(|file| format!("crates/queue/{file}"));
        assert_eq!(files(&bare), expected);
    }

    #[test]
    fn rustdoc_adds_a_plain_main_function() {
        let without =
            Texts { lib: LIB.replace("//! # fn main() {\n", "").replace("//! # }\n", ""), ..texts() };
        assert_eq!(check(&without, &package(), LICENCE), []);
    }

    #[test]
    fn a_different_example_is_found() {
        let other = Texts { readme: Some(README.replace("= 1;", "= 2;")), ..texts() };
        assert_eq!(files(&other), ["crates/queue/README.md"]);
        let none = Texts { readme: Some("# queue\n".to_owned()), ..texts() };
        assert_eq!(files(&none), ["crates/queue/README.md"]);
    }

    #[test]
    fn a_readme_that_is_not_compiled_is_found() {
        let uncompiled = Texts { lib: LIB.replace("include_str!", "text!"), ..texts() };
        assert_eq!(files(&uncompiled), ["crates/queue/src/lib.rs"]);
    }

    #[test]
    fn a_changelog_without_the_shared_opening_is_found() {
        let closed = Texts { changelog: Some("# Changelog\n\n## 0.1.0\n".to_owned()), ..texts() };
        assert_eq!(files(&closed), ["crates/queue/CHANGELOG.md"]);
    }

    #[test]
    fn lints_that_are_not_inherited_are_found() {
        let own = Texts {
            manifest: "[lints]\nrust.unsafe_code = \"allow\"\nworkspace = true\n".to_owned(),
            ..texts()
        };
        assert_eq!(files(&own), ["crates/queue/Cargo.toml"]);
    }

    #[test]
    fn a_name_unlike_the_folder_and_an_empty_field_are_found() {
        let odd = Package { name: "queue".to_owned(), unfilled: vec!["keywords"], ..package() };
        assert_eq!(check(&texts(), &odd, LICENCE).len(), 2);
    }
}
