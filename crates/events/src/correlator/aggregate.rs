//! [`Aggregator`]: combines events that differ only in their message (`EventAggregator`).

use std::{collections::HashSet, time::Duration};

use k8s_openapi::api::core::v1::Event as CoreEvent;
use lru::LruCache;
use tokio::time::Instant;

use super::options::CorrelatorOptions;
use crate::record::Recorded;

const PREFIX: &str = "(combined from similar events): ";

/// The key of the events that are counted on one object: all their fields, or all but the message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct EventKey(Vec<String>);

#[derive(Debug)]
struct Group {
    messages: HashSet<String>,
    last_event: Instant,
}

#[derive(Debug)]
pub(super) struct Aggregator {
    groups: LruCache<EventKey, Group>,
    max_similar: usize,
    window: Duration,
}

impl Aggregator {
    pub(super) fn new(options: &CorrelatorOptions) -> Self {
        Self {
            groups: LruCache::new(options.capacity),
            max_similar: options.max_similar,
            window: options.window,
        }
    }

    /// Returns the object of an event, and the key under which it is counted.
    pub(super) fn aggregate(&mut self, event: &Recorded, now: Instant) -> (CoreEvent, EventKey) {
        let group_key = EventKey::of_group(event);
        let fresh = || Group { messages: HashSet::new(), last_event: now };
        let group = self.groups.get_or_insert_mut(group_key.clone(), fresh);
        if now.duration_since(group.last_event) > self.window {
            group.messages.clear();
        }
        group.messages.insert(event.event.note.clone());
        group.last_event = now;
        let object = event.to_core_event();
        if group.messages.len() < self.max_similar {
            return (object, EventKey::of(event));
        }
        // The set stays below the limit. Any message may be removed: the next one brings the set back to the limit.
        if let Some(message) = group.messages.iter().next().cloned() {
            group.messages.remove(&message);
        }
        (CoreEvent { message: Some(format!("{PREFIX}{}", event.event.note)), ..object }, group_key)
    }
}

impl EventKey {
    /// Returns the key of an event that is counted alone (`getEventKey`).
    fn of(event: &Recorded) -> Self {
        let object = &event.regarding;
        let mut fields = Self::source_and_object(event);
        fields.push(object.field_path.clone().unwrap_or_default());
        fields.extend([event.event.reason.clone(), event.event.note.clone()]);
        Self(fields)
    }

    /// Returns the key of a group of similar events (`EventAggregatorByReasonFunc`).
    fn of_group(event: &Recorded) -> Self {
        let mut fields = Self::source_and_object(event);
        fields.push(event.event.reason.clone());
        fields.extend([event.reporter.controller.clone(), event.reporter.instance.clone()]);
        Self(fields)
    }

    /// Returns the key of a source for the spam filter (`getSpamKey`).
    pub(super) fn of_source(event: &Recorded, with_reason: bool) -> Self {
        let mut fields = Self::source_and_object(event);
        fields.extend(with_reason.then(|| event.event.reason.clone()));
        Self(fields)
    }

    fn source_and_object(event: &Recorded) -> Vec<String> {
        let (object, reporter) = (&event.regarding, &event.reporter);
        let optional =
            [&reporter.host, &object.kind, &object.namespace, &object.name, &object.uid, &object.api_version];
        let mut fields = vec![reporter.controller.clone(), event.event.type_.as_str().to_owned()];
        fields.extend(optional.map(|field| field.clone().unwrap_or_default()));
        fields
    }
}
