//! Setting gates from text and maps, with upstream's tables of flags.

use trimtab_featuregate::{FeatureGates, Problem, SetError, Spec, Stage, Version};

const V128: Version = Version::new(1, 28);
const V129: Version = Version::new(1, 29);

fn unversioned(gates: &[(&str, Stage, bool)]) -> FeatureGates {
    let mut builder = FeatureGates::builder("test", V129);
    for &(name, stage, default) in gates {
        builder = builder.gate(name, "", [Spec::new(Version::ALWAYS, stage, default)]);
    }
    builder
        .gate("TestLockedFalse", "", [Spec::new(Version::ALWAYS, Stage::Ga, false).lock_to_default()])
        .gate("TestLockedTrue", "", [Spec::new(Version::ALWAYS, Stage::Ga, true).lock_to_default()])
        .build()
        .expect("valid gates")
}

fn alpha_and_beta() -> FeatureGates {
    unversioned(&[
        ("TestAlpha", Stage::Alpha, false),
        ("TestBeta", Stage::Beta, false),
        ("TestDeprecated", Stage::Deprecated, false),
    ])
}

fn message(outcome: Result<(), SetError>) -> String {
    outcome.expect_err("refused").to_string()
}

/// Checks that of the gates in `all`, exactly those in `on` are on.
fn assert_on(gates: &FeatureGates, on: &[&str], all: &[&str], input: &str) {
    for name in all {
        assert_eq!(gates.is_enabled(name), Some(on.contains(name)), "{name} after {input:?}");
    }
}

