//! [`SlowStart`] and [`slow_start_batch`]: many calls, but a single one against a server that refuses all.

use std::{collections::VecDeque, fmt, num::NonZeroUsize};

use futures_util::stream::{FuturesUnordered, StreamExt};

/// The number of calls that run at once unless set otherwise.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(256).expect("256 is not zero");

/// Calls for many items in concurrent batches of 1, 2, 4, … items; no batch starts after one with an error.
///
/// If every call would fail (an exhausted quota, an admission webhook that refuses), the server gets one call
/// instead of all. If none fails, the number of round trips grows with the logarithm of the
/// number of items. [`slow_start_batch`] is the short form.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use trimtab_expectations::SlowStart;
///
/// let mut batch = SlowStart::new(["a", "b", "c", "d"]);
/// batch.run(async |name| if name == "c" { Err("quota exceeded") } else { Ok(name) }).await;
/// let outcome = batch.into_outcome();
/// assert_eq!(outcome.succeeded, ["a", "b"]);
/// assert_eq!(outcome.failed, ["quota exceeded"]);
/// assert_eq!(outcome.untried, ["d"]);
/// # }
/// ```
#[must_use = "no call is made before `run`"]
pub struct SlowStart<I, T, E> {
    size: usize,
    concurrency: NonZeroUsize,
    untried: VecDeque<I>,
    /// By the position of the item.
    succeeded: Vec<(usize, T)>,
    failed: Vec<(usize, E)>,
    /// Calls that were started.
    started: usize,
}

/// The outcome of a [`SlowStart`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "the items that failed or were not tried are still to be done"]
#[non_exhaustive]
pub struct BatchOutcome<I, T, E> {
    /// The results of the calls that succeeded, in the order of their items.
    pub succeeded: Vec<T>,
    /// The errors of the calls that failed, in the order of their items.
    pub failed: Vec<E>,
    /// The number of calls that were dropped while they ran. Their outcome is unknown.
    pub interrupted: usize,
    /// The items for which no call was started.
    pub untried: Vec<I>,
}

impl<I, T, E> BatchOutcome<I, T, E> {
    /// Returns the results, or the first error if there was one.
    ///
    /// # Errors
    ///
    /// The error of the failed call with the lowest position.
    pub fn into_result(self) -> Result<Vec<T>, E> {
        match self.failed.into_iter().next() {
            None => Ok(self.succeeded),
            Some(error) => Err(error),
        }
    }
}

impl<I, T, E> SlowStart<I, T, E> {
    /// Prepares one call for each of `items`.
    pub fn new(items: impl IntoIterator<Item = I>) -> Self {
        let untried = items.into_iter().collect();
        let (succeeded, failed) = (Vec::new(), Vec::new());
        Self { size: 1, concurrency: CONCURRENCY, untried, succeeded, failed, started: 0 }
    }

    /// Sets the size of the first batch. Default: 1, as upstream's controllers use. 0 counts as 1.
    pub fn initial(mut self, size: usize) -> Self {
        self.size = size.max(1);
        self
    }

    /// The number of calls that run at once, however large a batch is. Default: 256.
    pub fn concurrency(mut self, calls: NonZeroUsize) -> Self {
        self.concurrency = calls;
        self
    }

    /// Makes the calls. A batch that was started is completed, errors or not.
    ///
    /// The calls run within the caller's task: nothing is spawned, and a panic of a call is the caller's.
    ///
    /// # Cancel safety
    ///
    /// If dropped, the running calls are dropped, too: some of them may have reached the server.
    /// [`into_outcome`](Self::into_outcome) then returns the results so far and the number of interrupted
    /// calls. `run` may be called again and continues with the items that were not tried.
    pub async fn run<F>(&mut self, mut call: impl FnMut(I) -> F)
    where
        F: Future<Output = Result<T, E>>,
    {
        while !self.untried.is_empty() && self.failed.is_empty() {
            let mut left = self.size.min(self.untried.len());
            self.size = self.size.saturating_mul(2);
            let mut running = FuturesUnordered::new();
            while left > 0 || !running.is_empty() {
                while left > 0 && running.len() < self.concurrency.get() {
                    let Some(item) = self.untried.pop_front() else { break };
                    left -= 1;
                    let (position, result) = (self.started, call(item));
                    self.started += 1;
                    running.push(async move { (position, result.await) });
                }
                match running.next().await {
                    Some((position, Ok(result))) => self.succeeded.push((position, result)),
                    Some((position, Err(error))) => self.failed.push((position, error)),
                    None => break,
                }
            }
        }
    }

    /// Returns the outcome so far.
    pub fn into_outcome(self) -> BatchOutcome<I, T, E> {
        BatchOutcome {
            interrupted: self.started - self.succeeded.len() - self.failed.len(),
            succeeded: in_order(self.succeeded),
            failed: in_order(self.failed),
            untried: self.untried.into(),
        }
    }
}

fn in_order<T>(mut results: Vec<(usize, T)>) -> Vec<T> {
    results.sort_unstable_by_key(|(position, _)| *position);
    results.into_iter().map(|(_, result)| result).collect()
}

impl<I, T, E> fmt::Debug for SlowStart<I, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlowStart")
            .field("started", &self.started)
            .field("untried", &self.untried.len())
            .finish_non_exhaustive()
    }
}

/// Calls `call` with 0, 1, … `count` − 1 in batches of `initial`, 2 × `initial`, 4 × `initial`, … calls:
/// upstream's `slowStartBatch`. See [`SlowStart`].
///
/// # Cancel safety
///
/// Dropped early, the calls that run are dropped with it, and the outcome of the others is lost. Use
/// [`SlowStart`] to keep it.
pub async fn slow_start_batch<T, E, F>(
    count: usize,
    initial: usize,
    call: impl FnMut(usize) -> F,
) -> BatchOutcome<usize, T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut batch = SlowStart::new(0..count).initial(initial);
    batch.run(call).await;
    batch.into_outcome()
}
