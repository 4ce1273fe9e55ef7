//! Versions, defaults and copies, after upstream's tests of versioned gates.

use trimtab_featuregate::{FeatureGates, FeatureGatesBuilder, Source, Spec, Stage, Version};

const fn v(minor: u16) -> Version {
    Version::new(1, minor)
}

fn off(minor: u16, stage: Stage) -> Spec {
    Spec::new(v(minor), stage, false)
}

fn on(minor: u16, stage: Stage) -> Spec {
    Spec::new(v(minor), stage, true)
}

fn gates(declare: impl FnOnce(FeatureGatesBuilder) -> FeatureGatesBuilder) -> FeatureGates {
    declare(FeatureGates::builder("test", v(29))).build().expect("valid gates")
}

fn is_on(gates: &FeatureGates, name: &str) -> bool {
    gates.is_enabled(name).expect("a declared gate")
}

/// FG-T10 (`TestVersionedFeatureGateFlagDefaults`).
#[test]
fn defaults_and_stages_are_those_of_the_emulated_version() {
    use Stage::{Alpha, Beta, Ga};
    let gates = gates(|gates| {
        gates
            .gate("TestGA", "", [on(25, Alpha), on(27, Beta), on(29, Ga)])
            .gate("TestAlpha", "", [off(29, Alpha)])
            .gate("TestBeta", "", [off(26, Alpha), off(28, Beta), on(29, Beta)])
    });
    gates.set_emulation_version(v(28)).expect("older");
    let at = |name| gates.explain(name).map(|gate| (gate.enabled, gate.stage, gate.since)).expect(name);
    assert_eq!(at("TestAlpha"), (false, Stage::PreAlpha, None));
    assert_eq!(at("TestBeta"), (false, Beta, Some(v(28))));
    assert_eq!(at("TestGA"), (true, Beta, Some(v(27))));
    assert_eq!(gates.explain("NonExist"), None);
    let snapshot = gates.snapshot();
    let there = snapshot.gates.iter().filter(|gate| gate.stage != Stage::PreAlpha).map(|gate| &*gate.gate);
    assert_eq!(there.collect::<Vec<_>>(), ["AllAlpha", "AllBeta", "TestBeta", "TestGA"]);
}

/// FG-T10 (`TestVersionedFeatureGateOverride`).
#[test]
fn a_version_without_a_gate_that_was_set_cannot_be_emulated() {
    let gates = gates(|gates| {
        gates.gate("TestAlpha", "", [off(29, Stage::Alpha)]).gate(
            "TestBeta",
            "",
            [off(28, Stage::Alpha), off(29, Stage::Beta)],
        )
    });
    gates.set("TestAlpha=true,TestBeta=true").expect("accepted");
    gates.set("TestAlpha=false").expect("accepted");
    assert!(!is_on(&gates, "TestAlpha") && is_on(&gates, "TestBeta"));
    gates.validate().expect("valid");
    let error = gates.set_emulation_version(v(28)).expect_err("TestAlpha is set");
    assert!(error.problems().all(|problem| problem.gate() == Some("TestAlpha")));
}

/// FG-T8 and FG-T10 (`TestFeatureGateOverrideDefault` and its versioned twin).
#[test]
fn an_overridden_default_holds_until_the_gate_is_set() {
    let gates =
        gates(|gates| gates.gate("One", "", [on(28, Stage::Ga)]).gate("Two", "", [off(26, Stage::Ga)]));
    gates.override_default("One", false).expect("not locked");
    gates.override_default("Two", true).expect("not locked");
    assert!(!is_on(&gates, "One") && is_on(&gates, "Two"));
    assert_eq!(gates.explain("Two").map(|gate| gate.source), Some(Source::Override));
    gates.set_from_map([("One", true)]).expect("accepted");
    assert!(is_on(&gates, "One"), "an explicit value wins");
}

