//! [`parallelize_until`]: runs numbered pieces of work on several tasks.

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

/// Runs `work(0)` to `work(pieces - 1)`, each once, on at most `workers` tasks. A task takes `chunk` pieces
/// at a time. No further piece is started once `stop` completes.
///
/// Pieces that were started are finished in any case, and all tasks have ended when this returns. If a piece
/// panics, its task ends; the panic is resumed in the caller when the other tasks have ended.
///
/// # Panics
///
/// Panics if a piece panicked, or outside a tokio runtime.
///
/// # Cancel safety
///
/// If dropped before it completes, it aborts its tasks at their next `.await`.
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
                // Relaxed, here and below: each number goes to one task, and nothing else is shared through
                // it.
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
