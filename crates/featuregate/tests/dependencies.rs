//! Dependencies between gates, after upstream's tests; and the problems that a builder reports.

use Stage::{Alpha, Beta, Ga};
use trimtab_featuregate::{FeatureGates, Problem, Spec, Stage, Version};

type Specs = Vec<Spec>;

fn off(minor: u16, stage: Stage) -> Spec {
    Spec::new(Version::new(1, minor), stage, false)
}

fn on(minor: u16, stage: Stage) -> Spec {
    Spec::new(Version::new(1, minor), stage, true)
}

fn build(
    gates_and_specs: &[(&str, Specs)],
    dependencies: &[(&str, &[&str])],
) -> Result<FeatureGates, String> {
    let mut builder = FeatureGates::builder("test", Version::new(1, 37));
    for (name, specs) in gates_and_specs {
        builder = builder.gate(name, "", specs);
    }
    for (gate, dependencies) in dependencies {
        builder = builder.depends_on(gate, *dependencies);
    }
    builder.build().map_err(|error| error.to_string())
}

fn three() -> Vec<(&'static str, Specs)> {
    ["A", "B", "C"].map(|name| (name, vec![off(29, Ga)])).to_vec()
}

/// FG-T18 (`TestAddDependencies`): names and cycles.
#[test]
fn unknown_dependencies_and_cycles_are_refused_by_name() {
    for (dependencies, expected) in [
        (&[("A", &["X"][..])][..], "cannot add dependency from A to unknown feature X"),
        (&[("X", &["A"])], "cannot add dependency for unknown feature X"),
        (&[("A", &["A"])], "cycle detected with feature A"),
        (
            &[("A", &["B"]), ("B", &["C"]), ("C", &["A"])],
            "cycle detected with feature A; cycle detected with feature B; cycle detected with feature C",
        ),
    ] {
        assert_eq!(build(&three(), dependencies).expect_err("refused"), expected);
    }
    build(&three(), &[("A", &["B", "C"]), ("B", &["C"])]).expect("two ways to one gate are no circle");
}

/// FG-T18: dependencies that are declared in two places are merged.
#[test]
fn dependencies_are_merged_and_survive_copies() {
    let gates = build(&three(), &[("A", &["B"]), ("A", &["C", "B"])]).expect("valid");
    for gates in [gates.clone(), gates.deep_copy(), gates.deep_copy_and_reset()] {
        let explained = gates.explain("A").expect("declared");
        assert_eq!(explained.dependencies, [("B".into(), false), ("C".into(), false)]);
        let error = gates.set("A=true").expect_err("B and C are off");
        assert_eq!(error.to_string(), "A is enabled, but depends on features that are disabled: [B C]");
    }
}

/// FG-T18: stability, defaults and locks, at every spec of a gate.
#[test]
fn a_dependency_must_be_as_stable_as_default_on_and_as_locked() {
    let locked = |spec: Spec| spec.lock_to_default();
    let stability = "feature A cannot depend on less stable feature B at version";
    let default = "default-enabled feature A cannot depend on default-disabled feature B at version";
    let lock = "locked-to-default feature A cannot depend on unlocked feature B at version";
    for (a, b, expected) in [
        (vec![off(29, Beta), off(30, Ga)], vec![off(29, Beta), off(30, Ga)], None),
        (vec![off(29, Beta)], vec![off(29, Alpha)], Some((stability, "1.29"))),
        (vec![off(29, Alpha), off(30, Beta)], vec![off(29, Alpha), on(30, Alpha)], Some((stability, "1.30"))),
        (
            vec![off(29, Alpha), off(30, Beta), off(32, Ga)],
            vec![off(29, Alpha), off(31, Beta), off(32, Ga)],
            Some((stability, "1.30")),
        ),
        (vec![off(29, Alpha), off(31, Beta)], vec![off(30, Alpha), off(31, Beta)], None),
        (vec![on(29, Beta)], vec![on(29, Beta)], None),
        (vec![off(29, Beta)], vec![on(29, Beta)], None),
        (vec![on(29, Beta)], vec![off(29, Beta)], Some((default, "1.29"))),
        (vec![off(29, Alpha), on(30, Beta)], vec![off(29, Alpha), off(30, Beta)], Some((default, "1.30"))),
        (vec![on(29, Beta)], vec![off(29, Beta), on(30, Beta)], Some((default, "1.29"))),
        (vec![locked(on(29, Ga))], vec![locked(on(29, Ga))], None),
        (vec![locked(on(29, Ga))], vec![on(29, Ga)], Some((lock, "1.29"))),
        (vec![on(29, Ga), locked(on(30, Ga))], vec![on(29, Ga)], Some((lock, "1.30"))),
    ] {
        let outcome = build(&[("A", a.clone()), ("B", b.clone())], &[("A", &["B"])]);
        let expected = expected.map(|(rule, version)| format!("{rule} {version}"));
        assert_eq!(outcome.err(), expected, "{a:?} dependencies {b:?}");
    }
}

