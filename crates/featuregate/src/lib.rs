//! Which behaviour is on: Kubernetes feature gates, typed, one atomic load per check.
//!
//! ```
//! mod features {
//!     trimtab_featuregate::gates! {
//!         /// What can be switched in the web controller.
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
//! let gates = FeatureGates::builder("web", Version::new(1, 35)).gates::<features::Features>().build()?;
//! gates.install(); // from here on the gates below read this registry
//! gates.set_from_flag("StreamingLists=false")?; // what `--feature-gates` said
//!
//! assert!(!features::STREAMING_LISTS.enabled());
//! println!("{}", features::STREAMING_LISTS.explain()); // "StreamingLists is off: from flag", and why
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A gate is declared once, with its documentation and its life: at which version it came, became Beta,
//! was locked ([`gates!`]). A component makes one registry of its gates, installs it, and sets it from
//! its configuration file, its environment and its flags ([`FeatureGates`]). Code asks the gate.
//!
//! # Precedence
//!
//! A gate has the value of the last of these that says something: its default at the emulated version;
//! an overridden default; a file; the environment; the flag; the program's own `set`; a test. Whatever
//! is said of a gate itself counts more than what is said of `AllAlpha` or `AllBeta`.
//! [`explain`](Gate::explain) tells which it was.
//!
//! # Guarantees
//!
//! 1. A check is one atomic load: no lock, no name looked up. The exceptions are the first check of a
//!    gate, and checks while a test's scope is live.
//! 2. A gate that is not declared does not compile; nor does a life that breaks upstream's rules, or a
//!    gate without documentation.
//! 3. Gates are set as one group: on any error none has changed, and the error names everything that
//!    is wrong.
//! 4. A gate is never on while what it needs is off, unless a gate was reset or a default overridden
//!    since: [`validate`](FeatureGates::validate) then tells.
//! 5. Once [frozen](FeatureGates::freeze), no gate changes.
//! 6. A change is never missed by who [watches](FeatureGates::watch).
//! 7. A gate that was read before another version was emulated, and is another one there, is logged.
//! 8. A test's values are seen in that test only, and end with it.
//!
//! # Not here
//!
//! What the gates are: each component declares its own. The other parts of Trimtab read none; they take
//! options, which `trimtab-controller` sets from gates.
//!
//! # Differences from client-go and component-base
//!
//! - Gates are constants, not strings: asking for an unknown one does not compile, instead of panicking.
//!   [`is_enabled`](FeatureGates::is_enabled) asks by name.
//! - Requests are kept by [`Source`] and the values computed from them: a gate that is on through
//!   `AllAlpha=true` goes off when that is set false or reset, which upstream forgets.
//! - All problems of one input are reported, not the first; an unknown name comes with a suggestion.
//! - The gates are complete once a registry is built: none can be added to it while it is in use.
//! - A copy made by [`deep_copy_and_reset`](FeatureGates::deep_copy_and_reset) keeps what gates need.
//! - An emulated version may not be newer than the binary's, nor a min compatibility version than the
//!   emulated one; component-base finds that out in the component registry's `Validate`.
//! - Tests do not change the registry: their values hold on a thread, in a future, or everywhere.
//!
//! # Features
//!
//! - `clap`: `FeatureGatesFlag`, the flag `--feature-gates` to flatten into a program's options.
//! - `metrics`: `FeatureGates::record_metrics`, with the names that Kubernetes' dashboards have.
//! - `serde`: `FeatureGatesConfig` for configuration files; [`Snapshot`] can be serialized.
//!
//! Without them the crate pulls in four others: tracing, with `tracing-core` and `once_cell`, and
//! `pin-project-lite`, which it shares with tracing. No proc-macro is compiled.

mod build_error;
mod builder;
mod components;
#[cfg(feature = "serde")]
mod config;
mod declare;
mod dependencies;
mod emulation;
mod error;
mod explain;
#[cfg(feature = "clap")]
mod flag;
mod gate;
mod input;
mod live;
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
mod test_gates;
mod test_guards;
mod version;
mod watch;

#[cfg(feature = "serde")]
pub use crate::config::FeatureGatesConfig;
#[cfg(feature = "clap")]
pub use crate::flag::{FeatureGatesFlag, FeatureGatesParser};
pub use crate::{
    build_error::{BuildError, BuildProblem, LifeFlaw},
    builder::FeatureGatesBuilder,
    components::{ComponentError, ComponentRegistry, EffectiveVersion, VersionError},
    error::{Problem, SetError},
    explain::{Explanation, Snapshot},
    gate::{Gate, GateSet},
    registry::FeatureGates,
    scope::{Scoped, inherit_scope},
    source::Source,
    spec::{Spec, Stage},
    test_gates::TestGates,
    test_guards::{EverywhereGuard, TestGuard, UnchangedGuard},
    version::{ParseVersionError, Version},
    watch::{GateChange, Watch},
};

/// What [`gates!`] expands to.
#[doc(hidden)]
pub mod __private {
    pub use crate::{
        gate::{Declaration, spec},
        live::LiveSet,
        slot::Slot,
    };
}

/// The README's example is this page's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
