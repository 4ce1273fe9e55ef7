//! [`LedgerBuilder`]: the settings of a ledger.

use std::{hash::Hash, time::Duration};

use super::{
    Ledger,
    core::{Core, Settings},
    strictness::Strictness,
};

/// Settings of a [`Ledger`].
#[derive(Debug, Clone)]
#[must_use = "nothing exists before `build`"]
pub struct LedgerBuilder(Settings);

impl Ledger<(), (), ()> {
    /// Returns the settings, with their defaults.
    pub fn builder() -> LedgerBuilder {
        LedgerBuilder(Settings::default())
    }
}

impl LedgerBuilder {
    /// Sets the time after which any wait is given up.
    ///
    /// Default: 5 minutes, upstream's constant for expectations. It is a safety net: a wait that ends this
    /// way is counted. `Duration::MAX` means forever.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.0.ttl = ttl;
        self
    }

    /// Sets the kinds of evidence that hold a key back. Default: [`Strictness::Strict`].
    pub fn strictness(mut self, strictness: Strictness) -> Self {
        self.0.strictness = strictness;
        self
    }

    /// Sets the name for [metrics](crate::metrics), such as `replicaset_controller`. A ledger without a
    /// name emits none.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = Some(name.into());
        self
    }

    /// Makes an empty ledger.
    pub fn build<K, R, V>(self) -> Ledger<K, R, V>
    where
        K: Hash + Eq + Clone,
        R: Hash + Eq + Clone,
        V: Ord + Clone,
    {
        Ledger::of(Core::new(self.0))
    }
}
