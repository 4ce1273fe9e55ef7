//! [`Source`]: where a gate's value comes from, in order of precedence.

use std::fmt;

/// The source of a gate's value. A later variant takes precedence over an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Source {
    /// No source set it: the default at the emulation version.
    Default,
    /// An overridden default: [`FeatureGates::override_default`](crate::FeatureGates::override_default).
    Override,
    /// A configuration file: [`FeatureGates::set_from_file`](crate::FeatureGates::set_from_file).
    File,
    /// An environment variable: [`FeatureGates::set_from_env`](crate::FeatureGates::set_from_env).
    Environment,
    /// The command line: [`FeatureGates::set_from_flag`](crate::FeatureGates::set_from_flag).
    Flag,
    /// The program itself: [`FeatureGates::set`](crate::FeatureGates::set).
    Set,
    /// A test, in its own scope (feature `test-util`).
    Test,
}

impl Source {
    /// The sources that request values, in order of precedence.
    pub(crate) const LAYERS: [Self; 5] = [Self::File, Self::Environment, Self::Flag, Self::Set, Self::Test];

    /// Returns the index of this source's request in a row.
    pub(crate) const fn layer(self) -> usize {
        match self {
            Self::Default | Self::Override | Self::File => 0,
            Self::Environment => 1,
            Self::Flag => 2,
            Self::Set => 3,
            Self::Test => 4,
        }
    }

    /// Returns the source in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Override => "override",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Flag => "flag",
            Self::Set => "set",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layers_are_kept_in_order_of_precedence() {
        assert!(Source::LAYERS.is_sorted());
        for (at, source) in Source::LAYERS.into_iter().enumerate() {
            assert_eq!(source.layer(), at);
        }
    }
}
