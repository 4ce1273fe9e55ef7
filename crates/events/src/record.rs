//! [`Recorded`]: an event with its object, reporter and time, and its conversion to API objects.

use std::sync::Arc;

use k8s_openapi::{
    api::{
        core::v1::{Event as CoreEvent, EventSource, ObjectReference},
        events::v1::{Event, EventSeries},
    },
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, Time},
    jiff::Timestamp,
};

use crate::NewEvent;

/// The component that records events.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Reporter {
    pub(crate) controller: String,
    pub(crate) instance: String,
    pub(crate) host: Option<String>,
}

/// An event as it was recorded. Shared by all sinks.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) event: NewEvent,
    pub(crate) regarding: ObjectReference,
    pub(crate) reporter: Arc<Reporter>,
    /// A label for readers. No decision depends on it.
    pub(crate) at: Timestamp,
    /// Unique among the events of this process.
    pub(crate) name: String,
}

impl Recorded {
    pub(crate) fn namespace(&self) -> &str {
        self.regarding.namespace.as_deref().filter(|namespace| !namespace.is_empty()).unwrap_or("default")
    }

    fn metadata(&self, name: &str) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(self.namespace().to_owned()),
            annotations: (!self.event.annotations.is_empty()).then(|| self.event.annotations.clone()),
            ..ObjectMeta::default()
        }
    }

    /// Builds the object in `events.k8s.io/v1`. `series` has the count and the time of the last event.
    pub(crate) fn to_event(&self, series: Option<(i32, Timestamp)>) -> Event {
        Event {
            metadata: self.metadata(&self.name),
            event_time: Some(MicroTime(self.at)),
            type_: Some(self.event.type_.as_str().to_owned()),
            reason: Some(self.event.reason.clone()),
            action: Some(self.event.action.clone()),
            note: Some(self.event.note.clone()),
            regarding: Some(self.regarding.clone()),
            related: self.event.related.clone(),
            reporting_controller: Some(self.reporter.controller.clone()),
            reporting_instance: Some(self.reporter.instance.clone()),
            series: series.map(|(count, last)| EventSeries { count, last_observed_time: MicroTime(last) }),
            ..Event::default()
        }
    }

    /// Builds the object in core `v1` for a first event.
    pub(crate) fn to_core_event(&self) -> CoreEvent {
        CoreEvent {
            metadata: self.metadata(&self.name),
            count: Some(1),
            first_timestamp: Some(Time(self.at)),
            last_timestamp: Some(Time(self.at)),
            type_: Some(self.event.type_.as_str().to_owned()),
            reason: Some(self.event.reason.clone()),
            message: Some(self.event.note.clone()),
            involved_object: self.regarding.clone(),
            related: self.event.related.clone(),
            source: Some(EventSource {
                component: Some(self.reporter.controller.clone()),
                host: self.reporter.host.clone(),
            }),
            reporting_component: Some(self.reporter.controller.clone()),
            reporting_instance: Some(self.reporter.instance.clone()),
            ..CoreEvent::default()
        }
    }
}
