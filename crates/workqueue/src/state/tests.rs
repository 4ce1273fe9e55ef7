//! Tests of the rules that the model does not cover: memory, and the work of a single call.

use super::*;

const AT_ONCE: AddParams = AddParams { priority: 0, due: None, group: 0 };

fn state() -> State<u32> {
    State::new(Step(1000), false, false)
}

/// Like a real hash, it differs between keys in its upper bits.
fn hash(key: u32) -> u32 {
    key.wrapping_mul(0x9E37_79B9)
}

fn add(state: &mut State<u32>, key: u32, params: AddParams) -> Added {
    state.add(hash(key), &mut Some(key), params, Time::ZERO)
}

fn take(state: &mut State<u32>) -> Taken<u32> {
    match state.take(Time::ZERO) {
        Take::Key(taken) => taken,
        other => panic!("nothing is ready: {other:?}"),
    }
}

/// A take makes at most one batch of keys ready and returns a key at once, however many delays have ended.
#[test]
fn a_million_delays_that_end_together_do_not_delay_a_take() {
    let (mut state, due) = (state(), Time::ZERO.after(Duration::from_secs(1)));
    for key in 0..1_000_000 {
        add(&mut state, key, AddParams { due: Some(due), ..AT_ONCE });
    }
    let mut delayed = state.delayed();
    for _ in 0..1_000_000 {
        let Take::Key(Taken { slot, .. }) = state.take(due) else { panic!("{delayed} keys are due") };
        assert!(delayed - state.delayed() <= FIRING_BATCH);
        delayed = state.delayed();
        state.done(slot, due);
    }
    assert_eq!((state.ready(), delayed), (0, 0));
}

/// Guarantee 10.
#[test]
fn an_empty_queue_holds_less_than_100_kib() {
    let mut state = state();
    for key in 0..100_000 {
        let params = AddParams { priority: (key % 7) as i16, ..AT_ONCE };
        assert_eq!(add(&mut state, key, params), Added::New);
        let later = AddParams { due: Some(Time::MAX), ..AT_ONCE };
        assert_eq!(add(&mut state, key, later), Added::Existing);
    }
    for _ in 0..100_000 {
        let Taken { slot, key, .. } = take(&mut state);
        assert_eq!(state.done(slot, Time::ZERO).removed, None, "it is still delayed");
        assert_eq!(state.remove(hash(key), &key), (true, Some(key)));
    }
    assert!(state.memory() < 100 * 1024, "{} bytes are left", state.memory());
}

/// Guarantee 10: a process with a hundred queues has few bytes in each of them at rest.
#[tokio::test]
async fn a_worker_that_goes_to_sleep_leaves_a_small_queue() {
    let queue = crate::WorkQueue::new();
    for key in 0..1_000u32 {
        queue.add(key);
    }
    for _ in 0..1_000 {
        drop(queue.get().await.expect("the queue is open"));
    }
    let memory = || queue.shared.with_state(crate::shared::ClockRead::IfMeasured, |state, _| state.memory());
    let before = memory();
    let mut sleeper = std::pin::pin!(queue.get());
    tokio::select! {
        biased;
        item = &mut sleeper => panic!("no key was added: {item:?}"),
        () = std::future::ready(()) => {}
    }
    assert!(memory() < 4096 && memory() * 10 < before, "{} of {before} bytes are left", memory());
    queue.add(7); // slots start again, and the sleeper gets the key
    assert_eq!(*sleeper.await.expect("the queue is open"), 7);
}

/// Guarantee 10. Needs every line of `compact`: some of the keys that stay delayed are at the end of the
/// slots.
#[test]
fn the_memory_of_a_burst_is_freed_while_some_keys_stay() {
    let mut state = State::new(Step(1000), true, true);
    for key in 0..100_000 {
        let due = (key % 500 == 499).then(|| Time::ZERO.after(Duration::from_secs(key.into())));
        add(&mut state, key, AddParams { due, group: u64::from(key % 3), ..AT_ONCE });
    }
    let peak = state.memory();
    while state.ready() > 0 {
        let Taken { slot, .. } = take(&mut state);
        state.done(slot, Time::ZERO);
    }
    for _ in 0..1_000 {
        add(&mut state, 1, AT_ONCE); // a queue in use continues to free memory
        let Taken { slot, .. } = take(&mut state);
        state.done(slot, Time::ZERO);
    }
    // Keys that were moved to another slot are still found and removed.
    assert_eq!(add(&mut state, 99_999, AT_ONCE), Added::Existing);
    assert_eq!(state.remove(hash(99_999), &99_999), (true, Some(99_999)));
    assert_eq!(state.delayed(), 199);
    assert!(state.memory() * 20 < peak, "{} of {peak} bytes are left", state.memory());
    let late = Time::ZERO.after(Duration::from_secs(1_000_000));
    let keys: Vec<_> = std::iter::from_fn(|| match state.take(late) {
        Take::Key(taken) => Some(taken.key),
        _ => None,
    })
    .collect();
    assert_eq!(keys.len(), 199);
    assert!(keys.iter().all(|key| key % 500 == 499), "{keys:?}");
}

/// Stale entries of a key that is delayed again and again are swept before they outnumber the current ones.
#[test]
fn a_key_that_is_delayed_again_and_again_takes_no_more_memory() {
    let mut state = state();
    add(&mut state, 1, AT_ONCE);
    add(&mut state, 2, AT_ONCE);
    for n in 0..30_000i16 {
        let due = Time::ZERO.after(Duration::from_secs(100_000 - n as u64));
        add(&mut state, 2, AddParams { priority: n, due: Some(due), group: 0 });
        add(&mut state, 2, AddParams { priority: n, due: None, group: 0 });
    }
    assert!(state.memory() < 16 * 1024, "{} bytes for two keys", state.memory());
    assert_eq!((take(&mut state).key, state.delayed()), (2, 1));
}