/// FG-T1 (`TestFeatureGateFlag`).
#[test]
fn the_flag_sets_what_upstream_sets() {
    let all = ["AllAlpha", "AllBeta", "TestAlpha", "TestBeta", "TestDeprecated", "TestLockedFalse"];
    for (text, on) in [
        ("", &[][..]),
        ("TestDeprecated=true", &["TestDeprecated"]),
        ("AllAlpha=false", &[]),
        ("AllAlpha=true", &["AllAlpha", "TestAlpha"]),
        ("AllAlpha=false,TestAlpha=true", &["TestAlpha"]),
        ("TestAlpha=true,AllAlpha=false", &["TestAlpha"]),
        ("AllAlpha=true,TestAlpha=false", &["AllAlpha"]),
        ("TestAlpha=false,AllAlpha=true", &["AllAlpha"]),
        ("TestBeta=true,AllAlpha=false", &["TestBeta"]),
        ("AllBeta=false", &[]),
        ("AllBeta=true", &["AllBeta", "TestBeta"]),
        ("AllBeta=false,TestBeta=true", &["TestBeta"]),
        ("TestBeta=true,AllBeta=false", &["TestBeta"]),
        ("AllBeta=true,TestBeta=false", &["AllBeta"]),
        ("TestBeta=false,AllBeta=true", &["AllBeta"]),
        ("TestAlpha=true,AllBeta=false", &["TestAlpha"]),
    ] {
        let gates = alpha_and_beta();
        gates.set_from_flag(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_on(&gates, on, &all, text);
    }
}

/// FG-T1, the refused ones.
#[test]
fn the_flag_refuses_what_upstream_refuses_with_its_messages() {
    for (text, expected) in [
        (
            "TestLockedFalse=true",
            "cannot set feature gate TestLockedFalse to true, feature is locked to false",
        ),
        ("fooBarBaz=true", "unrecognized feature gate: fooBarBaz"),
        ("AllAlpha=banana", "invalid value of AllAlpha"),
        ("AllBeta=banana", "invalid value of AllBeta"),
        ("TestAlpha", "missing bool value for TestAlpha"),
    ] {
        let gates = alpha_and_beta();
        let error = message(gates.set_from_flag(text));
        assert!(error.contains(expected), "{error}");
        assert_on(&gates, &[], &["AllAlpha", "AllBeta", "TestAlpha", "TestBeta", "TestLockedFalse"], text);
    }
}

/// FG-T2 (`TestFeatureGateOverride`) and FG-T3 (`TestFeatureGateFlagDefaults`).
#[test]
fn a_later_set_overrides_an_earlier_one_and_unset_gates_have_their_default() {
    let gates = unversioned(&[("TestAlpha", Stage::Alpha, false), ("TestBeta", Stage::Beta, true)]);
    assert_on(&gates, &["TestBeta"], &["TestAlpha", "TestBeta"], "nothing");
    gates.set("TestAlpha=true,TestBeta=true").expect("accepted");
    gates.validate().expect("valid");
    assert_on(&gates, &["TestAlpha", "TestBeta"], &["TestAlpha", "TestBeta"], "both");
    gates.set("TestAlpha=false").expect("accepted");
    gates.validate().expect("valid");
    assert_on(&gates, &["TestBeta"], &["TestAlpha", "TestBeta"], "one off again");
}

/// FG-T5 (`TestFeatureGateSetFromMap`).
#[test]
fn a_locked_gate_accepts_its_own_value_only() {
    let gates = alpha_and_beta();
    gates.set_from_map([("TestAlpha", true), ("TestBeta", true)]).expect("accepted");
    assert_on(&gates, &["TestAlpha", "TestBeta"], &["TestAlpha", "TestBeta"], "a map");
    gates.set_from_map([("TestLockedTrue", true), ("TestLockedFalse", false)]).expect("its own values");

    for (name, value) in [("TestLockedTrue", false), ("TestLockedFalse", true)] {
        let error = message(alpha_and_beta().set_from_map([(name, value)]));
        let expected = format!("cannot set feature gate {name} to {value}, feature is locked to {}", !value);
        assert_eq!(error, expected);
    }
    assert!(message(gates.set_from_map([("TestInvalid", true)])).contains("unrecognized feature gate:"));
}

/// FG-T7 (`TestFeatureGateString`).
#[test]
fn display_prints_the_set_gates_sorted_by_name() {
    let gates = unversioned(&[
        ("TestGA", Stage::Ga, true),
        ("TestAlpha", Stage::Alpha, false),
        ("TestBeta", Stage::Beta, true),
    ]);
    assert_eq!(gates.to_string(), "");
    gates.set_from_map([("TestAlpha", false)]).expect("accepted");
    assert_eq!(gates.to_string(), "TestAlpha=false");
    gates.set_from_map([("TestGA", true), ("TestBeta", true)]).expect("accepted");
    assert_eq!(gates.to_string(), "TestAlpha=false,TestBeta=true,TestGA=true");
}

/// FG-T9 (`TestVersionedFeatureGateFlag`): a 1.29 binary that emulates 1.28.
fn emulating_128() -> FeatureGates {
    let gates = FeatureGates::builder("test", V129)
        .gate(
            "TestGA",
            "",
            [
                Spec::new(Version::new(1, 27), Stage::Alpha, false),
                Spec::new(V128, Stage::Beta, false),
                Spec::new(V129, Stage::Ga, true),
            ],
        )
        .gate("TestAlpha", "", [Spec::new(V129, Stage::Alpha, false)])
        .gate("TestBeta", "", [Spec::new(V128, Stage::Alpha, false), Spec::new(V129, Stage::Beta, false)])
        .gate(
            "TestLockedFalse",
            "",
            [Spec::new(V128, Stage::Ga, false), Spec::new(V129, Stage::Ga, false).lock_to_default()],
        )
        .gate(
            "TestCompatibility",
            "",
            [
                Spec::new(V128, Stage::Beta, false),
                Spec::new(V128, Stage::Beta, true).with_min_compatibility(V128),
                Spec::new(V129, Stage::Ga, true).lock_to_default(),
            ],
        )
        .gate("TestAlphaNoVersion", "", [Spec::new(Version::ALWAYS, Stage::Alpha, false)])
        .gate("TestBetaNoVersion", "", [Spec::new(Version::ALWAYS, Stage::Beta, false)])
        .build()
        .expect("valid gates");
    gates.set_emulation_version(V128).expect("older");
    gates
}

/// FG-T9, the accepted ones.
#[test]
fn the_flag_sets_gates_as_they_are_at_the_emulated_version() {
    let all = [
        "AllAlpha",
        "AllBeta",
        "TestGA",
        "TestAlpha",
        "TestBeta",
        "TestLockedFalse",
        "TestCompatibility",
        "TestAlphaNoVersion",
        "TestBetaNoVersion",
    ];
    for (text, on) in [
        ("", &[][..]),
        ("TestLockedFalse=true", &["TestLockedFalse"]),
        ("AllAlpha=false", &[]),
        ("AllAlpha=true", &["AllAlpha", "TestBeta", "TestAlphaNoVersion"]),
        ("AllAlpha=false,TestAlphaNoVersion=true", &["TestAlphaNoVersion"]),
        ("AllAlpha=true,TestAlphaNoVersion=false", &["AllAlpha", "TestBeta"]),
        (
            "TestBeta=true,TestBetaNoVersion=true,TestGA=true,AllAlpha=false",
            &["TestGA", "TestBeta", "TestBetaNoVersion"],
        ),
        ("AllBeta=false", &[]),
        ("AllBeta=true", &["AllBeta", "TestGA", "TestBetaNoVersion", "TestCompatibility"]),
        (
            "AllBeta=false,TestBeta=true,TestBetaNoVersion=true,TestGA=true",
            &["TestGA", "TestBeta", "TestBetaNoVersion"],
        ),
        ("TestBeta=true,TestBetaNoVersion=true,AllBeta=false", &["TestBeta", "TestBetaNoVersion"]),
        (
            "AllBeta=true,TestBetaNoVersion=false,TestBeta=false,TestGA=false",
            &["AllBeta", "TestCompatibility"],
        ),
        ("TestBeta=false,TestBetaNoVersion=false,AllBeta=true", &["AllBeta", "TestGA", "TestCompatibility"]),
        ("TestCompatibility=true", &["TestCompatibility"]),
    ] {
        let gates = emulating_128();
        gates.set_from_flag(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_on(&gates, on, &all, text);
    }
}

/// FG-T9, the refused cases: a gate of a later version is refused for either value.
#[test]
fn a_gate_of_a_later_version_cannot_be_set_to_anything() {
    for (text, value) in [
        ("AllAlpha=false,TestAlpha=true,TestAlphaNoVersion=true", true),
        ("TestAlpha=true,TestAlphaNoVersion=true,AllAlpha=false", true),
        ("AllAlpha=true,TestAlpha=false,TestAlphaNoVersion=false", false),
        ("TestAlpha=false,TestAlphaNoVersion=false,AllAlpha=true", false),
        ("TestAlpha=true,AllBeta=false", true),
    ] {
        let error = emulating_128().set_from_flag(text).expect_err(text);
        let expected = format!(
            "cannot set feature gate TestAlpha to {value}, feature is PreAlpha at emulated version 1.28, \
             min compatibility version 1.27"
        );
        assert_eq!(error.to_string(), expected);
        assert!(error.problems().all(Problem::is_not_available));
    }
}

/// Guarantee 3.
#[test]
fn on_any_error_no_gate_has_changed_and_every_problem_is_named() {
    let gates = alpha_and_beta();
    let text = "TestAlpha=true,TestLockedTrue=0,TestBetaa=1,TestLockedFalse=1";
    let error = gates.set(text).expect_err("three of four are wrong");
    assert_eq!(error.problems().len(), 3);
    assert_eq!(
        error.to_string(),
        "unrecognized feature gate: TestBetaa (did you mean TestBeta?); \
         cannot set feature gate TestLockedFalse to true, feature is locked to false; \
         cannot set feature gate TestLockedTrue to false, feature is locked to true"
    );
    assert_on(&gates, &[], &["TestAlpha"], text);

    let error = gates.set("TestAlpha=maybe,TestBetaa=1,TestBeta").expect_err("all are wrong");
    let kinds: Vec<_> =
        error.problems().map(|problem| (problem.is_malformed(), problem.is_unknown())).collect();
    assert_eq!(kinds, [(true, false), (true, false), (false, true)]);
}

/// As upstream: flags may be read before the emulation version is known.
#[test]
fn a_refused_request_is_kept_and_evaluated_again_at_another_version() {
    let gates = emulating_128();
    gates.set("TestAlpha=true").expect_err("not there yet");
    assert_eq!(gates.is_enabled("TestAlpha"), Some(false));
    assert!(gates.validate().is_err());
    gates.set("TestBeta=true").expect_err("the first request stands");
    gates.set_emulation_version(V129).expect("both exist there");
    assert_on(&gates, &["TestAlpha", "TestBeta"], &["TestAlpha", "TestBeta"], "1.29");

    gates.set_emulation_version(V128).expect_err("TestAlpha is requested");
    assert_eq!(gates.emulation_version(), V129, "nothing changed");
    gates.reset("TestAlpha").expect("not frozen");
    gates.set_emulation_version(V128).expect("it is not requested any more");
}

#[test]
fn a_malformed_text_leaves_nothing_behind() {
    let gates = alpha_and_beta();
    gates.set("TestAlpha=true,TestBeta").expect_err("malformed");
    gates.validate().expect("nothing was kept");
    gates.set("TestBeta=true").expect("accepted");
    assert_on(&gates, &["TestBeta"], &["TestAlpha", "TestBeta"], "TestBeta=true");
}

/// Guarantee 5. FG-T8 and FG-T18 cover the calls that are refused once the defaults are closed.
#[test]
fn a_frozen_registry_refuses_every_change() {
    let gates = alpha_and_beta();
    gates.set("TestAlpha=true").expect("accepted");
    gates.freeze();
    assert!(gates.is_frozen());
    let refused = "cannot set feature gate TestBeta: the gates are frozen";
    assert_eq!(message(gates.set("TestBeta=true")), refused);
    assert_eq!(message(gates.set_from_flag("TestBeta=true")), refused);
    assert_eq!(message(gates.reset("TestBeta")), refused);
    assert_eq!(message(gates.override_default("TestBeta", true)), refused);
    assert!(message(gates.set_emulation_version(V128)).contains("frozen"));
    let variable = |name: &str| (name == "KUBE_FEATURE_TestBeta").then(|| "true".to_owned());
    assert_eq!(message(gates.set_from_variables(variable)), refused);
    assert_on(&gates, &["TestAlpha"], &["TestAlpha", "TestBeta"], "frozen");

    let copy = gates.deep_copy_and_reset();
    copy.set("TestBeta=true").expect("a copy that was reset is not frozen");
    assert!(message(gates.deep_copy().set("TestBeta=true")).contains("frozen"), "a plain copy is");
}
