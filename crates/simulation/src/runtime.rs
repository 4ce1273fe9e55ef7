//! [`Stepped`]: a tokio runtime of one thread whose clock the simulation advances, from one timer to the next.
//!
//! Tokio advances a paused clock whenever all tasks wait. It first calls a hook, which decides: if the hook wakes the
//! future that `block_on` polls, the clock stands still; otherwise the clock jumps to the next timer.

use std::{
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// The state that the runtime and the engine share, which decides when the runtime stops.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    /// The number of outputs that the engine has not taken.
    output: AtomicUsize,
    /// Whether the runtime stops as soon as all tasks wait, even without an output.
    stops_when_idle: AtomicBool,
    /// Whether all tasks wait.
    is_idle: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Signal {
    /// Records an output: the runtime stops once all tasks wait.
    pub(crate) fn put_out(&self) {
        self.output.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that the engine has taken all outputs.
    pub(crate) fn taken(&self) {
        self.output.store(0, Ordering::Relaxed);
    }

    fn has_output(&self) -> bool {
        self.output.load(Ordering::Relaxed) > 0
    }

    /// Called by the runtime before it waits.
    fn idle(&self) {
        if self.stops_when_idle.load(Ordering::Relaxed) || self.has_output() {
            self.is_idle.store(true, Ordering::Relaxed);
            if let Some(waker) = self.waker.lock().take() {
                waker.wake();
            }
        }
    }
}

/// A runtime with a paused clock that runs only while it is stepped.
#[derive(Debug)]
pub(crate) struct Stepped {
    runtime: Runtime,
    signal: Arc<Signal>,
    base: Instant,
}

impl Stepped {
    pub(crate) fn new(signal: Arc<Signal>) -> io::Result<Self> {
        let hook = signal.clone();
        let runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .on_thread_park(move || hook.idle())
            .build()?;
        let base = {
            let _context = runtime.enter();
            Instant::now()
        };
        Ok(Self { runtime, signal, base })
    }

    /// Spawns a task, which runs with the next step.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        self.runtime.spawn(task)
    }

    /// Runs `within` in the runtime's context, with its clock and its spawner.
    pub(crate) fn enter<T>(&self, within: impl FnOnce() -> T) -> T {
        let _context = self.runtime.enter();
        within()
    }

    /// Runs a future to its end and advances the clock as necessary.
    pub(crate) fn complete<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Returns the clock's time in milliseconds.
    pub(crate) fn now(&self) -> u64 {
        self.enter(|| self.elapsed())
    }

    /// Runs every task that can run. The clock stands still.
    pub(crate) fn settle(&self) {
        let signal = &self.signal;
        signal.stops_when_idle.store(true, Ordering::Relaxed);
        signal.is_idle.store(false, Ordering::Relaxed);
        self.runtime.block_on(poll_fn(|cx| {
            if signal.is_idle.load(Ordering::Relaxed) {
                return Poll::Ready(());
            }
            *signal.waker.lock() = Some(cx.waker().clone());
            Poll::Pending
        }));
        signal.stops_when_idle.store(false, Ordering::Relaxed);
    }

    /// Advances the clock, timer by timer, up to `until`. Stops earlier, when all tasks wait, if there is an output.
    /// Returns the time.
    pub(crate) fn run_until(&self, until: u64) -> u64 {
        let signal = &self.signal;
        // One call of `block_on`: entering a runtime costs more than most steps in it.
        self.runtime.block_on(async {
            let starts_at_end = signal.has_output() || self.elapsed() >= until;
            signal.stops_when_idle.store(starts_at_end, Ordering::Relaxed);
            signal.is_idle.store(false, Ordering::Relaxed);
            let mut limit =
                pin!((!starts_at_end).then(|| self.base + Duration::from_millis(until)).map(sleep_until));
            poll_fn(|cx| {
                if signal.is_idle.load(Ordering::Relaxed) {
                    return Poll::Ready(());
                }
                *signal.waker.lock() = Some(cx.waker().clone());
                if let Some(sleep) = limit.as_mut().as_pin_mut()
                    && sleep.poll(cx).is_ready()
                {
                    // Other tasks may have woken at the same time: they run first.
                    limit.set(None);
                    signal.stops_when_idle.store(true, Ordering::Relaxed);
                }
                Poll::Pending
            })
            .await;
            signal.stops_when_idle.store(false, Ordering::Relaxed);
            self.elapsed()
        })
    }

    /// Returns the clock's time in milliseconds, within the runtime's context.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Advances the clock to `until` in one jump: timers in between fire late.
    pub(crate) fn jump_to(&self, until: u64) {
        let by = Duration::from_millis(until.saturating_sub(self.now()));
        self.signal.stops_when_idle.store(true, Ordering::Relaxed); // no further than that
        self.runtime.block_on(tokio::time::advance(by));
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    fn stepped() -> (Stepped, Arc<Signal>) {
        let signal = Arc::new(Signal::default());
        (Stepped::new(signal.clone()).expect("a runtime"), signal)
    }

    fn ticking(runtime: &Stepped, every: u64) -> Arc<AtomicUsize> {
        let ticks = Arc::new(AtomicUsize::new(0));
        let counted = ticks.clone();
        runtime.spawn(async move {
            loop {
                sleep(Duration::from_millis(every)).await;
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        ticks
    }

    #[test]
    fn settling_leaves_the_clock_where_it_is() {
        let (runtime, _) = stepped();
        let ticks = ticking(&runtime, 1);
        for _ in 0..10 {
            runtime.settle();
        }
        assert_eq!((runtime.now(), ticks.load(Ordering::Relaxed)), (0, 0));
    }

    #[test]
    fn a_run_meets_every_timer_up_to_its_end_and_those_at_its_end() {
        let (runtime, _) = stepped();
        let ticks = ticking(&runtime, 10);
        assert_eq!(runtime.run_until(95), 95);
        assert_eq!(ticks.load(Ordering::Relaxed), 9);
        assert_eq!(runtime.run_until(100), 100);
        assert_eq!(ticks.load(Ordering::Relaxed), 10);
        assert_eq!(runtime.run_until(100), 100, "it is there already");
    }

    #[test]
    fn a_run_stops_at_the_time_of_an_output() {
        let (runtime, signal) = stepped();
        let put = signal.clone();
        runtime.spawn(async move {
            sleep(Duration::from_millis(30)).await;
            put.put_out();
            sleep(Duration::from_millis(30)).await;
        });
        assert_eq!(runtime.run_until(1000), 30);
        assert_eq!(runtime.run_until(1000), 30, "it is not taken yet");
        signal.taken();
        assert_eq!(runtime.run_until(1000), 1000);
    }

    #[test]
    fn a_jump_makes_timers_late_instead_of_meeting_them() {
        let (runtime, _) = stepped();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (noted, base) = (seen.clone(), runtime.base);
        runtime.spawn(async move {
            for _ in 0..2 {
                sleep(Duration::from_millis(10)).await;
                noted.lock().push(base.elapsed().as_millis());
            }
        });
        runtime.settle();
        runtime.jump_to(500);
        assert_eq!((runtime.now(), seen.lock().clone()), (500, vec![500]));
        runtime.run_until(600);
        assert_eq!(seen.lock().clone(), vec![500, 510]);
    }
}
