//! [`Gate`], the constant that code reads; and [`GateSet`], a set of gates declared together.

use std::{fmt, marker::PhantomData};

use crate::{
    builder::FeatureGatesBuilder,
    declaration::same,
    registry::{FeatureGates, StaticSet},
    slot::Slot,
};

/// A declared gate: a constant that [`gates!`](crate::gates) makes and that code reads with
/// `MY_GATE.enabled()`.
///
/// It belongs to its set `S` and contains its index there, so a read is one atomic load without a lookup by
/// name, and an undeclared gate does not compile.
///
/// ```compile_fail,E0425
/// mod features {
///     trimtab_featuregate::gates! {
///         /// The feature gates of the example.
///         pub set Features;
///
///         /// Reads long lists as a stream.
///         pub STREAMING_LISTS = "StreamingLists" { 1.35 => Alpha, off }
///     }
/// }
///
/// features::STREAMING_LIST.enabled(); // a letter is missing
/// ```
pub struct Gate<S> {
    name: &'static str,
    index: u16,
    set: PhantomData<fn() -> S>,
}

impl<S: GateSet> Gate<S> {
    #[doc(hidden)]
    pub const fn declared(name: &'static str) -> Self {
        let mut index = 0;
        while !same(S::NAMES[index as usize], name) {
            index += 1;
        }
        Self { name, index, set: PhantomData }
    }

    /// Returns whether the gate is on in the [installed](FeatureGates::install) registry.
    ///
    /// Without an installed registry, the gate has the default of its newest version, or the value from the
    /// environment if its set is declared with `environment`: see [`GateSet::gates`].
    #[inline]
    pub fn enabled(self) -> bool {
        match S::slots()[usize::from(self.index)].fast() {
            Some(enabled) => enabled,
            None => S::declared().read_slow(usize::from(self.index)),
        }
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.index)
    }
}

impl<S> Gate<S> {
    /// Returns the name that flags, environment variables and metrics use.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<S> AsRef<str> for Gate<S> {
    fn as_ref(&self) -> &str {
        self.name
    }
}

impl<S> Clone for Gate<S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Gate<S> {}

impl<S> fmt::Display for Gate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name)
    }
}

impl<S> fmt::Debug for Gate<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Gate").field(&self.name).finish()
    }
}

/// A set of gates declared together. Only [`gates!`](crate::gates) implements this trait.
pub trait GateSet: Sized + 'static {
    #[doc(hidden)]
    const NAMES: &'static [&'static str];

    #[doc(hidden)]
    fn slots() -> &'static [Slot];

    #[doc(hidden)]
    fn declared() -> &'static StaticSet;

    /// Returns the registry that the set's gates are read from.
    ///
    /// That is the registry [installed](FeatureGates::install) last. If none is installed, the set gets an
    /// implicit registry: every gate is at its newest version, as in client-go, and is set from the
    /// environment if the set is declared with `environment`. A variable that cannot be used is logged and
    /// ignored.
    fn gates() -> FeatureGates {
        Self::declared().registry()
    }

    /// Returns the number of gates of the set that were read before a registry was installed.
    ///
    /// In a program that sets its gates, a number above zero means that some gates were read too early. Gates
    /// of a set declared with `environment` are not counted.
    fn early_reads() -> usize {
        Self::declared().early_reads()
    }
}

impl FeatureGates {
    /// Returns whether `gate` is on in this registry. One atomic load, after the gate's row is found.
    ///
    /// # Panics
    ///
    /// If the gate's set was not added to this registry, which then has no value for the gate.
    pub fn enabled<S: GateSet>(&self, gate: Gate<S>) -> bool {
        self.read(self.row_of(S::declared(), gate.index()))
    }
}

impl FeatureGatesBuilder {
    /// Adds a set that [`gates!`](crate::gates) declares.
    pub fn gates<S: GateSet>(self) -> Self {
        self.set(S::declared())
    }

    /// Adds a set without its versions: each gate is as at its newest version, whatever version is emulated.
    ///
    /// For the gates of a library whose versions differ from this component's.
    pub fn gates_unversioned<S: GateSet>(self) -> Self {
        self.unversioned_set(S::declared())
    }
}
