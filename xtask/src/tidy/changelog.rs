//! [`Changelog`]: the sections of a part's changelog, and the rules for them.

/// The text that every changelog opens with.
pub(crate) const OPENING: &str = "# Changelog\n\nThe format is [Keep a Changelog](https://keepachangelog.com/en/1.1.0/), \
                                  and versions follow\n[Semantic Versioning](https://semver.org/spec/v2.0.0.html).\n\n## Unreleased\n";

/// A changelog, split at its version headings.
#[derive(Debug)]
pub(crate) struct Changelog<'a> {
    text: &'a str,
}

impl<'a> Changelog<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text }
    }

    /// Returns the problem of the text before the first entry.
    pub(super) fn problem(&self) -> Option<&'static str> {
        (!self.text.starts_with(OPENING)).then_some("does not open with the text that all changelogs share")
    }

    /// Returns the entries below `## Unreleased`.
    pub(crate) fn unreleased(&self) -> &'a str {
        let below = self.text.split_once("\n## Unreleased\n").map_or("", |(_, below)| below);
        below.split("\n## ").next().unwrap_or_default().trim()
    }

    /// Returns the released versions, newest first.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &'a str> {
        let headings = self.text.lines().filter_map(|line| line.strip_prefix("## "));
        headings.filter(|heading| *heading != "Unreleased").filter_map(|heading| heading.split(' ').next())
    }

    /// Returns the text with the unreleased entries below a heading of their own.
    pub(crate) fn released(&self, version: &str, date: &str) -> String {
        let heading = format!("\n## Unreleased\n\n## {version} - {date}\n");
        self.text.replacen("\n## Unreleased\n", &heading, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unreleased_entries_get_a_heading_with_version_and_date() {
        let text = format!("{OPENING}\n### Added\n\n- A queue.\n\n## 0.1.0 - 2026-01-02\n\n- All.\n");
        let log = Changelog::new(&text);
        assert_eq!(log.unreleased(), "### Added\n\n- A queue.");
        assert_eq!(log.versions().collect::<Vec<_>>(), ["0.1.0"]);
        let released = log.released("0.2.0", "2026-03-04");
        let log = Changelog::new(&released);
        assert_eq!(log.versions().collect::<Vec<_>>(), ["0.2.0", "0.1.0"]);
        assert_eq!((log.unreleased(), log.problem()), ("", None));
    }

    #[test]
    fn a_changelog_with_another_opening_is_found() {
        assert!(Changelog::new("# Changelog\n\nAll changes.\n\n## Unreleased\n").problem().is_some());
    }
}