/// FG-T8: copies.
#[test]
fn copies_keep_overridden_defaults_and_share_nothing() {
    let gates = gates(|gates| gates.gate("Test", "", [off(28, Stage::Ga), on(29, Stage::Ga)]));
    gates.set_emulation_version(v(28)).expect("older");
    let before = gates.deep_copy();
    let reset_before = gates.deep_copy_and_reset();
    gates.override_default("Test", true).expect("not locked");
    gates.override_default_at("Test", false, v(29)).expect("not locked");
    let after = gates.deep_copy();
    let reset_after = gates.deep_copy_and_reset();
    let values = [&gates, &before, &reset_before, &after, &reset_after].map(|gates| is_on(gates, "Test"));
    assert_eq!(values, [true, false, false, true, true]);

    gates.set_emulation_version(v(29)).expect("the binary's");
    assert!(!is_on(&gates, "Test") && !is_on(&before, "Test"));
    before.set_emulation_version(v(29)).expect("the binary's");
    assert!(is_on(&before, "Test"), "declared so, and not overridden there");
}

/// FG-T8: refused overrides. "Re-registration refused" has no test, because no gate can be added to a
/// registry.
#[test]
fn a_default_that_is_locked_unknown_or_closed_cannot_be_overridden() {
    let gates = gates(|gates| {
        gates
            .gate("Locked", "", [on(28, Stage::Ga).lock_to_default()])
            .gate("LockedLater", "", [on(28, Stage::Ga), on(29, Stage::Ga).lock_to_default()])
            .gate("Later", "", [off(29, Stage::Ga)])
            .gate("Test", "", [off(28, Stage::Ga)])
    });
    gates.set_emulation_version(v(28)).expect("older");
    let refused = |name, value| gates.override_default(name, value).expect_err(name).to_string();
    for value in [true, false] {
        assert!(refused("Locked", value).contains("feature Locked default is locked to true"));
    }
    assert!(refused("Unknown", true).contains("unrecognized feature gate: Unknown"));
    assert!(refused("Later", true).contains("feature Later is not available before version 1.28"));
    gates.override_default("LockedLater", false).expect("not locked yet");
    assert!(!is_on(&gates, "LockedLater"));
    gates.close();
    assert!(refused("Test", true).contains("gates already added to a flag"));
    gates.set("Test=true").expect("closed for defaults only");
}

/// FG-T11: an override at a version changes only the spec that holds there.
#[test]
fn a_default_can_be_overridden_for_one_spec_of_a_gate() {
    let gates = gates(|gates| {
        gates.gate("One", "", [on(28, Stage::Beta)]).gate(
            "Two",
            "",
            [off(26, Stage::Alpha), off(29, Stage::Beta)],
        )
    });
    gates.set_emulation_version(v(28)).expect("older");
    let error = gates.override_default_at("One", false, v(27)).expect_err("not there at 1.27");
    assert!(error.to_string().contains("not available before version 1.27"), "{error}");
    gates.override_default_at("Two", true, v(27)).expect("its step holds at 1.27");
    for (minor, one, two) in [(28, true, true), (29, true, false), (26, false, true)] {
        gates.set_emulation_version(v(minor)).expect("nothing is set");
        assert_eq!((is_on(&gates, "One"), is_on(&gates, "Two")), (one, two), "at 1.{minor}");
    }
}

fn compatible(minor: u16) -> Spec {
    on(minor, Stage::Beta).with_min_compatibility(v(minor))
}