/// FG-T19 (`TestValidateDependencies`).
#[test]
fn a_gate_cannot_be_on_while_a_dependency_is_off() {
    let gates_and_specs = ["A", "B", "C", "D"].map(|name| (name, vec![off(0, Alpha)]));
    let dependencies: &[(&str, &[&str])] = &[("A", &["B", "C"]), ("B", &["D"])];
    for (text, expected) in [
        ("A=1,B=1,C=1,D=1", None),
        ("A=1,B=0,C=1,D=1", Some("A is enabled, but depends on features that are disabled: [B]")),
        ("A=1,B=1,C=0,D=1", Some("A is enabled, but depends on features that are disabled: [C]")),
        ("A=1,B=0,C=0,D=1", Some("A is enabled, but depends on features that are disabled: [B C]")),
        ("A=1,B=1,C=1,D=0", Some("B is enabled, but depends on features that are disabled: [D]")),
        ("A=0,B=0,C=1,D=1", None),
        ("", None),
    ] {
        let gates = build(&gates_and_specs, dependencies).expect("valid");
        let outcome = gates.set(text).map_err(|error| error.to_string());
        assert_eq!(outcome.err().as_deref(), expected, "{text}");
    }
}

fn assert_on_without(gates: &FeatureGates, gate: &str, dependency: &str) {
    assert_eq!((gates.is_enabled(gate), gates.is_enabled(dependency)), (Some(true), Some(false)));
    let error = gates.validate().expect_err("a dependency is off");
    let dependencies: Vec<_> = error.problems().flat_map(Problem::disabled_dependencies).collect();
    assert_eq!(dependencies, [dependency]);
}

/// Guarantee 4, and two of its exceptions.
#[test]
fn a_gate_whose_dependency_was_reset_is_reported_by_validate() {
    let gates = build(&three(), &[("A", &["B"])]).expect("valid");
    gates.set("A=true,B=true").expect("as a group");
    gates.reset("B").expect("not frozen");
    assert_on_without(&gates, "A", "B");
    gates.reset("A").expect("not frozen");
    gates.validate().expect("both are off");
    gates.override_default("A", true).expect("not locked");
    assert_on_without(&gates, "A", "B");
}

/// Guarantee 4, the third exception: a builder compares defaults only at the versions where the gate has a spec.
#[test]
fn a_gate_whose_dependency_is_off_again_at_a_later_version_is_reported_by_validate() {
    let gates_and_specs = [("A", vec![on(30, Beta)]), ("B", vec![on(30, Beta), off(32, Beta)])];
    let gates = build(&gates_and_specs, &[("A", &["B"])]).expect("valid");
    assert_on_without(&gates, "A", "B");
    gates.set_emulation_version(Version::new(1, 31)).expect("B is on there");
    gates.validate().expect("both are on");
}

/// FG-T17: "conflicting specs"; all problems are reported, each with gate and version.
#[test]
fn all_problems_of_the_gates_are_reported_together() {
    let error = build(
        &[
            ("A", vec![off(29, Alpha)]),
            ("A", vec![off(29, Alpha)]),
            ("A", vec![off(29, Alpha), on(30, Beta)]),
            ("B", vec![off(30, Beta), on(29, Beta)]),
            ("C", vec![]),
            ("AllAlpha", vec![on(29, Ga)]),
        ],
        &[("A", &["X"])],
    )
    .expect_err("wrong in several ways");
    assert_eq!(
        error,
        "feature gate A with different spec already exists, at version 1.30; \
         feature B at version 1.29: version transitions are in decreasing order; \
         feature C: a gate needs at least one version; \
         feature gate AllAlpha with different spec already exists, at version 1.29; \
         cannot add dependency from A to unknown feature X"
    );
}
