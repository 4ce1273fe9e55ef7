//! Setting gates from environment variables, after client-go's tests of its own gates.

use std::{env, process::Command};

use trimtab_featuregate::{FeatureGates, GateSet, SetError, Spec, Stage, Version};

mod client {
    trimtab_featuregate::gates! {
        /// The gates of a library, which are set from the environment if the program installs no registry.
        pub set Client, environment "KUBE_FEATURE_";

        /// Off by default.
        pub STREAMING_LISTS = "StreamingLists" { 1.30 => Alpha, off }

        /// On by default.
        pub BATCHES = "Batches" { 1.30 => Beta, on }

        /// Locked on.
        pub IN_ORDER = "InOrder" { 1.30 => Ga, locked }
    }
}

fn gates() -> FeatureGates {
    FeatureGates::builder("test", Version::new(1, 35))
        .environment_prefix("WEB_")
        .gates::<client::Client>()
        .gate("Later", "", [Spec::new(Version::new(1, 35), Stage::Alpha, false)])
        .emulation_version(Version::new(1, 34))
        .build()
        .expect("valid gates")
}

fn set(gates: &FeatureGates, variables: &[(&str, &str)]) -> Result<(), SetError> {
    let find =
        |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).into());
    gates.set_from_variables(find)
}

/// EV-T1 (`TestEnvVarFeatureGates`) and EV-T4.
#[test]
fn variables_set_gates_and_invalid_ones_are_ignored_and_reported() {
    for (variables, streaming, batches, reported) in [
        (&[][..], false, true, None),
        (&[("FEATURE_StreamingLists", "true")], false, true, None),
        (&[("KUBE_FEATURE_StreamingLists", "true")], true, true, None),
        (&[("KUBE_FEATURE_StreamingLists", "T"), ("KUBE_FEATURE_Batches", " 0 ")], true, false, None),
        (
            &[("KUBE_FEATURE_StreamingLists", "maybe"), ("KUBE_FEATURE_Batches", "false")],
            false,
            false,
            Some("invalid value of StreamingLists=maybe: expected true or false"),
        ),
        (
            &[("KUBE_FEATURE_StreamingLists", "")],
            false,
            true,
            Some("invalid value of StreamingLists=: expected true or false"),
        ),
        (
            &[("KUBE_FEATURE_InOrder", "false"), ("KUBE_FEATURE_Batches", "false")],
            false,
            false,
            Some("cannot set feature gate InOrder to false, feature is locked to true"),
        ),
        (&[("KUBE_FEATURE_InOrder", "true")], false, true, None),
        (
            &[("KUBE_FEATURE_Later", "true"), ("KUBE_FEATURE_StreamingLists", "true")],
            true,
            true,
            Some(
                "cannot set feature gate Later to true, feature is PreAlpha at emulated version 1.34, \
                 min compatibility version 1.33",
            ),
        ),
        (&[("KUBE_FEATURE_AllAlpha", "true"), ("KUBE_FEATURE_AllBeta", "false")], true, false, None),
    ] {
        let gates = gates();
        let outcome = set(&gates, variables).map_err(|error| error.to_string());
        assert_eq!(outcome.err().as_deref(), reported, "{variables:?}");
        let values = (gates.enabled(client::STREAMING_LISTS), gates.enabled(client::BATCHES));
        assert_eq!(values, (streaming, batches), "{variables:?}");
        assert!(gates.enabled(client::IN_ORDER));
    }
}

/// EV-T1: "lock same value recorded", "set beats env".
#[test]
fn a_variable_is_a_request_that_a_flag_and_a_set_override() {
    let gates = gates();
    set(&gates, &[("KUBE_FEATURE_InOrder", "true"), ("KUBE_FEATURE_Batches", "false")]).expect("of use");
    assert!(gates.is_explicitly_set(client::IN_ORDER));
    gates.set_from_map([(client::BATCHES, true)]).expect("accepted");
    assert!(gates.enabled(client::BATCHES));
    set(&gates, &[("KUBE_FEATURE_Batches", "false")]).expect("of use");
    assert!(gates.enabled(client::BATCHES), "still the value that was set");
}

#[test]
fn the_programs_own_prefix_takes_precedence() {
    let gates = gates();
    set(&gates, &[("KUBE_FEATURE_Batches", "true"), ("WEB_Batches", "false")]).expect("of use");
    assert!(!gates.enabled(client::BATCHES));
    set(&gates, &[("KUBE_FEATURE_StreamingLists", "true")]).expect("of use");
    assert!(gates.enabled(client::STREAMING_LISTS));
}

/// EV-T1, "test-set beats lock".
#[test]
fn a_test_may_force_a_lock() {
    let gates = gates();
    let _test = gates.test().force(client::IN_ORDER, false).enter();
    assert!(!gates.enabled(client::IN_ORDER));
}

/// This test runs itself in another process, because the environment of a process cannot be changed safely.
const CHILD: &str = "FEATUREGATE_TEST_CHILD";

/// EV-T3: the environment is read at the first read of a gate, and not again.
#[test]
fn a_set_without_a_registry_reads_the_environment_at_the_first_read() {
    if env::var_os(CHILD).is_some() {
        assert!(client::STREAMING_LISTS.enabled());
        assert!(client::BATCHES.enabled(), "a variable of no use is ignored");
        assert!(client::IN_ORDER.enabled(), "locked");
        assert_eq!(client::Client::early_reads(), 0, "the environment is where these are set");
        return;
    }
    let this = env::current_exe().expect("the test's own program");
    let child = Command::new(this)
        .args(["--exact", "a_set_without_a_registry_reads_the_environment_at_the_first_read"])
        .env(CHILD, "1")
        .env("KUBE_FEATURE_StreamingLists", "true")
        .env("KUBE_FEATURE_Batches", "banana")
        .env("KUBE_FEATURE_InOrder", "false")
        .output()
        .expect("the test's own program runs");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
}
