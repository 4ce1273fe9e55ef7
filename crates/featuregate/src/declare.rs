//! [`gates!`](crate::gates): the macro that declares gates. Declarative: no proc-macro is compiled.

/// Declares a set of gates: their names, documentation and lives.
///
/// ```
/// mod features {
///     trimtab_featuregate::gates! {
///         /// What can be switched in the web controller.
///         pub set Features;
///
///         /// Reads long lists as a stream.
///         pub STREAMING_LISTS = "StreamingLists" {
///             1.31 => Alpha, off;
///             1.33 => Beta, on;
///             1.35 => Ga, locked;
///         }
///
///         /// Acts on nothing that its own writes have made stale.
///         pub STRICT_LEDGER = "StrictLedger" needs [STREAMING_LISTS] {
///             1.34 => Beta, off;
///             1.34 and min_compatibility 1.34 => Beta, on;
///         }
///     }
/// }
///
/// assert!(features::STREAMING_LISTS.enabled());
/// ```
///
/// - `set` names the set: a unit type that implements [`GateSet`](crate::GateSet). With
///   `environment "PREFIX_"` after the name, gates that nobody has installed a registry for are set
///   from the variables `PREFIX_<Name>` when one is first read, as client-go does with
///   `KUBE_FEATURE_`.
/// - Each gate becomes a constant [`Gate`](crate::Gate). It needs a doc comment, which says what is on
///   when the gate is, and which the gate's [`Explanation`](crate::Explanation) shows.
/// - `needs` lists the gates without which this one cannot be on; they may be another set's.
/// - Each line is a step in the gate's life: from which version on; the stage, one of
///   [`Stage`](crate::Stage); and `on`, `off`, `locked` (on) or `locked off`. `0.0` is always. With
///   `and min_compatibility`, the step holds only where that compatibility suffices.
///
/// Two gates of one name, and steps that are no life, such as decreasing versions or a way back from `Beta` to `Alpha`, do not
/// compile; nor does a gate without documentation:
///
/// ```compile_fail
/// trimtab_featuregate::gates! {
///     /// What can be switched.
///     pub set Features;
///
///     pub STREAMING_LISTS = "StreamingLists" { 1.35 => Alpha, off }
/// }
/// ```
///
/// ```compile_fail,E0080
/// trimtab_featuregate::gates! {
///     /// What can be switched.
///     pub set Features;
///
///     /// Reads long lists as a stream.
///     pub STREAMING_LISTS = "StreamingLists" {
///         1.35 => Beta, on;
///         1.36 => Alpha, off; // goes back
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
            $visibility:vis $gate:ident = $name:literal $(needs [$($need:path),+ $(,)?])? {
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
                    &[$($($crate::Gate::name($need)),+)?],
                )
            ),+];
            static SLOTS: [$crate::__private::Slot; <$set as $crate::GateSet>::NAMES.len()] =
                [const { $crate::__private::Slot::unknown() }; <$set as $crate::GateSet>::NAMES.len()];
            static LIVE: $crate::__private::LiveSet = $crate::__private::LiveSet::new(
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

                fn live() -> &'static $crate::__private::LiveSet {
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
        compile_error!(concat!("gate ", $name, " needs a doc comment: what is on when it is"))
    };
    ($name:literal; $($doc:literal)+) => {
        concat!($($doc, "\n"),+)
    };
}
