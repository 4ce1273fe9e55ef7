//! Gate values for a test, after upstream's tests of its test helper.

use std::{sync::mpsc, thread};

use trimtab_featuregate::{FeatureGates, GateSet, Spec, Stage, Version, inherit_scope};

mod features {
    trimtab_featuregate::gates! {
        /// The gates of these tests, which all tests share in parallel.
        pub set Features;

        /// Off unless a test turns it on.
        pub OFF = "Off" { 1.30 => Alpha, off }

        /// On unless a test turns it off.
        pub ON = "On" { 1.30 => Alpha, on }
    }
}

fn on(names: &[&str], gates: &FeatureGates) -> Vec<String> {
    names.iter().filter(|name| gates.is_enabled(name) == Some(true)).map(ToString::to_string).collect()
}

/// FG-T20 (`TestSetFeatureGateInTest`): nested scopes, each undone when it ends.
#[test]
fn a_scope_holds_until_it_ends_and_an_inner_one_takes_precedence() {
    assert!(!features::OFF.enabled());
    let outer = features::OFF.set_for_test(true);
    assert!(features::OFF.enabled() && features::ON.enabled());
    {
        let _inner = features::OFF.set_for_test(false);
        let _other = features::ON.set_for_test(false);
        assert!(!features::OFF.enabled() && !features::ON.enabled());
    }
    assert!(features::OFF.enabled() && features::ON.enabled());
    drop(outer);
    assert!(!features::OFF.enabled());
}

#[test]
fn scopes_may_end_in_any_order() {
    let first = features::OFF.set_for_test(true);
    let second = features::ON.set_for_test(false);
    drop(first);
    assert!(features::OFF.enabled(), "the second was made from the first, and still holds");
    assert!(!features::ON.enabled());
    drop(second);
    assert!(!features::OFF.enabled() && features::ON.enabled());
}

/// Guarantee 8. Upstream's tests detect leaks (`TestDetectLeak…`); scopes have none.
#[test]
fn parallel_tests_do_not_see_each_other() {
    let threads = (0..8).map(|i| {
        thread::spawn(move || {
            for _ in 0..200 {
                let value = i % 2 == 0;
                let _test = features::OFF.set_for_test(value);
                assert_eq!(features::OFF.enabled(), value);
                assert!(features::ON.enabled());
            }
        })
    });
    for thread in threads.collect::<Vec<_>>() {
        thread.join().expect("no assertion failed");
    }
    assert!(!features::OFF.enabled());
}

