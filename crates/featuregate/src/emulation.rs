//! Emulating versions: what exists, its defaults and its locks are those of the version.

use std::sync::Arc;

use crate::{FeatureGates, SetError, Version, registry::wake, spec::Versions};

impl FeatureGates {
    /// The version of the binary.
    pub fn binary_version(&self) -> Version {
        self.scoped().lock().state.binary
    }

    /// The version that is emulated.
    pub fn emulation_version(&self) -> Version {
        self.scoped().lock().state.versions.emulation
    }

    /// The oldest version that this component may have to be compatible with.
    pub fn min_compatibility_version(&self) -> Version {
        self.scoped().lock().state.versions.min_compatibility
    }

    /// Emulates `version`, staying compatible with the minor version before it: what exists, its
    /// defaults and locks are those of that version.
    ///
    /// A gate that was read already and changes by this is logged.
    ///
    /// # Errors
    ///
    /// If something that was asked for cannot be had there, the version is newer than the binary's, or
    /// the gates are frozen. Nothing has changed then.
    pub fn set_emulation_version(&self, version: Version) -> Result<(), SetError> {
        self.set_versions(version, version.previous_minor())
    }

    /// Emulates `emulation`, staying compatible with `min_compatibility`.
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

    /// Emulates `versions` in this very registry; names the gates that change and were read before.
    pub(crate) fn emulate(&self, versions: Versions) -> Result<Vec<Arc<str>>, SetError> {
        let mut locked = self.lock();
        let before = locked.state.versions;
        locked.state.emulate(versions).map_err(SetError::new)?;
        if locked.state.versions == before {
            return Ok(Vec::new()); // who has read what stays known
        }
        let changed_after_read = self.write_unread(&locked);
        let watchers = locked.take_watchers();
        drop(locked);
        wake(watchers);
        Ok(changed_after_read)
    }
}
