//! What threads share, under every interleaving. Run with
//! `cargo rustc -p trimtab-featuregate --lib --profile test -- --cfg trimtab_loom`, then the program it made.

use std::{
    sync::Arc as StdArc,
    task::{Context, Poll, Wake, Waker},
};

use loom::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{FeatureGates, Spec, Stage, Version, spec::Versions};

const OLD: Version = Version::new(1, 34);
const NEW: Version = Version::new(1, 35);

/// One gate, whose default changes with the version, beside `AllAlpha` and `AllBeta`.
fn gates() -> FeatureGates {
    let life = [Spec::new(Version::ALWAYS, Stage::Alpha, false), Spec::new(NEW, Stage::Beta, true)];
    let builder = FeatureGates::builder("loom", NEW).gate("Gate", "", life).emulation_version(OLD);
    builder.build().expect("valid gates")
}

/// The gate's row: after `AllAlpha` and `AllBeta`.
const GATE: usize = 2;

/// As a declared gate is read: without the registry's lock.
fn read(gates: &FeatureGates) -> bool {
    gates.read(GATE)
}

/// A change that races with the freeze is done when the freeze returns, or refused: afterwards nothing
/// changes. Fails if `State::request` does not look at the phase (S5), or `freeze` not under the lock.
#[test]
fn a_frozen_gate_keeps_its_value() {
    loom::model(|| {
        let gates = gates();
        let setter = {
            let gates = gates.clone();
            thread::spawn(move || gates.set("Gate=true").is_ok())
        };
        gates.freeze();
        let frozen = read(&gates);
        let accepted = setter.join().expect("no panic");
        assert_eq!(frozen, accepted);
        assert_eq!(read(&gates), frozen);
    });
}

/// Readers see an old value or the new one, whatever else they do to the gate's byte, and the new one
/// once it is set. Fails if `Slot::read` loads and stores in two steps: it then writes an old value back.
#[test]
fn a_first_read_does_not_undo_a_change() {
    loom::model(|| {
        let gates = gates();
        let reader = {
            let gates = gates.clone();
            thread::spawn(move || (read(&gates), read(&gates)))
        };
        gates.set("Gate=true").expect("accepted");
        assert!(read(&gates));
        let (first, second) = reader.join().expect("no panic");
        assert!(first <= second, "a gate that was seen on does not go off");
        assert!(read(&gates));
    });
}

/// Who sees a gate on sees what was made ready before it was set. Fails if `Slot::set` is relaxed.
#[test]
fn a_gate_publishes_what_was_done_before_it_was_set() {
    loom::model(|| {
        let gates = gates();
        read(&gates); // the first read is done: the one below is a load
        let ready = Arc::new(AtomicBool::new(false));
        let reader = {
            let (gates, ready) = (gates.clone(), ready.clone());
            thread::spawn(move || {
                if gates.shared.slots[GATE].fast() == Some(true) {
                    assert!(ready.load(Ordering::Relaxed));
                }
            })
        };
        ready.store(true, Ordering::Relaxed);
        gates.set("Gate=true").expect("accepted");
        reader.join().expect("no panic");
    });
}

/// Guarantee 7. Fails if `Slot::read` returns a value that it loaded before it noted the read.
#[test]
fn a_read_is_noticed_or_sees_the_new_version() {
    loom::model(|| {
        let gates = gates();
        let reader = {
            let gates = gates.clone();
            thread::spawn(move || read(&gates))
        };
        let changed_after_read = gates.emulate(Versions::emulating(NEW)).expect("nothing is set");
        let seen = reader.join().expect("no panic");
        assert!(seen || !changed_after_read.is_empty(), "an old value was read, and the change not noticed");
    });
}

/// Wakes once for every reason, and says so.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: StdArc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Guarantee 6. Fails if `Watch::poll_changed` looks under one lock and enlists under another.
#[test]
fn a_change_wakes_who_watches() {
    loom::model(|| {
        let gates = gates();
        let mut watch = gates.watch();
        let setter = {
            let gates = gates.clone();
            thread::spawn(move || gates.set("Gate=true").expect("accepted"))
        };
        let flag = StdArc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(flag.clone());
        let first = watch.poll_changed(&mut Context::from_waker(&waker));
        setter.join().expect("no panic");
        if first.is_pending() {
            assert!(flag.0.load(Ordering::SeqCst), "nobody woke it");
            let second = watch.poll_changed(&mut Context::from_waker(&waker));
            assert!(matches!(second, Poll::Ready(Some(changes)) if changes.len() == 1));
        }
    });
}

/// The same for the end of all changes. Fails if `freeze` does not wake.
#[test]
fn a_freeze_wakes_who_watches() {
    loom::model(|| {
        let gates = gates();
        let mut watch = gates.watch();
        let freezer = {
            let gates = gates.clone();
            thread::spawn(move || gates.freeze())
        };
        let flag = StdArc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(flag.clone());
        let first = watch.poll_changed(&mut Context::from_waker(&waker));
        freezer.join().expect("no panic");
        if first.is_pending() {
            assert!(flag.0.load(Ordering::SeqCst), "nobody woke it");
            assert_eq!(watch.poll_changed(&mut Context::from_waker(&waker)), Poll::Ready(None));
        }
    });
}
