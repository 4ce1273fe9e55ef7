//! [`Candidacy`]: the versions of a candidate in a coordinated election.

/// The versions of a candidate, by which the API server picks the leader (KEP-4355).
///
/// The candidate with the lowest emulation version leads; among equals the one with the lowest binary
/// version; among equals the oldest. Versions have three numbers and no leading `v`: `1.37.0`.
///
/// ```
/// use trimtab_leaderelection::Candidacy;
///
/// let candidacy = Candidacy::new("1.37.0").emulation_version("1.36.0");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidacy {
    pub(crate) binary_version: String,
    pub(crate) emulation_version: String,
}

impl Candidacy {
    /// Creates a candidate of this version that also behaves like this version.
    pub fn new(binary_version: impl Into<String>) -> Self {
        let binary_version = binary_version.into();
        Self { emulation_version: binary_version.clone(), binary_version }
    }

    /// Sets the earlier version that the candidate behaves like.
    ///
    /// Default: the binary version.
    pub fn emulation_version(mut self, version: impl Into<String>) -> Self {
        self.emulation_version = version.into();
        self
    }

    /// Returns the reason why the API server would refuse it.
    pub(crate) fn problem(&self) -> Option<String> {
        let Self { binary_version, emulation_version } = self;
        for version in [binary_version, emulation_version] {
            if numbers(version).is_none() {
                return Some(format!("with version {version:?}, which is not of the form 1.2.3"));
            }
        }
        (numbers(emulation_version) > numbers(binary_version))
            .then(|| format!("emulates {emulation_version}, which is later than its own {binary_version}"))
    }
}

/// Major, minor and patch. A suffix (`-rc.1`, `+abc`) is left to the server.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let release = version.split(['-', '+']).next()?;
    let numbers: Option<Vec<u64>> = release.split('.').map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_three_numbers_and_none_emulates_what_is_later() {
        for version in ["1.37.0", "0.1.0", "1.37.0-rc.1", "1.37.0+k3s1"] {
            assert_eq!(Candidacy::new(version).problem(), None, "{version}");
        }
        for version in ["", "1", "1.37", "v1.37.0", "1.37.0.1", "1.x.0", "1.-3.0"] {
            assert!(Candidacy::new(version).problem().is_some(), "{version}");
        }
        let emulating = |version| Candidacy::new("1.10.0").emulation_version(version).problem();
        assert_eq!(emulating("1.9.0"), None);
        assert_eq!(
            emulating("1.11.0").as_deref(),
            Some("emulates 1.11.0, which is later than its own 1.10.0")
        );
        assert_eq!(emulating("1.9").as_deref(), Some("with version \"1.9\", which is not of the form 1.2.3"));
    }
}
