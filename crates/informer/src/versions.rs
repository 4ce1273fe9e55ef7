//! [`Versions`]: how new a store is that is fed from several sources, each at a version of its own. A plain
//! value.
//!
//! The versions of one resource are ordered over all namespaces; so the store holds everything up to the
//! least of them, and perhaps more.

use trimtab_cache::ResourceVersion;

#[derive(Debug)]
pub(crate) struct Versions {
    /// One for each source; `None` until it was listed, and where it cannot be compared.
    held: Vec<Option<ResourceVersion>>,
    least: Option<ResourceVersion>,
}

impl Versions {
    pub(crate) fn new(sources: usize) -> Self {
        Self { held: vec![None; sources], least: None }
    }

    /// Notes the version of a source. Returns the store's, if that has changed and is known.
    pub(crate) fn note(&mut self, source: usize, version: &str) -> Option<ResourceVersion> {
        let new = version.parse().ok();
        let before = std::mem::replace(&mut self.held[source], new);
        if self.least.is_some() && before != self.least && new >= self.least {
            return None; // another is the least, and stays it
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
    fn the_store_is_as_new_as_the_source_that_lags_most() {
        let mut versions = Versions::new(3);
        for (source, version, expected) in [
            (0, "10", None),
            (1, "12", None),
            (0, "20", None),
            (2, "15", Some("12")), // all are known now
            (0, "30", None),
            (1, "13", Some("13")),
            (1, "40", Some("15")),
            (2, "40", Some("30")),
            (2, "40", None),
            (2, "9", Some("9")), // back in time: a server that was restored
        ] {
            let told = versions.note(source, version).map(|version| version.to_string());
            assert_eq!(told.as_deref(), expected, "{source} {version}");
        }
    }

    #[test]
    fn versions_that_cannot_be_compared_leave_the_store_where_it_was() {
        let mut versions = Versions::new(2);
        versions.note(0, "10");
        assert_eq!(versions.note(1, "opaque"), None);
        assert_eq!(versions.note(1, "11").map(|version| version.to_string()).as_deref(), Some("10"));
    }
}
