//! Tests of the rules for a gate's specs.

use super::*;

const ALPHA: Stage = Stage::Alpha;
const BETA: Stage = Stage::Beta;
const GA: Stage = Stage::Ga;
const DEPRECATED: Stage = Stage::Deprecated;

fn v(minor: u16) -> Version {
    Version::new(1, minor)
}

fn off(minor: u16, stage: Stage) -> Spec {
    Spec::new(v(minor), stage, false)
}

fn on(minor: u16, stage: Stage) -> Spec {
    Spec::new(v(minor), stage, true)
}

/// FG-T17, the accepted cases (`TestAddVersioned`).
#[test]
fn specs_that_upstream_accepts_are_accepted() {
    let lists: &[&[Spec]] = &[
        &[off(29, ALPHA), off(30, BETA), on(31, BETA), on(32, GA), off(33, DEPRECATED)],
        &[on(0, GA), off(29, DEPRECATED)],
        &[off(29, ALPHA), on(30, DEPRECATED), off(31, DEPRECATED)],
        &[off(0, DEPRECATED)],
        &[off(29, ALPHA), on(30, GA)],
        &[off(29, ALPHA), off(30, GA)],
        &[off(29, BETA), off(30, DEPRECATED)],
        &[off(29, ALPHA), off(30, DEPRECATED)],
        &[off(29, BETA), on(29, BETA).with_min_compatibility(v(29))],
        &[off(29, BETA), on(29, BETA).with_min_compatibility(v(29)), on(30, GA)],
    ];
    for specs in lists {
        assert_eq!(flaw(specs), None, "{specs:?}");
    }
}

/// FG-T17, the refused cases. Not here: "conflicting specs" (see the builder), and "patch version",
/// "patch min compat version" and "no version provided", which a [`Version`] cannot express.
#[test]
fn specs_that_upstream_refuses_are_refused_at_the_same_spec() {
    let compatible = |spec: Spec, minor| spec.with_min_compatibility(v(minor));
    let lists: &[(&[Spec], usize, Flaw)] = &[
        (&[], 0, Flaw::Empty),
        (&[off(29, DEPRECATED)], 0, Flaw::StartsDeprecated),
        (&[off(29, ALPHA), on(29, BETA)], 1, Flaw::SameVersionTwice),
        (&[off(30, BETA), on(29, BETA)], 1, Flaw::VersionsDecrease),
        (&[on(29, BETA), off(30, ALPHA)], 1, Flaw::Regresses),
        (&[on(29, GA), off(30, ALPHA)], 1, Flaw::Regresses),
        (&[on(29, GA), off(30, BETA)], 1, Flaw::Regresses),
        (&[off(29, ALPHA), off(30, DEPRECATED), on(31, BETA)], 2, Flaw::Resurrected),
        (&[compatible(off(29, BETA), 30)], 0, Flaw::MinCompatibilityAlone),
        (
            &[off(29, ALPHA), compatible(on(29, ALPHA), 28), off(30, BETA), compatible(on(30, BETA), 27)],
            3,
            Flaw::MinCompatibilityDecreases,
        ),
        (&[off(29, ALPHA), off(30, ALPHA)], 1, Flaw::NothingChanges),
        (&[on(29, GA).lock_to_default(), on(30, GA)], 1, Flaw::Unlocked),
        (&[compatible(on(29, BETA), 29)], 0, Flaw::MinCompatibilityAlone),
        (&[off(29, BETA), compatible(on(29, BETA), 30)], 1, Flaw::MinCompatibilityTooNew),
        (&[off(28, BETA), compatible(on(29, BETA), 29), on(30, GA)], 1, Flaw::MinCompatibilityAlone),
        (&[off(29, ALPHA), compatible(on(29, BETA), 29), on(30, GA)], 1, Flaw::StageWithinVersion),
        (&[off(29, BETA), compatible(on(29, BETA), 29).lock_to_default()], 1, Flaw::LockWithinVersion),
        (&[off(29, ALPHA), compatible(off(29, ALPHA), 29)], 1, Flaw::NothingChanges),
        (&[compatible(off(29, ALPHA), 29), compatible(on(29, BETA), 29)], 0, Flaw::MinCompatibilityAlone),
    ];
    for (specs, step, expected) in lists {
        assert_eq!(flaw(specs), Some((*step, *expected)), "{specs:?}");
    }
}

/// FG-T13 (`TestFeatureSpecAtEmulationAndMinCompatVersion`): all nine combinations.
#[test]
fn the_last_spec_that_both_versions_reach_holds() {
    let specs = [
        off(25, ALPHA),
        off(25, BETA).with_min_compatibility(v(25)),
        on(29, GA).with_min_compatibility(v(25)),
    ];
    for (emulation, min_compatibility, expected) in [
        (30, None, Some(2)),
        (29, None, Some(2)),
        (28, None, Some(1)),
        (26, None, Some(1)),
        (25, Some(25), Some(1)),
        (25, None, Some(0)),
        (24, None, None),
        (26, Some(23), Some(0)),
        (29, Some(23), Some(0)),
    ] {
        let mut versions = Versions::emulating(v(emulation));
        versions.min_compatibility = min_compatibility.map_or(versions.min_compatibility, v);
        assert_eq!(effective(&specs, versions), expected, "{emulation} {min_compatibility:?}");
    }
}

#[test]
fn a_spec_inherits_the_min_compatibility_of_the_specs_before_it() {
    let mut specs = [off(29, BETA), on(29, BETA).with_min_compatibility(v(29)), on(31, GA)];
    inherit_min_compatibility(&mut specs);
    assert_eq!(specs.map(|spec| spec.min_compatibility), [None, Some(v(29)), Some(v(29))]);
}
