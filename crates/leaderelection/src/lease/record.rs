//! [`Record`]: a Lease as JSON text. Only the fields that an election depends on are read.
//!
//! Every field is kept in its original form and written back. So fields that this crate does not know, and times that it
//! cannot represent, do no harm.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A Lease on its way to or from the API server.
///
/// A follower keeps one for as long as it waits, so it is the text and the few fields that are read: as a tree of values, it
/// would take ten times the memory.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// `None` where only the other fields are of interest: such a state is never written.
    json: Option<Box<str>>,
    holder: Box<str>,
    duration: Option<Duration>,
    transitions: i32,
    prefers_another: bool,
    version: Option<Box<str>>,
    uid: Option<Box<str>>,
    /// Those whose values are text.
    annotations: BTreeMap<String, String>,
}

/// The fields of a Lease that are read. A value of another type is not an error.
#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    kind: Value,
    metadata: Option<MetadataFields>,
    #[serde(default)]
    spec: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetadataFields {
    #[serde(default)]
    resource_version: Value,
    #[serde(default)]
    uid: Value,
    #[serde(default)]
    annotations: Value,
}

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
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": namespace, "name": name},
        });
        Self::parse(&lease.to_string()).expect("it is a Lease")
    }

    /// Reads the body of a response.
    ///
    /// # Errors
    ///
    /// If it is not a Lease, with the reason.
    pub(crate) fn parse(body: &str) -> Result<Self, String> {
        let fields: Fields = serde_json::from_str(body).map_err(|error| error.to_string())?;
        if fields.kind != "Lease" {
            return Err(format!("its kind is {}", fields.kind));
        }
        Ok(Self { json: Some(body.into()), ..Self::read(fields)? })
    }

    /// Reads the object of an event or the item of a list, of which the latter does not say its kind. Its text is not kept, unless it
    /// has no resource version: then only the text can tell two states apart.
    ///
    /// # Errors
    ///
    /// If it is not a Lease, with the reason.
    pub(crate) fn of_event(lease: &str) -> Result<Self, String> {
        let fields: Fields = serde_json::from_str(lease).map_err(|error| error.to_string())?;
        if !fields.kind.is_null() && fields.kind != "Lease" {
            return Err(format!("its kind is {}", fields.kind));
        }
        let record = Self::read(fields)?;
        let json = record.version.is_none().then(|| lease.into());
        Ok(Self { json, ..record })
    }

    fn read(Fields { kind: _, metadata, spec }: Fields) -> Result<Self, String> {
        let metadata = metadata.ok_or("the Lease has no metadata")?;
        let text = |value: &Value| value.as_str().map(Into::into);
        let transitions = spec["leaseTransitions"].as_i64().unwrap_or(0);
        Ok(Self {
            json: None,
            holder: holder(&spec),
            duration: spec["leaseDurationSeconds"]
                .as_u64()
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs),
            transitions: i32::try_from(transitions.max(0)).unwrap_or(i32::MAX),
            prefers_another: spec["preferredHolder"].as_str().is_some_and(|holder| !holder.is_empty()),
            version: text(&metadata.resource_version),
            uid: text(&metadata.uid),
            annotations: texts(metadata.annotations),
        })
    }

    /// Whether the text is known, so that a write can be built on it.
    pub(crate) fn is_complete(&self) -> bool {
        self.json.is_some()
    }

    /// Drops the text of a state that is not to be written, which is most of the memory.
    pub(crate) fn without_text(&self) -> Self {
        let json = self.json.clone().filter(|_| self.version.is_none());
        Self { json, ..self.clone() }
    }

    /// Returns the text; empty if it is not known.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        self.json.as_deref().unwrap_or_default().into()
    }

    /// Returns the holder; empty if the Lease has none. An unreadable holder counts as a holder of that name.
    pub(crate) fn holder(&self) -> &str {
        &self.holder
    }

    /// Returns the time that the holder claims from each renewal; `None` if the field is missing, not
    /// positive or not a number.
    pub(crate) fn duration(&self) -> Option<Duration> {
        self.duration
    }

    /// Returns the number of changes of the holder; 0 if the field is unreadable.
    pub(crate) fn transitions(&self) -> i32 {
        self.transitions
    }

    /// Returns whether the API server prefers another holder, in a coordinated election.
    pub(crate) fn prefers_another(&self) -> bool {
        self.prefers_another
    }

    pub(crate) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub(crate) fn uid(&self) -> Option<&str> {
        self.uid.as_deref()
    }

    pub(crate) fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }

    /// Returns whether `other` is the same state of the Lease. All that is read is compared as
    /// text.
    pub(crate) fn is_same_state(&self, other: &Self) -> bool {
        match (self.version(), other.version()) {
            (Some(version), Some(others)) => version == others && self.uid == other.uid,
            _ => self == other,
        }
    }

    /// Returns whether a holder has renewed `other`: this state differs from it in nothing but `renewTime`, the resource
    /// version and fields that are not read.
    pub(crate) fn is_renewal_of(&self, other: &Self) -> bool {
        let Self { json: _, version: _, holder, duration, transitions, prefers_another, uid, annotations } =
            self;
        !holder.is_empty()
            && *holder == other.holder
            && *duration == other.duration
            && *transitions == other.transitions
            && *prefers_another == other.prefers_another
            && *uid == other.uid
            && *annotations == other.annotations
    }

    /// Whether this state is later than that with `version`. Versions that are not numbers are later unless equal.
    pub(crate) fn is_newer_than_version(&self, version: &str) -> bool {
        self.version().is_none_or(|own| is_later_version(own, version))
    }

    /// `renewTime`, for an election without [`Rule::LocallyObservedTime`](crate::rules::Rule).
    pub(crate) fn renew_time(&self) -> Option<Timestamp> {
        let lease: Map<String, Value> = serde_json::from_str(self.json.as_deref()?).ok()?;
        let time = lease.get("spec")?.get("renewTime")?.clone();
        serde_json::from_value::<MicroTime>(time).ok().map(|time| time.0)
    }

    /// This Lease, held.
    pub(crate) fn held(&self, hold: &Hold<'_>) -> Self {
        self.changed(|lease| {
            let transitions = self.transitions.saturating_add(hold.transition.into());
            let now = time(hold.wall);
            let spec = object_in(lease, "spec");
            spec.insert("holderIdentity".into(), hold.identity.into());
            spec.insert("leaseDurationSeconds".into(), hold.duration_seconds.into());
            spec.insert("leaseTransitions".into(), transitions.into());
            if hold.transition || !spec.get("acquireTime").is_some_and(Value::is_string) {
                spec.insert("acquireTime".into(), now.clone());
            }
            spec.insert("renewTime".into(), now);
            overlay(lease, "labels", hold.labels);
            overlay(lease, "annotations", hold.annotations);
        })
    }

    /// This Lease, without a holder.
    ///
    /// The holder is empty, as client-go writes it, not missing: where there are candidates for a Lease
    /// without the field, the elector of kube-apiserver 1.36.3 dereferences nil, which ends that process.
    pub(crate) fn released(&self, wall: Timestamp) -> Self {
        self.changed(|lease| {
            let spec = object_in(lease, "spec");
            spec.insert("holderIdentity".into(), "".into());
            spec.insert("leaseDurationSeconds".into(), 1.into());
            spec.insert("acquireTime".into(), time(wall));
            spec.insert("renewTime".into(), time(wall));
        })
    }

    fn changed(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Self {
        let mut lease = self.values();
        change(&mut lease);
        Self::parse(&Value::Object(lease).to_string()).expect("it is a Lease still")
    }

    fn values(&self) -> Map<String, Value> {
        let json = self.json.as_deref().expect("a write is built on a complete state");
        serde_json::from_str(json).expect("it was parsed before")
    }
}

