//! The slow path of a read, and the implicit registry of a set for which none is installed.

use std::sync::atomic::Ordering;

use crate::{
    declared_set::Installed,
    registry::{FeatureGates, StaticSet},
    version::Version,
};

impl StaticSet {
    /// Returns the registry that writes the set's bytes: the installed or the implicit one.
    pub(crate) fn registry(&'static self) -> FeatureGates {
        self.installed().registry
    }

    /// The slow path of a read: the first read of a gate, or one while a test's scope is active.
    #[cold]
    pub(crate) fn read_slow(&'static self, index: usize) -> bool {
        let Installed { registry, implicit } = self.installed();
        if let Some(enabled) = registry.read_in_scope(registry.row_of(self, index)) {
            return enabled;
        }
        let byte = self.slots[index].read();
        if byte.was_unread() && implicit && self.environment.is_empty() {
            self.early_reads.fetch_add(1, Ordering::Relaxed);
        }
        byte.enabled()
    }

    fn installed(&'static self) -> Installed<FeatureGates> {
        self.installed_or(|| self.implicit_registry())
    }

    /// Returns a registry with every gate at its newest version, as client-go flattens the gates of a program
    /// without a registry.
    fn implicit_registry(&'static self) -> (FeatureGates, Vec<bool>) {
        let mut builder = FeatureGates::builder(self.name, Version::ALWAYS).flattened(self);
        if let Some(prefix) = self.environment.first() {
            builder = builder.environment_prefix(*prefix);
        }
        let gates = builder.build_implicit();
        if !self.environment.is_empty()
            && let Err(error) = gates.set_from_env()
        {
            for problem in error.problems() {
                tracing::error!(gates = self.name, %problem, "ignoring the environment variable of a feature gate");
            }
        }
        let values =
            (0..self.declarations.len()).map(|index| gates.value(gates.row_of(self, index))).collect();
        (gates, values)
    }
}
