//! Declared gates: reading them, installing a registry, explaining their state.

use trimtab_featuregate::{FeatureGates, GateSet, Source, Stage, Version};

mod features {
    trimtab_featuregate::gates! {
        /// The gates of this test.
        pub set Features;

        /// Reads long lists as a stream.
        pub STREAMING_LISTS = "StreamingLists" {
            1.31 => Alpha, off;
            1.33 => Beta, on;
            1.35 => Ga, locked;
        }

        /// Waits until the cache shows the controller's own writes.
        ///
        /// Costs a lookup in the ledger per key.
        pub STRICT_LEDGER = "StrictLedger" depends_on [STREAMING_LISTS] {
            1.34 => Beta, off;
            1.34 and min_compatibility 1.34 => Beta, on;
        }

        /// Never.
        pub(crate) GONE = "Gone" { 1.0 => Ga, on; 1.35 => Deprecated, locked off }
    }
}

mod installed {
    trimtab_featuregate::gates! {
        /// A set of its own for the test that installs registries, because an installed registry is global to
        /// the process.
        pub set Installed;

        /// Off by default.
        pub FIRST = "First" { 0.0 => Alpha, off }

        /// Off by default.
        pub SECOND = "Second" depends_on [FIRST] { 0.0 => Alpha, off }
    }
}

mod early {
    trimtab_featuregate::gates! {
        /// A set without an installed registry.
        pub set Early;

        /// On at its newest version.
        pub ON = "On" { 1.30 => Alpha, off; 1.90 => Beta, on }
    }
}

fn gates(minor: u16) -> FeatureGates {
    let builder = FeatureGates::builder("web", Version::new(1, 36)).gates::<features::Features>();
    builder.emulation_version(Version::new(1, minor)).build().expect("valid gates")
}

#[test]
fn the_specs_of_a_declared_gate_hold_version_by_version() {
    for (minor, streaming, stage) in [
        (30, false, Stage::PreAlpha),
        (31, false, Stage::Alpha),
        (33, true, Stage::Beta),
        (36, true, Stage::Ga),
    ] {
        let gates = gates(minor);
        assert_eq!(gates.enabled(features::STREAMING_LISTS), streaming, "1.{minor}");
        assert_eq!(gates.explain(features::STREAMING_LISTS).map(|gate| gate.stage), Some(stage));
    }
    let locked_off = gates(36).explain(features::GONE).expect("declared");
    assert_eq!((locked_off.enabled, locked_off.locked), (false, true));
    assert!(!gates(34).enabled(features::STRICT_LEDGER), "compatible with 1.33");
    assert!(gates(35).enabled(features::STRICT_LEDGER), "compatible with 1.34");
}

/// Guarantee 1, as far as a test can observe it: a read sees the last change, in each registry separately.
#[test]
fn the_installed_registry_is_the_one_that_is_read() {
    let one = FeatureGates::builder("one", Version::new(1, 0)).gates::<installed::Installed>().build();
    let one = one.expect("valid gates");
    one.set("First=true").expect("accepted");
    assert!(!installed::FIRST.enabled(), "not installed yet");
    one.install();
    assert!(installed::FIRST.enabled());
    one.set_from_map([(installed::SECOND, true)]).expect("its dependency is on");
    assert!(installed::SECOND.enabled());
    assert_eq!(installed::Installed::gates().name(), "one");

    let two = FeatureGates::builder("two", Version::new(1, 0)).gates::<installed::Installed>().build();
    let two = two.expect("valid gates");
    two.install();
    assert!(!installed::FIRST.enabled(), "the one installed last");
    one.set("First=false,Second=false").expect("accepted");
    two.set("First=true").expect("accepted");
    assert!(installed::FIRST.enabled() && !one.enabled(installed::FIRST) && two.enabled(installed::FIRST));

    let copy = two.deep_copy();
    copy.set("First=false").expect("accepted");
    assert!(
        installed::FIRST.enabled() && !copy.enabled(installed::FIRST),
        "only `enabled` of the copy reads it"
    );
}

/// EV-T5: gates are flattened to the newest version for a program without a registry.
#[test]
fn without_a_registry_a_gate_is_at_its_newest_version_and_early_reads_are_counted() {
    assert_eq!(early::Early::early_reads(), 0);
    assert!(early::ON.enabled());
    assert!(early::ON.enabled());
    assert_eq!(early::Early::early_reads(), 1, "one gate, once");
    assert_eq!(early::ON.explain().stage, Stage::Beta);
    assert_eq!(early::Early::gates().name(), "Early");
}

