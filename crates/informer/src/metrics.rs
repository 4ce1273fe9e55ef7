//! The metrics of an informer with a name, with client-go's names and meanings.
//!
//! They are emitted to the recorder of the [`metrics`](https://docs.rs/metrics) facade that is installed when the
//! informer is built. Their labels are the informer's `name` and the `group`, `version` and `resource` of its
//! kind. An informer without a name emits nothing.

use std::time::Duration;

use ::metrics::{Counter, Gauge, Histogram, Label, Unit, counter, gauge, histogram};
use ::metrics::{describe_counter, describe_gauge, describe_histogram};
use kube_client::Resource;
use trimtab_cache::Object;

/// Counter: lists that were begun, including streaming lists.
pub const LISTS_TOTAL: &str = "reflector_lists_total";
/// Histogram, in seconds: time from the request of a list until its last object is stored.
pub const LIST_DURATION_SECONDS: &str = "reflector_list_duration_seconds";
/// Histogram: objects in each list.
pub const ITEMS_PER_LIST: &str = "reflector_items_per_list";
/// Counter: watches that were opened, including those that streaming lists turn into.
pub const WATCHES_TOTAL: &str = "reflector_watches_total";
/// Counter: watches that ended within a second and without an event.
pub const SHORT_WATCHES_TOTAL: &str = "reflector_short_watches_total";
/// Histogram, in seconds: duration of each watch.
pub const WATCH_DURATION_SECONDS: &str = "reflector_watch_duration_seconds";
/// Histogram: events in each watch, without bookmarks.
pub const ITEMS_PER_WATCH: &str = "reflector_items_per_watch";
/// Gauge: the last resource version received from the server; its last 15 digits, which a float can hold.
pub const LAST_RESOURCE_VERSION: &str = "reflector_last_resource_version";
/// Gauge: the resource version of the store, likewise. With several namespaces it is the lowest of theirs.
pub const STORE_RESOURCE_VERSION: &str = "informer_store_resource_version";
/// Histogram, in seconds: time of all handlers together for one change of the store.
pub const PROCESSING_LATENCY_SECONDS: &str = "informer_processing_latency_seconds";
/// Counter: lists and watches that failed. client-go does not have it.
pub const FAILURES_TOTAL: &str = "reflector_failures_total";
/// Counter: list items and events skipped because their metadata is malformed: an object without a readable name, a
/// bookmark without a readable version. client-go does not have it.
pub const MALFORMED_OBJECTS_TOTAL: &str = "reflector_malformed_objects_total";
/// Gauge: objects whose newest state cannot be decoded. client-go does not have it.
pub const UNDECODABLE_OBJECTS: &str = "reflector_undecodable_objects";
/// Gauge: 1 once the store has its first list, else 0: of every namespace, if there are several. client-go does not have it.
pub const SYNCED: &str = "informer_synced";

/// client-go's bucket bounds for [`PROCESSING_LATENCY_SECONDS`], for the configuration of an exporter.
pub const LATENCY_BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metric handles of one informer.
pub(crate) struct Metrics {
    lists: Counter,
    list_duration: Histogram,
    items_per_list: Histogram,
    watches: Counter,
    short_watches: Counter,
    watch_duration: Histogram,
    items_per_watch: Histogram,
    last_version: Gauge,
    store_version: Gauge,
    latency: Histogram,
    failures: Counter,
    malformed: Counter,
    undecodable: Gauge,
    synced: Gauge,
}

