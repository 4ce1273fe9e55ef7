//! [`Declaration`]: a gate that [`gates!`](crate::gates) declares, checked when compiled.

use crate::{
    spec::{self, Flaw, Spec, Stage},
    version::Version,
};

/// The declaration of a gate.
#[doc(hidden)]
#[derive(Debug)]
pub struct Declaration {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) specs: &'static [Spec],
    pub(crate) dependencies: &'static [&'static str],
}

impl Declaration {
    /// Creates a declaration. Specs that [`FeatureGates::builder`](crate::FeatureGates::builder) would refuse
    /// do not compile.
    pub const fn new(
        name: &'static str,
        description: &'static str,
        specs: &'static [Spec],
        dependencies: &'static [&'static str],
    ) -> Self {
        if let Some((_, flaw)) = spec::flaw(specs) {
            panic!("{}", Flaw::as_str(flaw));
        }
        Self { name, description, specs, dependencies }
    }

    /// Fails to compile if two gates of a set have the same name.
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
pub const fn spec(version: &str, min_compatibility: &[&str], stage: Stage, set: &str) -> Spec {
    let (default, locked) = match set.as_bytes() {
        b"on" => (true, false),
        b"off" => (false, false),
        b"locked" | b"locked on" => (true, true),
        b"locked off" => (false, true),
        _ => panic!("the setting of a gate is `on`, `off`, `locked` (on) or `locked off`"),
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

pub(crate) const fn same(one: &str, other: &str) -> bool {
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
