//! [`Sink`]: one API server that events are written to: its queue, its counts, its retries.

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
    recorder::Results,
    series::SeriesState,
    write::{Verdict, Write, verdict},
};

/// How often a write is tried, while nothing but the server's absence speaks against it (`maxTriesPerEvent`).
const MAX_TRIES: u32 = 12;
/// The time between two tries; the first wait is a random part of it, so that many processes do not come back at once.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// A request that takes longer is abandoned and tried again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests that wait to be sent. Events stay in the channel, which is bounded too, while there are so many.
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

    /// Writes events until `stop` completes, then what is queued, for no longer than `flush_timeout`. Returns the number of
    /// events and counts that were not sent.
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
                biased; // the order of shutdown: stop first, then the answer, then new events
                () = &mut stop, if !self.is_stopping => {
                    deadline = Instant::now().checked_add(flush_timeout);
                    self.stop();
                }
                () = until(deadline), if deadline.is_some() => return self.unsent(),
                answer = async { request.as_mut().expect("guarded").await }, if request.is_some() => {
                    request = None;
                    self.answered(answer);
                }
                event = self.queue.recv(), if !self.is_stopping && self.pending.len() < MAX_PENDING => match event {
                    Some(event) => self.observe(event),
                    None => self.stop(), // every recorder was dropped
                },
                () = until(wake), if wake.is_some() => self.tick(),
            }
        }
    }

    /// Takes no more events than those that are queued, and waits for no retry.
    fn stop(&mut self) {
        self.is_stopping = true;
        self.queue.close();
    }

    /// While it stops: takes what is queued, and at last the counts that were not sent.
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
                None => self.results.dropped("filtered as spam", &event),
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

    /// When a retry is due, or a series ends.
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

    /// Decides about the first request in the queue, which was answered.
    fn answered(&mut self, answer: Result<(), Error>) {
        let Some(mut attempt) = self.pending.pop_front() else { return };
        let Err(error) = answer else { return self.results.sent() };
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

    /// Counts what is left when the time for the last writes has run out.
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