impl Metrics {
    pub(crate) fn new<T: Object>(name: &str, resource: &<T::Kind as Resource>::DynamicType) -> Self {
        describe();
        let labels = || {
            vec![
                Label::new("name", name.to_owned()),
                Label::new("group", T::Kind::group(resource).into_owned()),
                Label::new("version", T::Kind::version(resource).into_owned()),
                Label::new("resource", T::Kind::plural(resource).into_owned()),
            ]
        };
        let synced = gauge!(SYNCED, labels());
        synced.set(0.0); // a source that never syncs shows
        Self {
            synced,
            lists: counter!(LISTS_TOTAL, labels()),
            list_duration: histogram!(LIST_DURATION_SECONDS, labels()),
            items_per_list: histogram!(ITEMS_PER_LIST, labels()),
            watches: counter!(WATCHES_TOTAL, labels()),
            short_watches: counter!(SHORT_WATCHES_TOTAL, labels()),
            watch_duration: histogram!(WATCH_DURATION_SECONDS, labels()),
            items_per_watch: histogram!(ITEMS_PER_WATCH, labels()),
            last_version: gauge!(LAST_RESOURCE_VERSION, labels()),
            store_version: gauge!(STORE_RESOURCE_VERSION, labels()),
            latency: histogram!(PROCESSING_LATENCY_SECONDS, labels()),
            failures: counter!(FAILURES_TOTAL, labels()),
            malformed: counter!(MALFORMED_OBJECTS_TOTAL, labels()),
            undecodable: gauge!(UNDECODABLE_OBJECTS, labels()),
        }
    }

    pub(crate) fn list_begun(&self) {
        self.lists.increment(1);
    }

    pub(crate) fn listed(&self, objects: usize, took: Duration) {
        self.items_per_list.record(objects as f64);
        self.list_duration.record(took);
    }

    pub(crate) fn watch_opened(&self) {
        self.watches.increment(1);
    }

    pub(crate) fn watch_ended(&self, events: u64, lasted: Duration) {
        if events == 0 && lasted.as_secs() < 1 {
            self.short_watches.increment(1);
        }
        self.items_per_watch.record(events as f64);
        self.watch_duration.record(lasted);
    }

    pub(crate) fn failed(&self) {
        self.failures.increment(1);
    }

    pub(crate) fn malformed(&self) {
        self.malformed.increment(1);
    }

    /// Records the version of a source and that of the store.
    pub(crate) fn versions(&self, version: &str, store: &str) {
        self.last_version.set(tail(version));
        self.store_version.set(tail(store));
    }

    pub(crate) fn undecodable(&self, objects: usize) {
        self.undecodable.set(objects as f64);
    }

    pub(crate) fn synced(&self) {
        self.synced.set(1.0);
    }

    pub(crate) fn handled(&self, took: Duration) {
        self.latency.record(took);
    }
}

/// Returns the last 15 decimal digits.
fn tail(version: &str) -> f64 {
    let tail = version.len().saturating_sub(15);
    version.get(tail..).and_then(|digits| digits.parse().ok()).unwrap_or_default()
}

fn describe() {
    describe_counter!(LISTS_TOTAL, "Lists begun.");
    describe_histogram!(LIST_DURATION_SECONDS, Unit::Seconds, "Time to read a list.");
    describe_histogram!(ITEMS_PER_LIST, "Objects of a list.");
    describe_counter!(WATCHES_TOTAL, "Watches opened.");
    describe_counter!(SHORT_WATCHES_TOTAL, "Watches that ended within a second, without an event.");
    describe_histogram!(WATCH_DURATION_SECONDS, Unit::Seconds, "Time that a watch was open.");
    describe_histogram!(ITEMS_PER_WATCH, "Events of a watch.");
    describe_gauge!(LAST_RESOURCE_VERSION, "Last resource version received: last 15 digits.");
    describe_gauge!(STORE_RESOURCE_VERSION, "Resource version of the store: last 15 digits.");
    describe_histogram!(PROCESSING_LATENCY_SECONDS, Unit::Seconds, "Time that handlers take for a change.");
    describe_counter!(FAILURES_TOTAL, "Lists and watches that failed.");
    describe_counter!(MALFORMED_OBJECTS_TOTAL, "Items and events skipped: malformed metadata.");
    describe_gauge!(UNDECODABLE_OBJECTS, "Objects whose newest state cannot be decoded.");
    describe_gauge!(SYNCED, "Whether the store has its first list.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_shown_by_its_last_fifteen_digits() {
        for (version, shown) in
            [("", 0.0), ("17", 17.0), ("1123456789012345", 123_456_789_012_345.0), ("opaque", 0.0)]
        {
            assert_eq!(tail(version), shown, "{version}");
        }
    }
}
