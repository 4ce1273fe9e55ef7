//! Kubernetes feature gates for Rust: typed constants, read with one atomic load.
//!
//! ```
//! mod features {
//!     trimtab_featuregate::gates! {
//!         /// The feature gates of the web controller.
//!         pub set Features;
//!
//!         /// Reads long lists as a stream.
//!         pub STREAMING_LISTS = "StreamingLists" {
//!             1.33 => Alpha, off;
//!             1.35 => Beta, on;
//!         }
//!     }
//! }
//! use trimtab_featuregate::{FeatureGates, Version};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let gates = FeatureGates::builder("web", Version::new(1, 35)).gates::<features::Features>().build()?;
//!     gates.install(); // from here on the gates above read this registry
//!     gates.set_from_flag("StreamingLists=false")?; // the value of `--feature-gates`
//!
//!     assert!(!features::STREAMING_LISTS.enabled());
//!     println!("{}", features::STREAMING_LISTS.explain()); // "StreamingLists is off: from flag", and the reasons
//!     Ok(())
//! }
//! ```
//!
//! A gate is declared once, with its documentation and its versioned specs: the versions at which it is Alpha,
//! Beta, stable or locked ([`gates!`]). A component builds one registry of its gates, installs it, and sets the
//! gates from its configuration file, its environment and its flags ([`FeatureGates`]). The code reads the gates.
//!
//! # Precedence
//!
//! The last source in this list that has a value for a gate decides: the default at the emulation version; an
//! overridden default; a file; the environment; the flag; `set`; a test. A value for the gate itself takes
//! precedence over `AllAlpha` and `AllBeta`. [`explain`](Gate::explain) shows the source.
//!
//! # Guarantees
//!
//! 1. A check ([`Gate::enabled`]) is one atomic load: no lock and no lookup by name. The exceptions are the first check
//!    of a gate, its first check after a registry was installed or another version emulated, and checks while a test's
//!    scope is active.
//! 2. Reading an undeclared gate does not compile, nor does a declaration without documentation or with specs that break
//!    upstream's rules. [`build`](FeatureGatesBuilder::build) checks gates that the builder adds by name, and all
//!    dependencies.
//! 3. Gates are set as one group: on any error no gate has changed, and the error names every invalid setting; if there
//!    is none, every gate that would be on while a dependency is off. The exception is
//!    [`set_from_env`](FeatureGates::set_from_env): as in client-go, it ignores variables that cannot be used.
//! 4. No input sets a gate on while one of its dependencies is off. A gate can come into this state in three ways: a gate
//!    is reset, a default is overridden, or a dependency is off by default again at a later version. Then
//!    [`validate`](FeatureGates::validate) reports it.
//! 5. Once [frozen](FeatureGates::freeze), no gate of the registry changes. Only a test's scope has other values.
//! 6. A [watch](FeatureGates::watch) returns every gate whose value is not the one that it last returned. A value that
//!    changes and changes back in between is not returned.
//! 7. If a gate was read and then changes because another version is emulated, this is logged.
//! 8. A test's values are seen in that test only, and end with it. The exception is `TestGates::enter_everywhere`, whose
//!    values are also seen by other tests of the process.
//!
//! # Not here
//!
//! The gates themselves: each component declares its own. No other part of Trimtab reads a gate; the parts take
//! options, which `trimtab-controller` sets from gates.
//!
//! # Differences from client-go and component-base
//!
//! - Gates are constants, not strings: reading an unknown gate does not compile; upstream panics.
//!   [`is_enabled`](FeatureGates::is_enabled) reads by name.
//! - Requests are kept by [`Source`], and the values are computed from them. A gate that is on through
//!   `AllAlpha=true` goes off when `AllAlpha` is set to false or reset; upstream leaves it on.
//! - All invalid settings of one input are reported, not only the first. An unknown name comes with a suggestion.
//! - A registry is complete once it is built: no gate can be added to it.
//! - A copy made by [`deep_copy_and_reset`](FeatureGates::deep_copy_and_reset) keeps the dependencies.
//! - The emulation version may not be newer than the binary's version, nor the min compatibility version newer than
//!   the emulation version; component-base only reports this in the component registry's `Validate`.
//! - Tests do not change the registry: their values hold on one thread, in one future, or on all threads.
//!
//! # Features
//!
//! All are off by default.
//!
//! - `clap`: `FeatureGatesFlag`, the flag `--feature-gates` to flatten into a program's options.
//! - `metrics`: `FeatureGates::record_metrics`, with the metric names of Kubernetes' dashboards.
//! - `serde`: `FeatureGatesConfig` for configuration files; [`Snapshot`] can be serialized.
//! - `test-util`: `TestGates`, which sets gates for one test; `FeatureGates::assert_unchanged`. For
//!   `[dev-dependencies]`.
//!
//! Without features the crate has four dependencies: tracing, with `tracing-core` and `once_cell`, and
//! `pin-project-lite`, which tracing uses as well. No proc-macro is compiled.

mod build_error;
mod builder;
mod components;
#[cfg(feature = "serde")]
mod config;
mod declaration;
mod declare;
mod declared_set;
mod dependencies;
mod emulation;
mod error;
mod explain;
#[cfg(feature = "clap")]
mod flag;
mod gate;
mod implicit;
mod input;
mod lifecycle;
#[cfg(all(test, trimtab_loom))]
mod loom_tests;
#[cfg(feature = "metrics")]
mod metrics;
mod parse;
mod registry;
mod scope;
mod slot;
mod source;
mod spec;
mod state;
mod suggest;
mod sync;
#[cfg(feature = "test-util")]
mod test_gates;
#[cfg(feature = "test-util")]
mod test_guards;
mod version;
mod watch;

#[cfg(feature = "serde")]
pub use crate::config::FeatureGatesConfig;
#[cfg(feature = "clap")]
pub use crate::flag::{FeatureGatesFlag, FeatureGatesParser};
pub use crate::{
    build_error::{BuildError, BuildProblem, SpecsFlaw},
    builder::FeatureGatesBuilder,
    components::{ComponentError, ComponentRegistry, EffectiveVersion, VersionError},
    error::{Problem, SetError},
    explain::{Explanation, Snapshot},
    gate::{Gate, GateSet},
    registry::FeatureGates,
    scope::{Scoped, inherit_scope},
    source::Source,
    spec::{Spec, Stage},
    version::{ParseVersionError, Version},
    watch::{GateChange, Watch},
};
#[cfg(feature = "test-util")]
pub use crate::{
    test_gates::TestGates,
    test_guards::{EverywhereGuard, TestGuard, UnchangedGuard},
};

/// The items that the expansion of [`gates!`] uses.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        declaration::{Declaration, spec},
        declared_set::DeclaredSet,
        registry::StaticSet,
        slot::Slot,
    };
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