/// FG-T12 (`TestFeatureGateMinCompatibilityVersion`).
#[test]
fn a_spec_with_a_min_compatibility_version_waits_for_it() {
    let gates = FeatureGates::builder("test", v(30))
        .min_compatibility_version(v(27))
        .gate("A", "", [off(29, Stage::Alpha), off(30, Stage::Beta), compatible(30)])
        .gate("B", "", [off(30, Stage::Beta), compatible(30)])
        .gate("C", "", [off(28, Stage::Beta), compatible(28), on(30, Stage::Ga).lock_to_default()])
        .build()
        .expect("valid gates");
    let all = "AllAlpha=true|false (ALPHA - default=false)\nAllBeta=true|false (BETA - default=false)\n";
    assert_eq!(
        gates.known().join("\n"),
        [
            "A=true|false (BETA - default=false), or \
             A=true|false (BETA - default=true) if --min-compatibility-version>=1.30\n",
            all,
            "B=true|false (BETA - default=false), or \
             B=true|false (BETA - default=true) if --min-compatibility-version>=1.30\n\
             C=true|false (BETA - default=false)",
        ]
        .concat()
    );
    assert!(["A", "B", "C"].into_iter().all(|name| !is_on(&gates, name)));
    gates.override_default("A", true).expect("not locked");
    assert!(is_on(&gates, "A"));
    gates.set("A=false,B=true,C=true").expect("can be set all the same");
    assert!(!is_on(&gates, "A") && is_on(&gates, "B") && is_on(&gates, "C"));

    let gates = gates.deep_copy_and_reset();
    gates.set_versions(v(30), v(30)).expect("nothing is set");
    assert_eq!(
        gates.known().join("\n"),
        ["A=true|false (BETA - default=true)\n", all, "B=true|false (BETA - default=true)"].concat()
    );
    assert!(["A", "B", "C"].into_iter().all(|name| is_on(&gates, name)));
    gates.set("B=false").expect("not locked");
    assert!(!is_on(&gates, "B"));
    gates.reset("B").expect("not frozen");
    assert!(is_on(&gates, "B"));
    gates.override_default("B", false).expect("not locked");
    assert!(!is_on(&gates, "B"));
    gates.override_default("C", false).expect_err("locked");
    gates.set("C=false").expect_err("locked");
}

