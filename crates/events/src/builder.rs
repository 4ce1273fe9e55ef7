//! [`EventRecorderBuilder`]: settings of a recorder.

use std::{sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use kube_client::Client;
use tokio::sync::mpsc;

use crate::{
    CorrelatorOptions, EventPublisher, EventRecorder, Form,
    record::{Recorded, Reporter},
    recorder::{Clock, Inner, Results},
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

impl EventRecorderBuilder {
    pub(crate) fn new(controller: String) -> Self {
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

    /// Adds an API server to write to. Each has a queue, counts and retries of its own. Without any, events are
    /// discarded.
    pub fn client(mut self, client: Client) -> Self {
        self.clients.push(client);
        self
    }

    /// The name of this process, such as its Pod's; the controller's name by default.
    pub fn instance(self, instance: impl Into<String>) -> Self {
        Self { instance: Some(instance.into()), ..self }
    }

    /// The node that the process runs on; part of the source of [`Form::Core`].
    pub fn host(self, host: impl Into<String>) -> Self {
        Self { host: Some(host.into()), ..self }
    }

    /// The API to write to; `events.k8s.io/v1` by default.
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// The limits of the correlator. [`Form::Events`] uses its capacity alone.
    pub fn correlator(self, correlator: CorrelatorOptions) -> Self {
        Self { correlator, ..self }
    }

    /// The number of events that may wait to be written; 1,000 by default, as in client-go.
    pub fn queue(self, queue: usize) -> Self {
        Self { queue: queue.max(1), ..self }
    }

    /// The time for the last writes after a stop; 5 s by default.
    pub fn flush_timeout(self, flush_timeout: Duration) -> Self {
        Self { flush_timeout, ..self }
    }

    /// Tells the time that events are labelled with; the wall clock by default.
    pub fn clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Makes the recorder, and the publisher that has to [`run`](EventPublisher::run).
    pub fn build(mut self) -> (EventRecorder, EventPublisher) {
        let results = Results::of(&self.controller);
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

    pub(crate) fn into_recorder(
        self,
        sinks: Vec<mpsc::Sender<Arc<Recorded>>>,
        fake: Option<mpsc::Sender<String>>,
    ) -> EventRecorder {
        let reporter = Reporter {
            instance: self.instance.unwrap_or_else(|| self.controller.clone()),
            controller: self.controller,
            host: self.host,
        };
        EventRecorder::of(Inner {
            results: Results::of(&reporter.controller),
            reporter: Arc::new(reporter),
            sinks,
            fake,
            clock: self.clock,
            last_number: 0.into(),
        })
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
