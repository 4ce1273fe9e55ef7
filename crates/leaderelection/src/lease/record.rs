//! [`Record`]: a Lease as JSON. Only the fields that an election depends on are read.
//!
//! Every field is kept in its original form and written back. So fields that this crate does not know, and times that it
//! cannot represent, do no harm.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde_json::{Map, Value, json};

/// A Lease on its way to or from the API server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record(Map<String, Value>);

/// The fields that a candidate writes into a Lease that it takes or renews.
#[derive(Debug, Clone)]
pub(crate) struct Hold<'a> {
    pub(crate) identity: &'a str,
    pub(crate) duration_seconds: i32,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) annotations: &'a BTreeMap<String, String>,
    /// A new holder: `acquireTime` is set, and `leaseTransitions` counted.
    pub(crate) transition: bool,
    /// The wall clock. It labels the record and decides nothing.
    pub(crate) wall: Timestamp,
}

impl Record {
    /// Creates a Lease that has only a name.
    pub(crate) fn new(namespace: &str, name: &str) -> Self {
        let mut record = Map::new();
        record.insert("apiVersion".into(), "coordination.k8s.io/v1".into());
        record.insert("kind".into(), "Lease".into());
        record.insert("metadata".into(), json!({"namespace": namespace, "name": name}));
        Self(record)
    }

    /// Reads the body of a response.
    ///
    /// # Errors
    ///
    /// If it is not a Lease, with the reason.
    pub(crate) fn parse(body: &str) -> Result<Self, String> {
        Self::checked(serde_json::from_str(body).map_err(|error| error.to_string())?)
    }

    /// Takes an object that should be a Lease.
    ///
    /// # Errors
    ///
    /// If it is not a Lease, with the reason.
    pub(crate) fn checked(record: Map<String, Value>) -> Result<Self, String> {
        match (record.get("kind").and_then(Value::as_str), record.get("metadata")) {
            (Some("Lease"), Some(Value::Object(_))) => Ok(Self(record)),
            (Some("Lease"), _) => Err("the Lease has no metadata".into()),
            (kind, _) => Err(format!("its kind is {kind:?}")),
        }
    }

    pub(crate) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(&self.0).expect("a map with text as keys is JSON")
    }

    /// Returns the holder; empty if the Lease has none. An unreadable holder counts as a holder of that name.
    pub(crate) fn holder(&self) -> Cow<'_, str> {
        match self.0.get("spec") {
            None | Some(Value::Null) => Cow::Borrowed(""),
            Some(Value::Object(spec)) => match spec.get("holderIdentity") {
                None | Some(Value::Null) => Cow::Borrowed(""),
                Some(Value::String(holder)) => Cow::Borrowed(holder),
                Some(other) => Cow::Owned(other.to_string()),
            },
            Some(other) => Cow::Owned(other.to_string()),
        }
    }

    /// Returns the time that the holder claims from each renewal; `None` if the field is missing, not
    /// positive or not a number.
    pub(crate) fn duration(&self) -> Option<Duration> {
        let seconds = self.spec("leaseDurationSeconds")?.as_u64()?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// Returns the number of changes of the holder; 0 if the field is unreadable.
    pub(crate) fn transitions(&self) -> i32 {
        let transitions = self.spec("leaseTransitions").and_then(Value::as_i64).unwrap_or(0);
        i32::try_from(transitions.max(0)).unwrap_or(i32::MAX)
    }

    /// Returns whether the API server prefers another holder, in a coordinated election.
    pub(crate) fn prefers_another(&self) -> bool {
        let preferred = self.spec("preferredHolder").and_then(Value::as_str);
        preferred.is_some_and(|preferred| !preferred.is_empty())
    }

    pub(crate) fn version(&self) -> Option<&str> {
        self.metadata("resourceVersion")?.as_str()
    }

    pub(crate) fn uid(&self) -> Option<&str> {
        self.metadata("uid")?.as_str()
    }

    pub(crate) fn annotations(&self) -> BTreeMap<String, String> {
        let annotations = self.metadata("annotations").and_then(Value::as_object).into_iter().flatten();
        annotations.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
    }

    /// Returns whether `other` is the same state of the Lease. All that is read is compared as
    /// text.
    pub(crate) fn is_same_state(&self, other: &Self) -> bool {
        match (self.version(), other.version()) {
            (Some(version), Some(others)) => version == others && self.uid() == other.uid(),
            _ => self == other,
        }
    }

    /// Whether this state is later than that with `version`. Versions that are not numbers are later unless equal.
    pub(crate) fn is_newer_than_version(&self, version: &str) -> bool {
        let is_number = |version: &str| !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
        match self.version() {
            Some(own) if is_number(own) && is_number(version) => (own.len(), own) > (version.len(), version),
            own => own != Some(version),
        }
    }

    /// `renewTime`, for an election without [`Rule::LocallyObservedTime`](crate::rules::Rule).
    pub(crate) fn renew_time(&self) -> Option<Timestamp> {
        let time = serde_json::from_value::<MicroTime>(self.spec("renewTime")?.clone());
        time.ok().map(|time| time.0)
    }

    /// This Lease, held.
    pub(crate) fn held(&self, hold: &Hold<'_>) -> Self {
        let mut record = self.clone();
        let transitions = self.transitions().saturating_add(hold.transition.into());
        let now = time(hold.wall);
        let spec = record.object("spec");
        spec.insert("holderIdentity".into(), hold.identity.into());
        spec.insert("leaseDurationSeconds".into(), hold.duration_seconds.into());
        spec.insert("leaseTransitions".into(), transitions.into());
        if hold.transition || !spec.get("acquireTime").is_some_and(Value::is_string) {
            spec.insert("acquireTime".into(), now.clone());
        }
        spec.insert("renewTime".into(), now);
        record.overlay("labels", hold.labels);
        record.overlay("annotations", hold.annotations);
        record
    }

    /// This Lease, without a holder.
    ///
    /// The holder is empty, as client-go writes it, not missing: where there are candidates for a Lease
    /// without the field, the elector of kube-apiserver 1.36.3 dereferences nil, which ends that process.
    pub(crate) fn released(&self, wall: Timestamp) -> Self {
        let mut record = self.clone();
        let spec = record.object("spec");
        spec.insert("holderIdentity".into(), "".into());
        spec.insert("leaseDurationSeconds".into(), 1.into());
        spec.insert("acquireTime".into(), time(wall));
        spec.insert("renewTime".into(), time(wall));
        record
    }

    fn spec(&self, field: &str) -> Option<&Value> {
        self.0.get("spec")?.get(field)
    }

    fn metadata(&self, field: &str) -> Option<&Value> {
        self.0.get("metadata")?.get(field)
    }

    /// Returns the object in a field, which is made one if it is something else.
    fn object(&mut self, field: &str) -> &mut Map<String, Value> {
        object_in(&mut self.0, field)
    }

    /// Sets entries of a map in the metadata; others stay.
    fn overlay(&mut self, field: &str, entries: &BTreeMap<String, String>) {
        if entries.is_empty() {
            return;
        }
        let map = object_in(self.object("metadata"), field);
        map.extend(entries.iter().map(|(key, value)| (key.clone(), value.as_str().into())));
    }
}

fn object_in<'a>(map: &'a mut Map<String, Value>, field: &str) -> &'a mut Map<String, Value> {
    let value = map.entry(field).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was made one")
}

fn time(wall: Timestamp) -> Value {
    serde_json::to_value(MicroTime(wall)).expect("a time is JSON")
}
