//! Numbered pieces of work on several tasks (PU-T1: docs/upstream-behaviours.md).

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use tokio::{sync::oneshot, time::sleep};
use trimtab_workqueue::parallelize_until;

fn of(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).expect("not zero")
}

/// PU-T1.
#[tokio::test(start_paused = true)]
async fn every_piece_is_done_exactly_once() {
    for (pieces, workers, chunk) in [(1000, 10, 1), (1000, 10, 10), (1000, 10, 100), (999, 10, 13), (0, 1, 1)]
    {
        let done: Arc<Vec<_>> = Arc::new((0..pieces).map(|_| AtomicU32::new(0)).collect());
        let work = {
            let done = Arc::clone(&done);
            move |piece: usize| {
                done[piece].fetch_add(1, SeqCst);
                sleep(Duration::from_millis(1))
            }
        };
        parallelize_until(std::future::pending(), of(workers), pieces, of(chunk), work).await;
        assert!(done.iter().all(|times| times.load(SeqCst) == 1), "{pieces} {workers} {chunk}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_finishes_started_pieces_and_starts_no_other() {
    let (stop, stopped) = oneshot::channel::<()>();
    let counts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
    let work = {
        let counts = Arc::clone(&counts);
        move |_| {
            let counts = Arc::clone(&counts);
            async move {
                counts[0].fetch_add(1, SeqCst);
                sleep(Duration::from_millis(10)).await;
                counts[1].fetch_add(1, SeqCst);
            }
        }
    };
    let stopped = async move { drop(stopped.await) };
    let all = tokio::spawn(parallelize_until(stopped, of(3), 1000, of(7), work));
    sleep(Duration::from_millis(25)).await;
    drop(stop);
    all.await.expect("no piece panics");
    assert_eq!([counts[0].load(SeqCst), counts[1].load(SeqCst)], [9, 9]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_reaches_the_caller_after_the_other_pieces() {
    let done = Arc::new(AtomicUsize::new(0));
    let work = {
        let done = Arc::clone(&done);
        move |piece| {
            let done = Arc::clone(&done);
            async move {
                assert_ne!(piece, 1, "on purpose");
                sleep(Duration::from_millis(1)).await;
                done.fetch_add(1, SeqCst);
            }
        }
    };
    let all = tokio::spawn(parallelize_until(std::future::pending(), of(2), 10, of(1), work));
    assert!(all.await.expect_err("a piece panicked").is_panic());
    assert_eq!(done.load(SeqCst), 9);
}
