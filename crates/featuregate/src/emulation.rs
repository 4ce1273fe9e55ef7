//! Emulation of older versions: it decides which gates exist, their defaults and their locks.

use std::sync::Arc;

use crate::{
    error::SetError,
    registry::{FeatureGates, wake},
    spec::Versions,
    version::Version,
};

impl FeatureGates {
    /// Returns the version of the binary.
    pub fn binary_version(&self) -> Version {
        self.scoped().lock().state.binary
    }

    /// Returns the emulation version.
    pub fn emulation_version(&self) -> Version {
        self.scoped().lock().state.versions.emulation
    }

    /// Returns the oldest version that this component may have to be compatible with.
    pub fn min_compatibility_version(&self) -> Version {
        self.scoped().lock().state.versions.min_compatibility
    }

    /// Emulates `version`, with the minor version before it as the min compatibility version. Gates then
    /// exist, have defaults and are locked as at that version.
    ///
    /// A gate that was read before and changes its value is logged.
    ///
    /// # Errors
    ///
    /// If a requested value is not valid at that version, if the version is newer than the binary's, or if
    /// the gates are frozen. Nothing has changed then.
    pub fn set_emulation_version(&self, version: Version) -> Result<(), SetError> {
        self.set_versions(version, version.previous_minor())
    }

    /// Emulates `emulation`, with `min_compatibility` as the min compatibility version.
    ///
    /// # Errors
    ///
    /// As [`set_emulation_version`](Self::set_emulation_version), or if `min_compatibility` is newer
    /// than `emulation`.
    pub fn set_versions(&self, emulation: Version, min_compatibility: Version) -> Result<(), SetError> {
        let gates = self.scoped();
        let changed_after_read = gates.emulate(Versions { emulation, min_compatibility })?;
        for gate in changed_after_read {
            tracing::warn!(
                component = gates.name(), %gate, %emulation,
                "emulating another version changes a feature gate that was read already"
            );
        }
        Ok(())
    }

    /// Emulates `versions` in this registry itself, not in a scope's copy. Returns the gates that were read
    /// before and change their value.
    pub(crate) fn emulate(&self, versions: Versions) -> Result<Vec<Arc<str>>, SetError> {
        let mut locked = self.lock();
        let before = locked.state.versions;
        locked.state.emulate(versions).map_err(SetError::new)?;
        if locked.state.versions == before {
            return Ok(Vec::new()); // reads at the same versions stay recorded
        }
        let changed_after_read = self.write_unread(&locked);
        let watchers = locked.take_watchers();
        drop(locked);
        wake(watchers);
        Ok(changed_after_read)
    }
}
