//! [`Versions`]: the version of a store with several sources, each at a version of its own. A plain value.
//!
//! The versions of one resource are ordered across all namespaces. So the store holds every change up to the
//! lowest version of its sources, and perhaps some later changes.

use trimtab_cache::ResourceVersion;

#[derive(Debug)]
pub(crate) struct Versions {
    /// One for each source; `None` before its first list, and if its version cannot be compared.
    held: Vec<Option<ResourceVersion>>,
    least: Option<ResourceVersion>,
}

impl Versions {
    pub(crate) fn new(sources: usize) -> Self {
        Self { held: vec![None; sources], least: None }
    }

    /// Records the version of a source. Returns the store's version if it has changed and is known.
    pub(crate) fn note(&mut self, source: usize, version: &str) -> Option<ResourceVersion> {
        let new = version.parse().ok();
        let before = std::mem::replace(&mut self.held[source], new);
        if self.least.is_some() && before != self.least && new >= self.least {
            return None; // another source still has the lowest version
        }
        let least = self.held.iter().copied().collect::<Option<Vec<_>>>()?.into_iter().min();
        if least == self.least {
            return None;
        }
        self.least = least;
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_has_the_lowest_version_of_its_sources() {
        let mut versions = Versions::new(3);
        for (source, version, expected) in [
            (0, "10", None),
            (1, "12", None),
            (0, "20", None),
            (2, "15", Some("12")), // now all are known
            (0, "30", None),
            (1, "13", Some("13")),
            (1, "40", Some("15")),
            (2, "40", Some("30")),
            (2, "40", None),
            (2, "9", Some("9")), // back in time: a server that was restored
        ] {
            let new = versions.note(source, version).map(|version| version.to_string());
            assert_eq!(new.as_deref(), expected, "{source} {version}");
        }
    }

    #[test]
    fn versions_that_cannot_be_compared_do_not_change_the_version_of_the_store() {
        let mut versions = Versions::new(2);
        versions.note(0, "10");
        assert_eq!(versions.note(1, "opaque"), None);
        assert_eq!(versions.note(1, "11").map(|version| version.to_string()).as_deref(), Some("10"));
    }
}