/// FG-T4, FG-T10 (`TestVersionedFeatureGateKnownFeatures…`).
#[test]
fn known_lines_leave_out_stable_deprecated_and_missing_gates() {
    use Stage::{Alpha, Beta, Deprecated, Ga};
    let gates = gates(|gates| {
        gates
            .gate("TestGA", "", [off(26, Beta), compatible(26), on(28, Ga)])
            .gate("TestPreAlpha", "", [off(29, Alpha)])
            .gate("TestAlpha", "", [off(28, Alpha)])
            .gate("TestBeta", "", [off(28, Beta)])
            .gate("TestFastBeta", "", [off(28, Beta), compatible(28)])
            .gate("TestLatestFastBeta", "", [off(29, Beta), compatible(29)])
            .gate("TestDeprecated", "", [off(26, Alpha), on(28, Deprecated)])
            .gate("TestDeprecatedNoVersion", "", [Spec::new(Version::ALWAYS, Deprecated, false)])
            .gate("TestGANoVersion", "", [Spec::new(Version::ALWAYS, Ga, false)])
    });
    let common = [
        "AllAlpha=true|false (ALPHA - default=false)",
        "AllBeta=true|false (BETA - default=false)",
        "TestAlpha=true|false (ALPHA - default=false)",
        "TestBeta=true|false (BETA - default=false)",
    ];
    let with = |more: &[&'static str]| [&common[..], more].concat();
    assert_eq!(
        gates.known(),
        with(&[
            "TestFastBeta=true|false (BETA - default=true)",
            "TestLatestFastBeta=true|false (BETA - default=false), or \
             TestLatestFastBeta=true|false (BETA - default=true) if --min-compatibility-version>=1.29",
            "TestPreAlpha=true|false (ALPHA - default=false)",
        ])
    );
    gates.set_versions(v(28), v(28)).expect("nothing is set");
    assert_eq!(gates.known(), with(&["TestFastBeta=true|false (BETA - default=true)"]));
    gates.set_versions(v(28), v(26)).expect("nothing is set");
    assert_eq!(
        gates.known(),
        with(&["TestFastBeta=true|false (BETA - default=false), or \
                TestFastBeta=true|false (BETA - default=true) if --min-compatibility-version>=1.28"])
    );
    gates.override_default("TestAlpha", true).expect("not locked");
    assert!(gates.known().contains(&"TestAlpha=true|false (ALPHA - default=true)".to_owned()), "FG-T8");
}

/// FG-T14 (`TestCopyKnownFeatures`).
#[test]
fn a_copy_that_is_reset_has_no_values_but_all_gates() {
    let gates = gates(|gates| gates.gate("A", "", [off(0, Stage::Ga)]).gate("B", "", [off(0, Stage::Ga)]));
    gates.set("A=true").expect("accepted");
    gates.override_default("B", true).expect("not locked");
    let copy = gates.deep_copy_and_reset();
    assert!(is_on(&gates, "A") && is_on(&gates, "B"));
    assert!(!is_on(&copy, "A") && is_on(&copy, "B"));
    copy.set("B=false").expect("accepted");
    assert!(is_on(&gates, "B") && !is_on(&copy, "B"));
    copy.set("C=true").expect_err("unknown");
}

fn alpha_and_beta() -> FeatureGates {
    gates(|gates| {
        gates.gate("TestAlpha", "", [off(29, Stage::Alpha)]).gate(
            "TestBeta",
            "",
            [off(28, Stage::Alpha), on(29, Stage::Beta)],
        )
    })
}

/// FG-T15 (`TestExplicitlySet`).
#[test]
fn only_gates_requested_by_name_are_explicit() {
    for (text, explicit) in [
        ("", &[][..]),
        ("AllAlpha=true,TestBeta=false", &["AllAlpha", "TestBeta"]),
        ("AllAlpha=true,AllBeta=false", &["AllAlpha", "AllBeta"]),
    ] {
        let gates = alpha_and_beta();
        gates.set(text).expect("accepted");
        for name in ["AllAlpha", "AllBeta", "TestAlpha", "TestBeta"] {
            assert_eq!(gates.is_explicitly_set(name), explicit.contains(&name), "{name} after {text:?}");
        }
        assert_eq!(is_on(&gates, "TestAlpha"), text.contains("AllAlpha=true"));
    }
}

/// FG-T16 (`TestResetFeatureValueToDefault`). A deliberate difference: upstream leaves `TestAlpha` on after
/// `AllAlpha` was reset, until another version is emulated.
#[test]
fn gates_follow_all_alpha_only_until_it_is_reset_or_off() {
    let values = |gates: &FeatureGates| ["AllAlpha", "TestAlpha", "TestBeta"].map(|name| is_on(gates, name));
    let gates = alpha_and_beta();
    assert_eq!(values(&gates), [false, false, true]);
    gates.set("AllAlpha=true,TestBeta=false").expect("accepted");
    assert_eq!(values(&gates), [true, true, false]);
    gates.reset("AllAlpha").expect("not frozen");
    assert_eq!(values(&gates), [false, false, false]);
    gates.reset("TestBeta").expect("not frozen");
    assert_eq!(values(&gates), [false, false, true]);
    gates.set_emulation_version(v(28)).expect("older");
    assert_eq!(values(&gates), [false, false, false]);

    let gates = alpha_and_beta();
    gates.set("AllAlpha=true").expect("accepted");
    gates.set("AllAlpha=false").expect("accepted");
    assert_eq!(values(&gates), [false, false, true]);
}

#[test]
fn versions_newer_than_the_binary_or_the_emulated_one_are_refused() {
    let gates = alpha_and_beta();
    let error = gates.set_emulation_version(v(30)).expect_err("the binary is 1.29");
    assert_eq!(error.to_string(), "emulation version 1.30 is newer than the binary's 1.29");
    let error = gates.set_versions(v(28), v(29)).expect_err("compatible with less than it is");
    assert!(error.to_string().contains("min compatibility version 1.29"), "{error}");
    assert_eq!((gates.binary_version(), gates.emulation_version()), (v(29), v(29)));
    assert_eq!(gates.min_compatibility_version(), v(28));
}

#[test]
fn a_builder_refuses_versions_in_the_wrong_order() {
    let builder =
        FeatureGates::builder("test", v(29)).emulation_version(v(30)).min_compatibility_version(v(31));
    let error = builder.build().expect_err("the binary is 1.29");
    assert_eq!(
        error.to_string(),
        "emulation version 1.30 is newer than the binary's 1.29; \
         min compatibility version 1.31 is newer than the emulation version 1.30"
    );
}
