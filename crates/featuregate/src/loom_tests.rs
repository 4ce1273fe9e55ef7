//! Models of the data that threads share, under all interleavings. Build with `cargo rustc -p
//! trimtab-featuregate --lib --profile test -- --cfg trimtab_loom` and run the resulting program.

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

/// Returns one gate whose default changes with the version, besides `AllAlpha` and `AllBeta`.
fn gates() -> FeatureGates {
    let specs = [Spec::new(Version::ALWAYS, Stage::Alpha, false), Spec::new(NEW, Stage::Beta, true)];
    let builder = FeatureGates::builder("loom", NEW).gate("Gate", "", specs).emulation_version(OLD);
    builder.build().expect("valid gates")
}

/// The gate's row: after `AllAlpha` and `AllBeta`.
const GATE: usize = 2;

/// Reads the gate as a declared gate is read: without the registry's lock.
fn read(gates: &FeatureGates) -> bool {
    gates.read(GATE)
}

/// A change that races with a freeze is either made when the freeze returns, or refused; afterwards nothing
/// changes. Fails if `State::request` does not check the phase (S5), or if `freeze` does not take the lock.
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

/// Concurrent readers see the old or the new value, and only the new value once it is set. Fails if
/// `Slot::read` loads and stores in two steps, because it then writes an old value back.
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

/// A reader that sees a gate on also sees everything done before it was set. Fails if `Slot::set` is relaxed.
#[test]
fn setting_a_gate_publishes_earlier_writes() {
    loom::model(|| {
        let gates = gates();
        read(&gates); // the first read, so that the next one is a single load
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

/// Guarantee 7. Fails if `Slot::read` returns a value that it loaded before it recorded the read.
#[test]
fn a_read_is_recorded_or_sees_the_new_version() {
    loom::model(|| {
        let gates = gates();
        let reader = {
            let gates = gates.clone();
            thread::spawn(move || read(&gates))
        };
        let changed_after_read = gates.emulate(Versions::emulating(NEW)).expect("nothing is set");
        let seen = reader.join().expect("no panic");
        assert!(
            seen || !changed_after_read.is_empty(),
            "an old value was read, and the change was not reported"
        );
    });
}

/// A waker that records its call.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: StdArc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Guarantee 6. Fails if `Watch::poll_changed` compares under one lock and registers under another.
#[test]
fn a_change_wakes_a_watch() {
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
            assert!(flag.0.load(Ordering::SeqCst), "the change did not wake the watch");
            let second = watch.poll_changed(&mut Context::from_waker(&waker));
            assert!(matches!(second, Poll::Ready(Some(changes)) if changes.len() == 1));
        }
    });
}

/// Guarantee 6, for the end of all changes. Fails if `freeze` does not wake.
#[test]
fn a_freeze_wakes_a_watch() {
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
            assert!(flag.0.load(Ordering::SeqCst), "the change did not wake the watch");
            assert_eq!(watch.poll_changed(&mut Context::from_waker(&waker)), Poll::Ready(None));
        }
    });
}