/// Whether a resource version is later than another. Versions that are not numbers are later unless equal.
pub(crate) fn is_later_version(version: &str, other: &str) -> bool {
    let is_number = |version: &str| !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit());
    if is_number(version) && is_number(other) {
        (version.len(), version) > (other.len(), other)
    } else {
        version != other
    }
}

/// Returns the entries of a map whose values are text.
fn texts(map: Value) -> BTreeMap<String, String> {
    let Value::Object(map) = map else { return BTreeMap::new() };
    let text = |value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    map.into_iter().filter_map(|(key, value)| Some((key, text(value)?))).collect()
}

/// Reads the holder of a spec; empty if there is none.
fn holder(spec: &Value) -> Box<str> {
    let holder = match spec {
        Value::Object(spec) => spec.get("holderIdentity").unwrap_or(&Value::Null),
        other => other,
    };
    match holder {
        Value::Null => "".into(),
        Value::String(holder) if spec.is_object() => holder.as_str().into(),
        other => other.to_string().into(),
    }
}

/// Sets entries of a map in the metadata; others stay.
fn overlay(lease: &mut Map<String, Value>, field: &str, entries: &BTreeMap<String, String>) {
    if !entries.is_empty() {
        let map = object_in(object_in(lease, "metadata"), field);
        map.extend(entries.iter().map(|(key, value)| (key.clone(), value.as_str().into())));
    }
}

/// Returns the object in a field, which is made one if it is something else.
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