#[test]
fn gates_set_by_the_tested_code_are_restored_when_the_scope_ends() {
    let gates = features::Features::gates();
    let _unchanged = gates.assert_unchanged();
    {
        let _test = gates.test().enter();
        gates.set("Off=true").expect("accepted");
        gates.freeze();
        assert!(features::OFF.enabled() && gates.is_frozen());
    }
    assert!(!features::OFF.enabled() && !gates.is_frozen());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_future_carries_its_scope_to_every_thread_that_polls_it() {
    let gates = features::Features::gates();
    let task = gates.test().set(features::OFF, true).scope(async {
        for _ in 0..50 {
            assert!(features::OFF.enabled());
            tokio::task::yield_now().await;
        }
        let plain = tokio::spawn(async { features::OFF.enabled() });
        let inherited = tokio::spawn(inherit_scope(async { features::OFF.enabled() }));
        (plain.await.expect("no panic"), inherited.await.expect("no panic"))
    });
    let other = tokio::spawn(async {
        for _ in 0..50 {
            assert!(!features::OFF.enabled());
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(tokio::spawn(task).await.expect("no panic"), (false, true));
    other.await.expect("no panic");
    assert!(!features::OFF.enabled());
}

fn own() -> FeatureGates {
    FeatureGates::builder("own", Version::new(1, 35))
        .gate("Gate", "", [Spec::new(Version::ALWAYS, Stage::Alpha, false)])
        .build()
        .expect("valid gates")
}

#[test]
fn a_scope_of_all_threads_holds_on_threads_without_a_scope() {
    let gates = own();
    let everywhere = gates.test().set("Gate", true).enter_everywhere();
    let on_another_thread = |scoped: bool| {
        let gates = gates.clone();
        let read = move || {
            let _own = scoped.then(|| gates.test().set("Gate", false).enter());
            gates.is_enabled("Gate")
        };
        thread::spawn(read).join().expect("no panic")
    };
    assert_eq!(on_another_thread(false), Some(true));
    assert_eq!(on_another_thread(true), Some(false));
    drop(everywhere);
    assert_eq!(on_another_thread(false), Some(false));
}

/// FG-T20: two tests that override gates on all threads are detected by name; one test may do it twice.
#[test]
fn two_tests_that_set_gates_everywhere_are_both_named() {
    let gates = own();
    let _first = gates.test().name("tests::one").enter_everywhere();
    let _again = gates.test().name("tests::one").set("Gate", true).enter_everywhere();
    let (sender, receiver) = mpsc::channel();
    let other = gates.clone();
    let second = thread::Builder::new().name("tests::two".into()).spawn(move || {
        sender.send(other.is_enabled("Gate")).expect("the test waits");
        let _second = other.test().enter_everywhere();
    });
    assert_eq!(receiver.recv(), Ok(Some(true)));
    let panic = second.expect("a thread").join().expect_err("the first still holds");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert_eq!(message, "both \"tests::one\" and \"tests::two\" set the feature gates of own everywhere");
    assert_eq!(gates.is_enabled("Gate"), Some(true), "the first was not disturbed");
}

#[test]
fn a_test_that_leaves_a_gate_changed_panics() {
    let gates = own();
    let test = thread::Builder::new().name("tests::leaky".into()).spawn(move || {
        let _unchanged = gates.assert_unchanged();
        gates.set("Gate=true").expect("accepted");
    });
    let panic = test.expect("a thread").join().expect_err("a gate was left on");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert_eq!(message, "\"tests::leaky\" changed feature gates of own and did not restore them: Gate");
}

/// FG-T20 (`TestSpecialGates`).
#[test]
fn all_alpha_and_all_beta_set_every_gate_of_the_stage_whatever_was_set() {
    let mut builder = FeatureGates::builder("special", Version::new(1, 35));
    let mut names = vec!["AllAlpha".to_owned(), "AllBeta".to_owned()];
    for (stage, prefix) in [(Stage::Alpha, "alpha"), (Stage::Beta, "beta"), (Stage::Ga, "stable")] {
        for (default, suffix) in [(true, "on"), (true, "on_set_off"), (false, "off"), (false, "off_set_on")] {
            let name = format!("{prefix}_{suffix}");
            builder = builder.gate(&name, "", [Spec::new(Version::ALWAYS, stage, default)]);
            names.push(name);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let gates = builder.build().expect("valid gates");
    for prefix in ["alpha", "beta", "stable"] {
        gates.set(&format!("{prefix}_on_set_off=false,{prefix}_off_set_on=true")).expect("accepted");
    }
    let before =
        ["alpha_on", "alpha_off_set_on", "beta_on", "beta_off_set_on", "stable_on", "stable_off_set_on"];
    assert_eq!(on(&names, &gates), before);
    {
        let _alpha = gates.test().set("AllAlpha", true).enter();
        let alpha = ["AllAlpha", "alpha_on", "alpha_on_set_off", "alpha_off", "alpha_off_set_on"];
        assert_eq!(on(&names, &gates), [&alpha[..], &before[2..]].concat());
        let _beta = gates.test().set("AllBeta", true).enter();
        assert_eq!(on(&names, &gates).len(), 2 + 4 + 4 + 2);
    }
    assert_eq!(on(&names, &gates), before);
}

/// FG-T20 (`TestSetFeatureGatesInTestWithDependencies`).
#[test]
fn turning_a_gate_off_turns_off_unlisted_gates_that_depend_on_it() {
    use Stage::{Alpha, Beta, Ga};
    let names = ["Alpha", "AlphaNeed", "BetaOff", "BetaOffNeed", "BetaOn", "BetaOnNeed", "Ga"];
    let stages = [Alpha, Alpha, Beta, Beta, Beta, Beta, Ga];
    let defaults = [false, false, false, false, true, true, true];
    let mut builder = FeatureGates::builder("dependencies", Version::new(1, 35));
    for ((name, stage), default) in names.into_iter().zip(stages).zip(defaults) {
        builder = builder.gate(name, "", [Spec::new(Version::ALWAYS, stage, default)]);
    }
    let gates = builder
        .depends_on("Alpha", ["BetaOnNeed", "BetaOffNeed", "AlphaNeed"])
        .depends_on("BetaOff", ["BetaOnNeed", "BetaOffNeed"])
        .depends_on("BetaOn", ["BetaOnNeed"])
        .build()
        .expect("valid gates");
    let initial = ["BetaOn", "BetaOnNeed", "Ga"];
    for (settings, expected) in [
        (&[("AllBeta", true)][..], Some(&["BetaOff", "BetaOffNeed", "BetaOn", "BetaOnNeed", "Ga"][..])),
        (&[("AllBeta", false)], Some(&["Ga"])),
        (&[("AllBeta", true), ("AllAlpha", true)], Some(&names)),
        (&[("AllAlpha", true)], None),
        (&[("BetaOnNeed", false)], Some(&["Ga"])),
        (&[("BetaOffNeed", true)], Some(&["BetaOffNeed", "BetaOn", "BetaOnNeed", "Ga"])),
        (&[("BetaOn", true), ("BetaOnNeed", false)], None),
        (&[("BetaOff", true)], None),
    ] {
        let test = settings.iter().fold(gates.test(), |test, (gate, value)| test.set(gate, *value));
        let entered = test.try_enter();
        assert_eq!(entered.is_ok(), expected.is_some(), "{settings:?}: {entered:?}");
        assert_eq!(on(&names, &gates), expected.unwrap_or(&initial), "{settings:?}");
        drop(entered);
        assert_eq!(on(&names, &gates), initial, "after {settings:?}");
    }
}

/// FG-T20 (`TestSpecialGatesVersioned`, `TestSetFeatureGateVersionsInTest`).
#[test]
fn a_version_emulated_in_a_test_is_not_seen_outside() {
    let v = |minor| Version::new(1, minor);
    let gates = FeatureGates::builder("versions", v(31))
        .gate("Beta", "", [Spec::new(v(27), Stage::Alpha, false), Spec::new(v(31), Stage::Beta, true)])
        .gate("New", "", [Spec::new(v(31), Stage::Beta, true)])
        .build()
        .expect("valid gates");
    let seen =
        || (gates.emulation_version(), gates.min_compatibility_version(), on(&["Beta", "New"], &gates).len());
    assert_eq!(seen(), (v(31), v(30), 2));
    {
        let _outer = gates.test().emulate_with(v(29), v(27)).enter();
        assert_eq!(seen(), (v(29), v(27), 0));
        {
            let _inner = gates.test().emulate(v(28)).set("AllAlpha", true).enter();
            assert_eq!(seen(), (v(28), v(27), 1));
            let elsewhere = gates.clone();
            let there = thread::spawn(move || elsewhere.emulation_version()).join();
            assert_eq!(there.expect("no panic"), v(31));
        }
        assert_eq!(seen(), (v(29), v(27), 0));
        let _same = gates.test().emulate_with(v(29), v(27)).enter();
        assert_eq!(seen(), (v(29), v(27), 0));
    }
    assert_eq!(seen(), (v(31), v(30), 2));
}

/// FG-T20: the error for a locked gate names a version at which it is not locked.
#[test]
#[should_panic(
    expected = "cannot set the feature gates of locked for \"tests::name\": cannot set feature gate Gate to false, \
                feature is locked to true (it is not locked at version 1.34)"
)]
fn a_locked_gate_is_refused_with_the_version_to_emulate() {
    let gates = FeatureGates::builder("locked", Version::new(1, 36))
        .gate(
            "Gate",
            "",
            [
                Spec::new(Version::new(1, 33), Stage::Beta, true),
                Spec::new(Version::new(1, 35), Stage::Ga, true).lock_to_default(),
            ],
        )
        .build()
        .expect("valid gates");
    let emulated = gates.test().emulate(Version::new(1, 34)).set("Gate", false).enter();
    assert_eq!(gates.is_enabled("Gate"), Some(false));
    drop(emulated);
    let _refused = gates.test().name("tests::name").set("Gate", false).enter();
}

/// The guard stays on its thread: this compiles only while [`TestGuard`](trimtab_featuregate::TestGuard) is
/// not `Send`. If it were `Send`, both implementations would apply.
#[test]
fn the_guard_of_a_thread_is_not_send() {
    trait Ambiguous<Why> {
        fn is_there() {}
    }
    struct Sent;
    impl<T: ?Sized> Ambiguous<()> for T {}
    impl<T: ?Sized + Send> Ambiguous<Sent> for T {}
    <trimtab_featuregate::TestGuard as Ambiguous<_>>::is_there();
}
