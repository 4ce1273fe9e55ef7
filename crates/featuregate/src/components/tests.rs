//! Upstream's tests of its component registry.

use super::*;
use crate::Spec;

fn gates(name: &str, binary: Version, gate_specs: &[(&str, &[Spec])]) -> FeatureGates {
    let builder = gate_specs
        .iter()
        .fold(FeatureGates::builder(name, binary), |builder, (gate, specs)| builder.gate(gate, "", specs));
    builder.build().expect("valid gates")
}

const fn spec(major: u16, minor: u16, stage: Stage, default: bool) -> Spec {
    Spec::new(Version::new(major, minor), stage, default)
}

/// As upstream's `testRegistry`, with binaries of 1.31 and 2.8 that may emulate `floor` minor versions less.
fn registry(floor: u16) -> ComponentRegistry {
    use Stage::{Alpha, Beta, Ga};
    let (kube, test) = (Version::new(1, 31), Version::new(2, 8));
    let kube_gates: &[(&str, &[Spec])] = &[
        (
            "kubeA",
            &[spec(1, 27, Alpha, false), spec(1, 28, Beta, false), spec(1, 31, Ga, true).lock_to_default()],
        ),
        ("kubeB", &[spec(1, 30, Alpha, false)]),
        ("commonC", &[spec(1, 27, Alpha, false), spec(1, 29, Beta, true)]),
    ];
    let test_gates: &[(&str, &[Spec])] = &[
        ("testA", &[spec(2, 7, Alpha, false), spec(2, 8, Beta, false), spec(2, 10, Ga, true)]),
        ("testB", &[spec(2, 9, Alpha, false)]),
        ("commonC", &[spec(2, 7, Alpha, false), spec(2, 9, Beta, true)]),
    ];
    let version = |binary: Version| {
        let below = |minors| Version::new(binary.major(), binary.minor() - minors);
        EffectiveVersion::new(binary).with_floors(below(floor), below(floor + 1))
    };
    let registry = ComponentRegistry::new();
    registry.register("kube", version(kube), Some(gates("kube", kube, kube_gates))).expect("new");
    registry.register("test", version(test), Some(gates("test", test, test_gates))).expect("new");
    registry
}

fn versions(registry: &ComponentRegistry) -> Vec<(Version, Version)> {
    registry
        .versions()
        .into_iter()
        .map(|(_, version)| (version.emulation(), version.min_compatibility()))
        .collect()
}

fn is_on(registry: &ComponentRegistry, component: &str, gate: &str) -> Option<bool> {
    registry.feature_gates(component)?.is_enabled(gate)
}

/// Returns the message and its cause, as a `main` that returns the error prints them.
fn chain(error: &ComponentError) -> String {
    format!("{error:?}")
}

/// `TestEffectiveVersionRegistry`.
#[test]
fn a_component_is_registered_once() {
    let registry = ComponentRegistry::new();
    assert_eq!(registry.effective_version("test"), None);
    let version = EffectiveVersion::new(Version::new(1, 31));
    registry.register("test", version, None).expect("new");
    let again = registry.register("test", EffectiveVersion::new(Version::new(1, 28)), None);
    assert_eq!(again.expect_err("twice").to_string(), "component test is already registered");
    assert_eq!(registry.effective_version("test"), Some(version));
}

/// `TestVersionFlagOptions` and `TestVersionFlagOptionsWithMapping`.
#[test]
fn options_list_the_ranges_of_the_versions_that_flags_may_set() {
    let registry = registry(0);
    let options = || {
        (
            registry.emulated_version_options().join(","),
            registry.min_compatibility_version_options().join(","),
        )
    };
    assert_eq!(options().0, "kube=1.31..1.31(default:1.31),test=2.8..2.8(default:2.8)");
    assert_eq!(options().1, "kube=1.30..1.31(default:1.30),test=2.7..2.8(default:2.7)");
    registry
        .set_version_mapping("test", "kube", |test| Some(Version::new(1, test.minor() + 23)))
        .expect("no circle");
    assert_eq!(options().0, "test=2.8..2.8(default:2.8)");
    assert_eq!(options().1, "test=2.7..2.8(default:2.7)");
}

/// `TestFlags`, `TestVersionedFeatureGateFlags`.
#[test]
fn flags_are_applied_together_versions_first() {
    let registry = registry(2);
    registry.add_emulated_versions("kube=v1.30,test=2.7").expect("well formed");
    registry.add_min_compatibility_versions("kube=1.29").expect("well formed");
    registry.add_feature_gates("test:testA=true").expect("well formed");
    registry.add_feature_gates("kube:kubeA=true, kube: kubeB=true").expect("well formed");
    registry.add_feature_gates("kube:kubeB=false").expect("the last counts");
    assert_eq!(is_on(&registry, "kube", "kubeA"), Some(true), "locked on at 1.31: nothing is set yet");
    registry.set().expect("accepted");
    assert_eq!(
        versions(&registry),
        [(Version::new(1, 30), Version::new(1, 29)), (Version::new(2, 7), Version::new(2, 6))]
    );
    let values = [("kube", "kubeA"), ("kube", "kubeB"), ("test", "testA"), ("test", "commonC")]
        .map(|(component, gate)| is_on(&registry, component, gate));
    assert_eq!(values, [Some(true), Some(false), Some(true), Some(false)]);
    assert_eq!(registry.validate(), []);
    registry.set_fallback().expect("set already");
    assert!(registry.known().contains(&"test:testA=true|false (ALPHA - default=false)".to_owned()));
}

