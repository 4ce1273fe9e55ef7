//! [`EventRecorderBuilder`]: settings of a recorder.

use std::{sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube_client::Client;
use tokio::sync::mpsc;

use crate::{
    CorrelatorOptions, EventPublisher, EventRecorder, FakeEvents, Form,
    record::{Recorded, Reporter},
    recorder::{Clock, Inner},
    results::Results,
    sink::Sink,
};

/// Settings of an [`EventRecorder`] and its [`EventPublisher`].
#[must_use]
pub struct EventRecorderBuilder {
    controller: String,
    instance: Option<String>,
    host: Option<String>,
    clients: Vec<Client>,
    form: Form,
    correlator: CorrelatorOptions,
    queue: usize,
    flush_timeout: Duration,
    clock: Clock,
}

impl EventRecorder {
    /// Returns a builder for the events' reporting controller.
    pub fn builder(controller: impl Into<String>) -> EventRecorderBuilder {
        EventRecorderBuilder::new(controller.into())
    }

    /// Creates a recorder for tests. It sends no request, and keeps up to `capacity` events.
    pub fn fake(capacity: usize) -> (Self, FakeEvents) {
        let (sender, events) = mpsc::channel(capacity.max(1));
        let recorder = Self::builder("fake").into_recorder(Vec::new(), Some(sender));
        (recorder, FakeEvents { events })
    }

    /// Creates a recorder that discards every event.
    #[must_use]
    pub fn discarding() -> Self {
        Self::builder("discarding").into_recorder(Vec::new(), None)
    }
}

impl EventRecorderBuilder {
    fn new(controller: String) -> Self {
        Self {
            controller,
            instance: None,
            host: None,
            clients: Vec::new(),
            form: Form::default(),
            correlator: CorrelatorOptions::default(),
            queue: 1000,
            flush_timeout: Duration::from_secs(5),
            clock: Arc::new(Timestamp::now),
        }
    }

    /// Adds an API server to write to. Each server has its own queue, counts and retries. Without a client, events are
    /// discarded.
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// Sets the name of this process, such as the name of its Pod. Default: the controller's name.
    pub fn instance(self, instance: impl Into<String>) -> Self {
        Self { instance: Some(instance.into()), ..self }
    }

    /// Sets the node of the process, which is part of the source in [`Form::Core`].
    pub fn host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// Sets the API to write to. Default: `events.k8s.io/v1`.
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// Sets the limits of the correlator. [`Form::Events`] uses only its capacity.
    pub fn correlator(self, correlator: CorrelatorOptions) -> Self {
        Self { correlator, ..self }
    }

    /// Sets the number of events that may wait to be written. Default: 1,000, as in client-go.
    pub fn queue(self, queue: usize) -> Self {
        Self { queue: queue.max(1), ..self }
    }

    /// Sets the time limit for the last writes after a stop. Default: 5 s.
    pub fn flush_timeout(self, flush_timeout: Duration) -> Self {
        Self { flush_timeout, ..self }
    }

    /// Sets the clock for the times in events. Default: the wall clock.
    pub fn clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Creates the recorder and its publisher. Events are written only while the publisher [runs](EventPublisher::run).
    pub fn build(mut self) -> (EventRecorder, EventPublisher) {
        let results = Results::new(&self.controller);
        let mut senders = Vec::new();
        let mut sinks = Vec::new();
        for client in std::mem::take(&mut self.clients) {
            let (sender, queue) = mpsc::channel(self.queue);
            senders.push(sender);
            sinks.push(Sink::new(client, queue, self.form, &self.correlator, results.clone()));
        }
        let publisher = EventPublisher { sinks, flush_timeout: self.flush_timeout };
        (self.into_recorder(senders, None), publisher)
    }

    fn into_recorder(
        self,
        sinks: Vec<mpsc::Sender<Arc<Recorded>>>,
        fake: Option<mpsc::Sender<String>>,
    ) -> EventRecorder {
        let reporter = Reporter {
            instance: self.instance.unwrap_or_else(|| self.controller.clone()),
            controller: self.controller,
            host: self.host,
        };
        let results = Results::new(&reporter.controller);
        let inner = Inner { results, sinks, fake, clock: self.clock, last_number: 0.into() };
        EventRecorder::of(reporter, inner)
    }
}

impl std::fmt::Debug for EventRecorderBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { controller, form, queue, flush_timeout, .. } = self;
        f.debug_struct("EventRecorderBuilder")
            .field("controller", controller)
            .field("form", form)
            .field("queue", queue)
            .field("flush_timeout", flush_timeout)
            .finish_non_exhaustive()
    }
}
