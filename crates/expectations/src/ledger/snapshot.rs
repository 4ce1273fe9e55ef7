//! [`Snapshot`]: the versions that a process has written and seen, to be carried over a restart.

use std::{error, fmt, str::FromStr};

/// The highest version of each resource that a process has written or its cache has shown.
///
/// Its text form, such as `pods=1207,replicasets.apps=1199`, fits an annotation of the Lease. A process that
/// [restores](crate::Ledger::restore) it acts only once its caches are at least as new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<R, V>(Vec<(R, V)>);

impl<R, V> Snapshot<R, V> {
    /// Returns the resources with their versions.
    pub fn iter(&self) -> impl Iterator<Item = (&R, &V)> {
        self.0.iter().map(|(resource, version)| (resource, version))
    }

    /// Returns whether the snapshot names no resource.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<R, V> FromIterator<(R, V)> for Snapshot<R, V> {
    fn from_iter<I: IntoIterator<Item = (R, V)>>(versions: I) -> Self {
        Self(versions.into_iter().collect())
    }
}

impl<R, V> IntoIterator for Snapshot<R, V> {
    type Item = (R, V);
    type IntoIter = std::vec::IntoIter<(R, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<R: fmt::Display, V: fmt::Display> fmt::Display for Snapshot<R, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (resource, version)) in self.0.iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            write!(f, "{comma}{resource}={version}")?;
        }
        Ok(())
    }
}

/// A text that is no [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseSnapshotError(String);

impl fmt::Display for ParseSnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} in a version snapshot is not of the form resource=version", self.0)
    }
}

impl error::Error for ParseSnapshotError {}

impl<R: FromStr, V: FromStr> FromStr for Snapshot<R, V> {
    type Err = ParseSnapshotError;

    fn from_str(text: &str) -> Result<Self, ParseSnapshotError> {
        let pair = |pair: &str| {
            let (resource, version) = pair.rsplit_once('=')?;
            Some((resource.parse().ok()?, version.parse().ok()?))
        };
        let pairs = text.split(',').filter(|text| !text.is_empty());
        pairs.map(|text| pair(text).ok_or_else(|| ParseSnapshotError(text.to_owned()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_survives_its_text_form() {
        let snapshot: Snapshot<String, u64> =
            [("pods".into(), 1207), ("sets".into(), 9)].into_iter().collect();
        assert_eq!(snapshot.to_string(), "pods=1207,sets=9");
        assert_eq!("pods=1207,sets=9".parse(), Ok(snapshot));
        assert_eq!("".parse(), Ok(Snapshot::<String, u64>(Vec::new())));
    }

    #[test]
    fn a_text_that_is_no_snapshot_is_refused_with_the_part_that_is_wrong() {
        for (text, wrong) in [("pods=7,sets", "sets"), ("pods=many", "pods=many"), ("=", "=")] {
            let error = text.parse::<Snapshot<String, u64>>().expect_err("no snapshot");
            assert_eq!(
                error.to_string(),
                format!("{wrong:?} in a version snapshot is not of the form resource=version")
            );
        }
    }
}
