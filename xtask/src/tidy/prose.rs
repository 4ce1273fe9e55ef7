//! Rules for one Markdown file: its links lead to files, and its versions are those of the manifests.

use super::finding::Finding;
use crate::workspace::Package;

/// `exists` returns whether a link's path, relative to the file's folder, exists.
pub(super) fn check(
    file: &str,
    text: &str,
    packages: &[Package],
    exists: impl Fn(&str) -> bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let broken = links(line).filter(|link| !exists(link));
            found
                .extend(broken.map(|link| {
                    Finding::new(file, number, format!("links to {link}, which does not exist"))
                }));
        }
        // A changelog names old versions.
        if !file.ends_with("CHANGELOG.md") {
            let stale = packages
                .iter()
                .filter_map(|package| stale_version(line, package))
                .chain(stale_rust(line, packages));
            found.extend(stale.map(|problem| Finding::new(file, number, problem)));
        }
    }
    found
}

/// Checks that an overview names every part.
pub(super) fn check_parts_named<'a>(
    file: &str,
    text: &str,
    parts: impl Iterator<Item = &'a Package>,
) -> Vec<Finding> {
    parts
        .filter(|package| !text.contains(package.part()))
        .map(|package| Finding::new(file, 0, format!("does not name the part {}", package.part())))
        .collect()
}

/// Returns the paths of a line's links. Links to other sites and within the page are left out.
pub(super) fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split([')', ' ']).next()?;
        let path = target.split('#').next()?;
        let outside = target.contains("://") || target.starts_with("mailto:");
        (!outside && !path.is_empty()).then_some(path)
    })
}

/// Returns the problem of a version of `package`, as in `name = "0.1"`.
fn stale_version(line: &str, package: &Package) -> Option<String> {
    let asked = version_of(line, &package.name)?;
    let fits = package.version == asked || package.version.starts_with(&format!("{asked}."));
    (!fits).then(|| format!("names {} {asked}, the manifest says {}", package.name, package.version))
}

/// Returns the problem of a Rust version, as in `Rust 1.89`.
fn stale_rust(line: &str, packages: &[Package]) -> Option<String> {
    let declared = packages.first()?.rust_version.as_deref()?;
    let (_, rest) = line.split_once("Rust 1.")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let asked = format!("1.{}", &rest[..digits]);
    (asked != declared).then(|| format!("names Rust {asked}, the manifests say {declared}"))
}

/// Returns the version in a dependency line of `name`, written as a string or as a table.
fn version_of<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.trim_start().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim_start();
    let rest = if rest.starts_with('{') {
        rest.split_once("version")?.1.trim_start().strip_prefix('=')?
    } else {
        rest
    };
    rest.trim_start().strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> [Package; 1] {
        let (name, version, folder) =
            ("trimtab-queue".to_owned(), "0.2.1".to_owned(), "/w/crates/queue".into());
        let rust_version = Some("1.89".to_owned());
        [Package { name, version, rust_version, folder, ..Package::default() }]
    }

    fn lines(text: &str) -> Vec<usize> {
        check("docs/a.md", text, &packages(), |link| link == "there.md")
            .iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn a_link_to_a_missing_file_is_found() {
        assert_eq!(lines("[a](there.md)\n[b](gone.md#part)\n"), [2]);
        assert_eq!(lines("[a](there.md#part), [b](gone.md \"title\")\n"), [1]);
    }

    #[test]
    fn links_to_other_sites_within_the_page_and_in_code_are_ignored() {
        assert_eq!(
            lines(
                "[a](https://example.org/x) [b](#here) [c](mailto:a@example.org)\n```\n[d](gone.md)\n```\n"
            ),
            [0; 0]
        );
    }

    #[test]
    fn a_version_older_than_the_manifest_is_found() {
        assert_eq!(lines("```toml\ntrimtab-queue = \"0.1\"\n```\n"), [2]);
        assert_eq!(lines("trimtab-queue = { version = \"0.1.0\", features = [] }\n"), [1]);
        assert_eq!(lines("trimtab-queue = \"0.2\"\ntrimtab-queue = { version = \"0.2.1\" }\n"), [0; 0]);
    }

    #[test]
    fn a_rust_version_other_than_the_declared_one_is_found() {
        assert_eq!(lines("Needs Rust 1.88 or later.\nNeeds Rust 1.89.\n"), [1]);
    }

    #[test]
    fn a_changelog_may_name_old_versions() {
        let text = "trimtab-queue = \"0.1\"\n";
        assert_eq!(check("CHANGELOG.md", text, &packages(), |_| true), []);
    }

    #[test]
    fn an_overview_without_a_part_is_found() {
        assert_eq!(check_parts_named("README.md", "the cache", packages().iter()).len(), 1);
        assert_eq!(check_parts_named("README.md", "the queue", packages().iter()), []);
    }
}
