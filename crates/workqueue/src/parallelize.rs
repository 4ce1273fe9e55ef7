//! [`parallelize_until`]: numbered pieces of work on a few workers.

use std::{
    num::NonZeroUsize,
    panic,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::task::JoinSet;

/// Does `work(0)` to `work(pieces - 1)`, each once, on at most `workers` tasks that take `chunk` pieces
/// at a time; stops early when `stop` completes.
///
/// Pieces that have begun are finished either way, and every worker has ended when this returns. A panic
/// of a piece ends its worker; it goes on in the caller once the other workers are through.
///
/// # Panics
///
/// When a piece did, or outside a tokio runtime.
///
/// # Cancel safety
///
/// Dropped before it completes, it aborts its workers where they next wait.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use std::{future, num::NonZeroUsize};
/// use trimtab_workqueue::parallelize_until;
///
/// let [workers, chunk] = [4, 10].map(|n| NonZeroUsize::new(n).expect("not zero"));
/// parallelize_until(future::pending(), workers, 1000, chunk, |piece| async move {
///     assert!(piece < 1000);
/// })
/// .await;
/// # }
/// ```
pub async fn parallelize_until<W>(
    stop: impl Future<Output = ()>,
    workers: NonZeroUsize,
    pieces: usize,
    chunk: NonZeroUsize,
    work: impl Fn(usize) -> W + Send + Sync + 'static,
) where
    W: Future<Output = ()> + Send,
{
    let shared = Arc::new((work, AtomicUsize::new(0), AtomicBool::new(false)));
    let chunks = pieces.div_ceil(chunk.get());
    let mut tasks = JoinSet::new();
    for _ in 0..workers.get().min(chunks) {
        let shared = Arc::clone(&shared);
        tasks.spawn(async move {
            let (work, next, stopped) = &*shared;
            loop {
                // Relaxed, here and below: each number goes to one worker, and nothing else is read.
                let start = next.fetch_add(1, Ordering::Relaxed).saturating_mul(chunk.get());
                if start >= pieces {
                    return;
                }
                for piece in start..start.saturating_add(chunk.get()).min(pieces) {
                    if stopped.load(Ordering::Relaxed) {
                        return;
                    }
                    work(piece).await;
                }
            }
        });
    }
    let mut stop = pin!(stop);
    let mut panicked = None;
    loop {
        let (_, _, stopped) = &*shared;
        let ended = tokio::select! {
            ended = tasks.join_next() => ended,
            () = &mut stop, if !stopped.load(Ordering::Relaxed) => {
                stopped.store(true, Ordering::Relaxed);
                continue;
            }
        };
        match ended {
            None => break,
            Some(Ok(())) => {}
            Some(Err(error)) => panicked = error.try_into_panic().ok().or(panicked),
        }
    }
    if let Some(panic) = panicked {
        panic::resume_unwind(panic);
    }
}