/// EV-T5: a host may take a library's gates with or without the library's versions.
#[test]
fn a_host_takes_a_librarys_gates_with_or_without_their_versions() {
    let host = || FeatureGates::builder("host", Version::new(0, 3));
    let versioned = host().gates::<features::Features>().build().expect("valid gates");
    assert!(!versioned.enabled(features::STREAMING_LISTS), "not there at 0.3");
    let flattened = host().gates_unversioned::<features::Features>().build().expect("valid gates");
    assert!(flattened.enabled(features::STREAMING_LISTS));
    assert_eq!(flattened.explain(features::STREAMING_LISTS).map(|gate| gate.locked), Some(true));
}

#[test]
#[should_panic(
    expected = "gate On of Early is read in the feature gates of web, to which that set was not added"
)]
fn a_gate_of_another_set_panics_in_a_registry() {
    gates(35).enabled(early::ON);
}

#[test]
fn explain_shows_value_stage_source_and_dependencies() {
    let gates = gates(34);
    gates.set_from_file([("StrictLedger", false)]).expect("accepted");
    gates.set_from_flag("AllBeta=true").expect("accepted");
    let ledger = gates.explain(features::STRICT_LEDGER).expect("declared");
    assert_eq!(
        ledger.to_string(),
        "StrictLedger is off: from file\n  \
           stage: BETA since 1.34, default off\n  \
           requested: file off\n  \
           depends on: StreamingLists on\n  \
           Waits until the cache shows the controller's own writes.\n\n  \
           Costs a lookup in the ledger per key."
            .replace("\n\n", "\n  \n")
    );
    let streaming = gates.explain("StreamingLists").expect("declared");
    assert_eq!((streaming.source, streaming.through), (Source::Flag, Some("AllBeta")));
    assert!(streaming.to_string().starts_with("StreamingLists is on: AllBeta, from flag\n"));
    assert!(streaming.to_string().contains("\n  required by: StrictLedger off\n"));
    gates.override_default("Gone", false).expect("not locked yet");
    let gone = gates.explain("Gone").expect("declared");
    assert!(gone.to_string().starts_with("Gone is off: the default, which the program overrode\n"));
}

/// Every later source takes precedence over every earlier one, in any order of the calls.
#[test]
fn precedence_is_default_override_file_environment_flag_set_test() {
    let gates = FeatureGates::builder("web", Version::new(1, 0)).gates::<installed::Installed>();
    let gates = gates.build().expect("valid gates");
    let source = || gates.explain("First").map(|gate| (gate.source, gate.enabled)).expect("declared");
    assert_eq!(source(), (Source::Default, false));
    gates.set("First=true").expect("accepted");
    gates.set_from_flag("First=false").expect("accepted");
    gates.set_from_variables(|name| (name == "KUBE_FEATURE_First").then(|| "true".into())).expect("accepted");
    gates.set_from_file([("First", false)]).expect("accepted");
    gates.override_default("First", true).expect("not locked");
    assert_eq!(source(), (Source::Set, true));
    let requests = gates.explain("First").map(|gate| gate.requests).expect("declared");
    use Source::{Environment, File, Flag, Set};
    assert_eq!(requests, [(File, false), (Environment, true), (Flag, false), (Set, true)]);
    let _test = gates.test().set("First", false).enter();
    assert_eq!(source(), (Source::Test, false));
}

#[test]
fn a_snapshot_is_a_table_for_a_debug_page() {
    let gates = gates(34);
    gates.set_from_flag("AllBeta=true").expect("accepted");
    let snapshot = gates.snapshot();
    assert_eq!(
        snapshot.to_string(),
        "web 1.36, emulating 1.34, compatible with 1.33 and later\n\
         GATE            VALUE  STAGE       DEFAULT  LOCKED  SOURCE\n\
         AllAlpha        off    ALPHA       off              default\n\
         AllBeta         on     BETA        off              flag\n\
         Gone            on     GA          on               default\n\
         StreamingLists  on     BETA        on               flag (AllBeta)\n\
         StrictLedger    on     BETA        off              flag (AllBeta)\n"
    );
    assert_eq!(snapshot.gate(features::GONE).map(|gate| gate.enabled), Some(true));
}
