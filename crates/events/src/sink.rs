//! [`Sink`]: the queue, counts and retries of one API server.

use std::{collections::VecDeque, future::pending, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use kube_client::{Client, Error};
use rand::Rng;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::{
    Form,
    correlator::{Correlator, CorrelatorOptions},
    record::Recorded,
    results::Results,
    series::SeriesState,
    write::{Verdict, Write, verdict},
};

/// The number of attempts for a write while the server cannot be reached or is overloaded (`maxTriesPerEvent`).
const MAX_TRIES: u32 = 12;
/// The time between two attempts. The first wait is a random part of it, so that many processes do not return at once.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// The timeout of a request, which is then tried again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of requests that may wait to be sent. Beyond it, events stay in the channel, which is bounded, too.
const MAX_PENDING: usize = 64;

#[derive(Debug)]
enum State {
    Series(SeriesState),
    Correlator(Box<Correlator>),
}

/// A request with the number of attempts that were made.
#[derive(Debug)]
struct Attempt {
    write: Write,
    tries: u32,
    not_before: Option<Instant>,
}

pub(crate) struct Sink {
    client: Client,
    queue: mpsc::Receiver<Arc<Recorded>>,
    state: State,
    pending: VecDeque<Attempt>,
    results: Results,
    is_stopping: bool,
}

impl Sink {
    pub(crate) fn new(
        client: Client,
        queue: mpsc::Receiver<Arc<Recorded>>,
        form: Form,
        options: &CorrelatorOptions,
        results: Results,
    ) -> Self {
        let state = match form {
            Form::Events => State::Series(SeriesState::new(options.capacity)),
            Form::Core => State::Correlator(Box::new(Correlator::new(options))),
        };
        Self { client, queue, state, pending: VecDeque::new(), results, is_stopping: false }
    }

    /// Writes events until `stop` completes, and then the queued ones for at most `flush_timeout`. Returns the number
    /// of unsent events and counts.
    pub(crate) async fn run(mut self, stop: impl Future<Output = ()>, flush_timeout: Duration) -> usize {
        let mut stop = std::pin::pin!(stop.fuse());
        let (mut request, mut deadline): (Option<BoxFuture<'static, Result<(), Error>>>, _) = (None, None);
        loop {
            self.fill();
            if self.is_stopping && self.queue.is_empty() && self.pending.is_empty() {
                return 0;
            }
            if request.is_none() && self.is_due() {
                request = self.pending.front().map(|attempt| self.request(&attempt.write));
            }
            let wake = if request.is_none() { self.next_wake() } else { None };
            tokio::select! {
                biased; // the order of shutdown: stop first, then the response, then new events
                () = &mut stop, if !self.is_stopping => {
                    deadline = Instant::now().checked_add(flush_timeout);
                    self.stop();
                }
                () = until(deadline), if deadline.is_some() => return self.unsent(),
                response = async { request.as_mut().expect("guarded").await }, if request.is_some() => {
                    request = None;
                    self.complete(response);
                }
                event = self.queue.recv(), if !self.is_stopping && self.pending.len() < MAX_PENDING => match event {
                    Some(event) => self.observe(event),
                    None => self.stop(), // every recorder was dropped
                },
                () = until(wake), if wake.is_some() => self.tick(),
            }
        }
    }

    /// Closes the queue. From here on, retries are not delayed.
    fn stop(&mut self) {
        self.is_stopping = true;
        self.queue.close();
    }

    /// Takes the queued events while the sink stops, and at the end the unsent counts.
    fn fill(&mut self) {
        while self.is_stopping && self.pending.len() < MAX_PENDING {
            let Ok(event) = self.queue.try_recv() else {
                if let State::Series(state) = &mut self.state {
                    let writes = state.finish(Instant::now());
                    self.enqueue(writes);
                }
                return;
            };
            self.observe(event);
        }
    }

    fn observe(&mut self, event: Arc<Recorded>) {
        let now = Instant::now();
        match &mut self.state {
            State::Series(state) => {
                let writes: Vec<Write> = state.observe(event, now).collect();
                self.enqueue(writes);
            }
            State::Correlator(correlator) => match correlator.observe(&event, now) {
                Some(write) => self.enqueue([write]),
                None => self.results.filtered(&event),
            },
        }
    }

    fn enqueue(&mut self, writes: impl IntoIterator<Item = Write>) {
        let attempts = writes.into_iter().map(|write| Attempt { write, tries: 0, not_before: None });
        self.pending.extend(attempts);
    }

    fn is_due(&self) -> bool {
        let first = self.pending.front();
        first.is_some_and(|attempt| {
            self.is_stopping || attempt.not_before.is_none_or(|not_before| not_before <= Instant::now())
        })
    }

    /// Returns the time at which a retry is due or a series ends.
    fn next_wake(&self) -> Option<Instant> {
        let retry = self.pending.front().and_then(|attempt| attempt.not_before);
        let tick = match &self.state {
            State::Series(state) if !self.is_stopping => state.next_tick(),
            _ => None,
        };
        retry.into_iter().chain(tick).min()
    }

    fn tick(&mut self) {
        if let State::Series(state) = &mut self.state {
            let writes = state.tick(Instant::now());
            self.enqueue(writes);
        }
    }

    fn request(&self, write: &Write) -> BoxFuture<'static, Result<(), Error>> {
        let (client, write) = (self.client.clone(), write.clone());
        async move {
            let sent = tokio::time::timeout(REQUEST_TIMEOUT, write.send(&client)).await;
            sent.unwrap_or_else(|late| Err(Error::Service(Box::new(late))))
        }
        .boxed()
    }

    /// Removes the first request in the queue, or delays it for a retry.
    fn complete(&mut self, response: Result<(), Error>) {
        let Some(mut attempt) = self.pending.pop_front() else { return };
        let Err(error) = response else { return self.results.sent() };
        attempt.tries += 1;
        match verdict(&error, attempt.write.patch.is_some()) {
            Verdict::RefusedQuietly => self.results.refused_quietly(&error),
            Verdict::Refused => self.results.refused(&error),
            Verdict::Retry if self.is_stopping || attempt.tries >= MAX_TRIES => self.results.lost(&error),
            Verdict::Retry => {
                let wait = match attempt.tries {
                    1 => RETRY_AFTER.mul_f64(rand::rng().random::<f64>()),
                    _ => RETRY_AFTER,
                };
                tracing::debug!(%error, tries = attempt.tries, ?wait, "writing an event failed, trying again");
                attempt.not_before = Some(Instant::now() + wait);
                self.pending.push_front(attempt);
            }
        }
    }

    /// Counts the events and counts that are left after the flush timeout.
    fn unsent(&mut self) -> usize {
        let counts = match &mut self.state {
            State::Series(state) => state.finish(Instant::now()).len(),
            State::Correlator(_) => 0,
        };
        let unsent = self.pending.len() + self.queue.len() + counts;
        self.results.unsent(unsent);
        unsent
    }
}

async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}
