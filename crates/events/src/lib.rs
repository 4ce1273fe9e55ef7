//! Kubernetes Events from a controller: recorded without waiting, counted, aggregated, retried and bounded.
//!
//! ```no_run
//! use k8s_openapi::api::core::v1::ObjectReference;
//! use kube_client::Client;
//! use trimtab_events::{EventRecorder, NewEvent};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::try_default().await?;
//!     let (recorder, publisher) = EventRecorder::builder("website-controller").client(client).build();
//!     let published = tokio::spawn(publisher.run(async { _ = tokio::signal::ctrl_c().await }));
//!
//!     let website = ObjectReference {
//!         api_version: Some("example.com/v1".into()),
//!         kind: Some("Website".into()),
//!         namespace: Some("shop".into()),
//!         name: Some("front".into()),
//!         ..ObjectReference::default()
//!     };
//!     recorder.record(&website, NewEvent::normal("Created", "CreateDeployment", "created Deployment front"));
//!
//!     published.await?; // at Ctrl-C: the events that are queued are sent first
//!     Ok(())
//! }
//! ```
//!
//! # Guarantees
//!
//! 1. [`EventRecorder::record`] never waits and never fails its caller. An event that does not fit into the queue, or
//!    is not valid, is dropped, counted and logged.
//! 2. A repeated event becomes a count on one object, not another object (a series in `events.k8s.io/v1`, a count
//!    in core/v1).
//! 3. Memory is bounded: the queue, and the data about earlier events.
//! 4. A write is tried 12 times with 10 s between, while the API server cannot be reached or is overloaded. An event that
//!    the server refuses is given up at once.
//! 5. At shutdown every queued event is tried once more, within a time limit; the number of lost events is returned.
//!
//! # Two forms
//!
//! [`Form::Events`], the default, writes `events.k8s.io/v1` as client-go's `tools/events` does: repeated events form a
//! series, whose count is sent with its second event, every 30 minutes, and when the series ends (6
//! minutes without an event). [`Form::Core`] writes core/v1 as `tools/record` does: identical events are counted on
//! one object, ten similar ones become one aggregate, and a source that repeats itself too often is filtered.
//!
//! # Not here
//!
//! The choice of the events that a controller records. Events are for people who run `kubectl describe`: a controller must not
//! read them to decide anything, as each may be dropped.
//!
//! # Differences from client-go
//!
//! - Responses with 429, 500, 502, 503 and 504 are retried like network errors. client-go gives up at any status.
//! - The last count of an open series is sent at shutdown.
//! - A long note or reason is shortened to the server's limit (1,024 and 128 bytes) instead of being refused.
//! - Events of one recorder are written one after the other in both forms, so their order is kept.
//!
//! # Metrics
//!
//! `trimtab_events_total{controller,result}`, where `result` is `sent`, `refused`, `dropped` or `lost`.

mod builder;
mod correlator;
mod event;
mod fake;
mod form;
mod publisher;
mod record;
mod recorder;
mod results;
mod series;
mod sink;
mod write;

pub use self::{
    builder::EventRecorderBuilder,
    correlator::CorrelatorOptions,
    event::{EventType, NewEvent},
    fake::FakeEvents,
    form::Form,
    publisher::{EventPublisher, Unsent},
    recorder::EventRecorder,
};

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