/// `TestFlags`, the refused ones.
#[test]
fn invalid_flags_change_nothing() {
    type Add = fn(&ComponentRegistry, &str) -> Result<(), ComponentError>;
    let (emulated, compatible, gates): (Add, Add, Add) = (
        ComponentRegistry::add_emulated_versions,
        ComponentRegistry::add_min_compatibility_versions,
        ComponentRegistry::add_feature_gates,
    );
    for (flags, expected) in [
        (
            &[(emulated, "kube=1.30"), (emulated, "kube=1.29")][..],
            "duplicate version flag, kube=1.30 and kube=1.29",
        ),
        (&[(emulated, "1.30,kube=1.30")], "duplicate version flag, kube=1.30 and kube=1.30"),
        (&[(compatible, "kube=1.30,1.30")], "duplicate version flag, kube=1.30 and kube=1.30"),
        (
            &[(emulated, "kube=1.30.2")],
            "invalid version of component kube: invalid version \"1.30.2\": expected `major.minor` without a patch version",
        ),
        (
            &[(emulated, "test=abc")],
            "invalid version of component test: invalid version \"abc\": expected `major.minor` without a patch version",
        ),
        (&[(emulated, "other=1.30")], "component not registered: other"),
        (&[(compatible, "other=1.30")], "component not registered: other"),
        (&[(gates, "other:testA=true")], "component not registered: other"),
        (
            &[(emulated, "kube=1.30"), (gates, "test:testC=true")],
            "cannot set the feature gates of component test: unrecognized feature gate: testC (did you mean testA?)",
        ),
        (
            &[(gates, "test:testB=true")],
            "cannot set the feature gates of component test: cannot set feature gate testB to true, feature is PreAlpha at emulated \
             version 2.8, min compatibility version 2.7",
        ),
        (
            &[(emulated, "test=2.7"), (gates, "kubeA=false")],
            "cannot set the feature gates of component kube: cannot set feature gate kubeA to false, feature is locked to true \
             (it is not locked at version 1.30)",
        ),
        (
            &[(gates, "kubeB=true"), (gates, "kube:commonC=true")],
            "set kube feature gates with default empty prefix or kube: prefix consistently, do not mix use",
        ),
        (
            &[(emulated, "kube=1.32")],
            "cannot set the feature gates of component kube: emulation version 1.32 is newer than the binary's 1.31",
        ),
    ] {
        let registry = registry(2);
        let before = versions(&registry);
        let added = flags.iter().try_for_each(|(add, text)| add(&registry, text));
        let error = added.and_then(|()| registry.set()).expect_err(expected);
        assert_eq!(chain(&error), expected);
        assert_eq!(versions(&registry), before, "{expected}");
        assert_eq!(registry.validate(), [], "{expected}");
    }
}

/// `TestVersionMapping`.
#[test]
fn a_mapped_version_follows_through_every_mapping() {
    let registry = ComponentRegistry::new();
    for (name, major, minor) in [("test1", 0, 58), ("test2", 1, 28), ("test3", 2, 10)] {
        registry.register(name, EffectiveVersion::new(Version::new(major, minor)), None).expect("new");
    }
    registry
        .set_version_mapping("test2", "test3", |version| Some(Version::new(2, version.minor() - 18)))
        .expect("no circle");
    registry
        .set_version_mapping("test1", "test2", |version| Some(Version::new(1, version.minor() - 30)))
        .expect("no circle");
    registry.add_emulated_versions("test1=0.56").expect("well formed");
    registry.set().expect("accepted");
    let emulated: Vec<_> = versions(&registry).into_iter().map(|(emulation, _)| emulation).collect();
    assert_eq!(emulated, [Version::new(0, 56), Version::new(1, 26), Version::new(2, 8)]);
    registry.add_emulated_versions("test3=2.9").expect("well formed");
    let error = registry.set().expect_err("it follows test2");
    assert_eq!(error.to_string(), "the version of test3 is set by mapping, cannot set it by flag");
}

/// `TestVersionMappingWithMultipleDependency` and `TestVersionMappingWithCyclicDependency`.
#[test]
fn a_version_follows_one_other_component_and_never_itself() {
    let registry = ComponentRegistry::new();
    for name in ["a", "b", "c"] {
        registry.register(name, EffectiveVersion::new(Version::new(1, 30)), None).expect("new");
    }
    registry.set_version_mapping("a", "b", Some).expect("no circle");
    let twice = registry.set_version_mapping("c", "b", Some).expect_err("b follows a");
    assert_eq!(twice.to_string(), "a mapping to the version of b already exists from another component");
    let circle = registry.set_version_mapping("b", "a", Some).expect_err("a circle");
    assert!(circle.to_string().contains("probably by a loop of mappings"), "{circle}");
    registry.set_version_mapping("b", "c", |_| None).expect_err("no answer");
    assert!(registry.set_version_mapping("x", "c", Some).expect_err("unknown").is_unknown());
    registry.set_version_mapping("b", "c", Some).expect("nothing that was refused is left");
}
