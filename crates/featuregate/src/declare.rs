//! [`gates!`](crate::gates): the macro that declares gates. A declarative macro, so that no proc-macro is
//! compiled.

/// Declares a set of gates: their names, documentation and versioned specs.
///
/// ```
/// mod features {
///     trimtab_featuregate::gates! {
///         /// The feature gates of the web controller.
///         pub set Features;
///
///         /// Reads long lists as a stream.
///         pub STREAMING_LISTS = "StreamingLists" {
///             1.31 => Alpha, off;
///             1.33 => Beta, on;
///             1.35 => Ga, locked;
///         }
///
///         /// Waits until the cache shows the controller's own writes.
///         pub STRICT_LEDGER = "StrictLedger" depends_on [STREAMING_LISTS] {
///             1.34 => Beta, off;
///             1.34 and min_compatibility 1.34 => Beta, on;
///         }
///     }
/// }
///
/// assert!(features::STREAMING_LISTS.enabled());
/// ```
///
/// - `set` names the set: a unit type that implements [`GateSet`](crate::GateSet). With `environment
///   "PREFIX_"` after the name, the gates are set from the variables `PREFIX_<Name>` at their first read if
///   no registry is installed, as client-go does with `KUBE_FEATURE_`.
/// - Each gate becomes a constant of type [`Gate`](crate::Gate). A doc comment is required. It describes the
///   behaviour when the gate is on, and the gate's [`Explanation`](crate::Explanation) shows it.
/// - `depends_on` lists the gates that must be on for this gate to be on. They may belong to another set.
/// - Each line is a spec: the version it starts at; the stage, one of [`Stage`](crate::Stage); and `on`,
///   `off`, `locked` (on) or `locked off`. `0.0` means every version. With `and min_compatibility`, the spec
///   only holds if the min compatibility version is at least that one.
///
/// Two gates with the same name do not compile, nor do invalid specs, such as decreasing versions or a step
/// back from `Beta` to `Alpha`, nor a gate without documentation:
///
/// ```compile_fail
/// trimtab_featuregate::gates! {
///     /// The feature gates of the example.
///     pub set Features;
///
///     pub STREAMING_LISTS = "StreamingLists" { 1.35 => Alpha, off }
/// }
/// ```
///
/// ```compile_fail,E0080
/// trimtab_featuregate::gates! {
///     /// The feature gates of the example.
///     pub set Features;
///
///     /// Reads long lists as a stream.
///     pub STREAMING_LISTS = "StreamingLists" {
///         1.35 => Beta, on;
///         1.36 => Alpha, off; // a step back
///     }
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! gates {
    (
        $(#[$set_attribute:meta])*
        $set_visibility:vis set $set:ident $(, environment $environment:literal)?;
        $(
            $(#[doc = $doc:literal])*
            $visibility:vis $gate:ident = $name:literal $(depends_on [$($dependency:path),+ $(,)?])? {
                $($version:literal $(and min_compatibility $min_compatibility:literal)? =>
                    $stage:ident, $($setting:ident)+);+ $(;)?
            }
        )+
    ) => {
        $(#[$set_attribute])*
        #[derive(Debug, Clone, Copy)]
        $set_visibility struct $set;

        const _: () = {
            static DECLARATIONS: &[$crate::__private::Declaration] = &[$(
                $crate::__private::Declaration::new(
                    $name,
                    $crate::__description!($name; $($doc)*),
                    &[$($crate::__private::spec(
                        stringify!($version),
                        &[$(stringify!($min_compatibility))?],
                        $crate::Stage::$stage,
                        stringify!($($setting)+),
                    )),+],
                    &[$($($crate::Gate::name($dependency)),+)?],
                )
            ),+];
            static SLOTS: [$crate::__private::Slot; <$set as $crate::GateSet>::NAMES.len()] =
                [const { $crate::__private::Slot::unknown() }; <$set as $crate::GateSet>::NAMES.len()];
            static LIVE: $crate::__private::StaticSet = $crate::__private::StaticSet::new(
                stringify!($set),
                &[$($environment)?],
                DECLARATIONS,
                &SLOTS,
            );

            impl $crate::GateSet for $set {
                const NAMES: &'static [&'static str] = &[$($name),+];

                #[inline]
                fn slots() -> &'static [$crate::__private::Slot] {
                    &SLOTS
                }

                fn declared() -> &'static $crate::__private::StaticSet {
                    &LIVE
                }
            }
        };

        $(
            $(#[doc = $doc])*
            $visibility const $gate: $crate::Gate<$set> = $crate::Gate::declared($name);
        )+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __description {
    ($name:literal;) => {
        compile_error!(concat!("gate ", $name, " needs a doc comment that describes the behaviour when it is on"))
    };
    ($name:literal; $($doc:literal)+) => {
        concat!($($doc, "\n"),+)
    };
}
