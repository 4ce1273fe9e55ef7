//! `--feature-gates` with clap (feature `clap`).
#![cfg(feature = "clap")]

use std::sync::LazyLock;

use clap::{Args, Command, FromArgMatches, builder::TypedValueParser, error::ErrorKind};
use trimtab_featuregate::{FeatureGates, FeatureGatesFlag, TestGuard, Version};

mod features {
    trimtab_featuregate::gates! {
        /// The gates of these tests.
        pub set Features;

        /// Reads long lists as a stream.
        pub STREAMING_LISTS = "StreamingLists" { 1.35 => Alpha, off }

        /// Locked on.
        pub IN_ORDER = "InOrder" { 1.30 => Ga, locked }

        /// Exists at a later version.
        pub LATER = "Later" { 1.36 => Alpha, off }
    }
}

type Flag = FeatureGatesFlag<features::Features>;

static GATES: LazyLock<FeatureGates> = LazyLock::new(|| {
    let builder = FeatureGates::builder("web", Version::new(1, 36)).gates::<features::Features>();
    let gates = builder.emulation_version(Version::new(1, 35)).build().expect("valid gates");
    gates.install();
    gates
});

/// The gates that all tests share, in a scope of the calling test.
fn gates() -> (&'static FeatureGates, TestGuard) {
    (&GATES, GATES.test().enter())
}

fn parse(arguments: &[&str]) -> Result<Flag, clap::Error> {
    let matches = Flag::augment_args(Command::new("web")).try_get_matches_from(arguments)?;
    Flag::from_arg_matches(&matches)
}

#[test]
fn flags_add_up_and_the_last_setting_counts() {
    let (gates, _test) = gates();
    let flag = parse(&[
        "web",
        "--feature-gates=AllAlpha=false, StreamingLists = t",
        "--feature-gates",
        "AllAlpha=1,",
    ]);
    flag.expect("well formed").apply(gates).expect("accepted");
    assert_eq!(gates.to_string(), "AllAlpha=true,StreamingLists=true");
    let nothing = gates.deep_copy_and_reset();
    parse(&["web"]).expect("no flag").apply(&nothing).expect("nothing to refuse");
    assert_eq!(nothing.to_string(), "");
}

#[test]
fn malformed_and_unknown_settings_are_refused_while_parsing() {
    let (_gates, _test) = gates();
    for (value, expected) in [
        ("StreamingList=true", "unrecognized feature gate: StreamingList (did you mean StreamingLists?)"),
        ("StreamingLists", "missing bool value for StreamingLists"),
        ("StreamingLists=maybe", "invalid value of StreamingLists=maybe: expected true or false"),
    ] {
        let error = parse(&["web", "--feature-gates", value]).expect_err(value);
        assert_eq!(error.kind(), ErrorKind::ValueValidation);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

/// Settings that depend on the version are checked when the flag is applied, because another flag may choose
/// the version.
#[test]
fn settings_that_the_version_refuses_are_refused_when_applied() {
    let (gates, _test) = gates();
    let flag = parse(&["web", "--feature-gates=Later=true"]).expect("well formed");
    flag.apply(gates).expect_err("not at 1.35");
    gates.set_emulation_version(Version::new(1, 36)).expect("the request is evaluated again");
    assert_eq!(gates.to_string(), "Later=true");
}

#[test]
fn the_help_lists_the_gates_and_closes_their_defaults() {
    let (gates, _test) = gates();
    let mut command = Flag::augment_args(Command::new("web"));
    let help = command.render_long_help().to_string();
    assert!(help.contains("--feature-gates <GATE=BOOL,...>"), "{help}");
    assert!(help.contains("StreamingLists=true|false (ALPHA - default="), "{help}");
    assert!(!help.contains("InOrder"), "{help}");
    Flag::augment_args(Command::new("web"));
    gates.override_default("StreamingLists", true).expect_err("the help has shown it");
}

#[test]
fn settings_of_gates_that_can_be_set_are_completed() {
    let (gates, _test) = gates();
    let parser = gates.value_parser();
    let values = parser.possible_values().expect("some");
    let names: Vec<_> = values.map(|value| value.get_name().to_owned()).collect();
    let expected = ["AllAlpha=true", "AllAlpha=false", "AllBeta=true", "AllBeta=false"];
    assert_eq!(names, [&expected[..], &["StreamingLists=true", "StreamingLists=false"]].concat());
}
