//! [`Workers`]: threads for what takes long, so that it holds no other connection up.

use std::{
    num::NonZeroUsize,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::available_parallelism,
};

use tokio::{sync::Semaphore, task::spawn_blocking};

/// Where long work runs: apart for clients on sockets, and in place for those in this process, whose requests happen in
/// the same order in every run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workers(Option<Arc<Semaphore>>);

impl Workers {
    /// One thread for each processor.
    pub(crate) fn apart() -> Self {
        let threads = available_parallelism().map_or(2, NonZeroUsize::get);
        Self(Some(Arc::new(Semaphore::new(threads))))
    }

    /// Whether long work runs apart.
    pub(crate) fn are_apart(&self) -> bool {
        self.0.is_some()
    }

    /// Runs `work`, which checks its [`Stop`] for a client that no longer waits.
    ///
    /// Dropped before it completes, it has told the work to stop; work that has not begun never does.
    pub(crate) async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Stop) -> T + Send + 'static) -> T {
        let Some(threads) = &self.0 else { return work(&Stop::default()) };
        let permit = threads.clone().acquire_owned().await.expect("it is never closed");
        let stop = Stop::default();
        let _told = StopWhenDropped(stop.clone());
        let done = spawn_blocking(move || {
            let _permit = permit;
            work(&stop)
        });
        match done.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
            Err(_) => std::future::pending().await, // the runtime shuts down, and this task with it
        }
    }
}

/// Whether nobody waits for some work any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether the work is to end without a result that matters.
    pub(crate) fn is_told(&self) -> bool {
        self.0.load(Ordering::Relaxed) // a flag alone: nothing else is read by it
    }
}

struct StopWhenDropped(Stop);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_work_leaves_the_thread_of_the_other_connections_free() {
        let workers = Workers::apart();
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let (finish, is_to_finish) = std::sync::mpsc::channel();
        let work = tokio::spawn(async move {
            workers
                .run(move |_| {
                    begun.send(()).expect("the test waits");
                    is_to_finish.recv().expect("the test says so")
                })
                .await
        });
        is_begun.await.expect("begun"); // on this one thread, which the work does not hold
        finish.send(7).expect("the work waits");
        assert_eq!(work.await.expect("no panic"), 7);
    }

    #[tokio::test]
    async fn work_is_told_when_nobody_waits_for_it() {
        let workers = Workers::apart();
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let (stopped, is_stopped) = tokio::sync::oneshot::channel();
        let work = workers.run(move |stop| {
            begun.send(()).expect("the test waits");
            while !stop.is_told() {
                std::thread::yield_now();
            }
            stopped.send(()).ok();
        });
        tokio::select! {
            () = work => panic!("it never ends by itself"),
            begun = is_begun => begun.expect("begun"),
        }
        is_stopped.await.expect("the work has ended");
    }

    #[tokio::test]
    async fn work_for_clients_in_this_process_is_done_in_place() {
        let here = std::thread::current().id();
        let there = Workers::default().run(|_| std::thread::current().id()).await;
        assert_eq!(here, there);
    }
}
