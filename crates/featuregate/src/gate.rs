//! [`Gate`], the handle by which code asks; and [`GateSet`], the gates declared together.

use std::{fmt, marker::PhantomData};

use crate::{
    Explanation, FeatureGates, Spec, Version,
    live::LiveSet,
    slot::Slot,
    spec::{self, Flaw},
};

/// A declared gate, which [`gates!`](crate::gates) makes: a constant to ask, `MY_GATE.enabled()`.
///
/// It belongs to its set `S`, and knows its place there, so that asking takes one atomic load: no name
/// is looked up, and a gate that is not declared does not compile.
///
/// ```compile_fail,E0425
/// mod features {
///     trimtab_featuregate::gates! {
///         /// What can be switched.
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

    /// Whether the gate is on, in the registry that was [installed](FeatureGates::install).
    ///
    /// Without one, the gate has its default at its newest version, or what the environment says if
    /// its set was declared with `environment`: see [`GateSet::gates`].
    #[inline]
    pub fn enabled(self) -> bool {
        match S::slots()[usize::from(self.index)].fast() {
            Some(enabled) => enabled,
            None => S::live().read_slowly(usize::from(self.index)),
        }
    }

    /// What the gate is, and why.
    pub fn explain(self) -> Explanation {
        let explained = S::gates().explain(self);
        explained.expect("a set's registry has all of the set's gates")
    }

    pub(crate) fn index(self) -> usize {
        usize::from(self.index)
    }
}

impl<S> Gate<S> {
    /// The name, as flags, environment variables and metrics spell it.
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

/// Gates that are declared together, by [`gates!`](crate::gates), which alone implements this.
pub trait GateSet: Sized + 'static {
    #[doc(hidden)]
    const NAMES: &'static [&'static str];

    #[doc(hidden)]
    fn slots() -> &'static [Slot];

    #[doc(hidden)]
    fn live() -> &'static LiveSet;

    /// The registry in which the set's gates are read.
    ///
    /// That is the one that was [installed](FeatureGates::install) last. If there is none yet, the set
    /// gets one of its own: every gate at its newest version, unversioned, as client-go does it; set
    /// from the environment if the set was declared with `environment`. A variable that cannot be used
    /// is logged and ignored.
    fn gates() -> FeatureGates {
        Self::live().registry()
    }

    /// How many gates of the set were read while nobody had installed a registry for it.
    ///
    /// Other than zero in a program that sets its gates, it means that some were read too early.
    /// Gates of a set declared with `environment` are never too early.
    fn early_reads() -> usize {
        Self::live().early_reads()
    }
}

/// A gate as it is declared.
#[doc(hidden)]
#[derive(Debug)]
pub struct Declaration {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) specs: &'static [Spec],
    pub(crate) needs: &'static [&'static str],
}

impl Declaration {
    /// Refuses, when compiled, a life that [`FeatureGates::builder`] would refuse.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        specs: &'static [Spec],
        needs: &'static [&'static str],
    ) -> Self {
        if let Some((_, flaw)) = spec::flaw(specs) {
            panic!("{}", Flaw::as_str(flaw));
        }
        Self { name, description, specs, needs }
    }

    /// Refuses, when compiled, a name that two gates of a set have.
    pub(crate) const fn assert_unique(declarations: &[Self]) {
        let mut at = 0;
        while at < declarations.len() {
            let mut other = at + 1;
            while other < declarations.len() {
                assert!(!same(declarations[at].name, declarations[other].name), "two gates have one name");
                other += 1;
            }
            at += 1;
        }
    }
}

#[doc(hidden)]
pub const fn spec(version: &str, min_compatibility: &[&str], stage: crate::Stage, set: &str) -> Spec {
    let (default, locked) = match set.as_bytes() {
        b"on" => (true, false),
        b"off" => (false, false),
        b"locked" | b"locked on" => (true, true),
        b"locked off" => (false, true),
        _ => panic!("a gate is `on`, `off`, `locked` (on) or `locked off`"),
    };
    let mut spec = Spec::new(Version::literal(version), stage, default);
    if locked {
        spec = spec.lock_to_default();
    }
    match min_compatibility {
        [] => spec,
        [text, ..] => spec.with_min_compatibility(Version::literal(text)),
    }
}

const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}
