//! Validation of the metadata of objects. Upstream looks at that of a change several times, and reports what it finds each
//! time: first by the rules of all objects, then by those of the kind.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{faulty, lower_case, parts};
use crate::{
    api::{names, object, selector::is_qualified_name, status::Cause},
    registry::{
        Kind,
        strategy::{MetadataCheck, NameRule},
    },
};

/// The most bytes that all annotations of an object may have.
const ANNOTATIONS_LIMIT: usize = 256 * 1024;

/// The most errors that are reported for an object's metadata: a body can hold 700,000.
const MOST_CAUSES: usize = 1000;

/// Adds the errors of the metadata of a new object, but for its name.
pub(super) fn whole(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let before = causes.len();
    labels_and_owners(object, causes);
    if object::metadata(object).contains_key("finalizers") {
        finalizers(object, causes);
        domains(kind, object, causes);
    }
    causes.truncate(before + MOST_CAUSES);
}

/// The errors of the metadata of a change, by the part of it.
pub(super) struct Change {
    /// Of the finalizers of an object that is being deleted, and of fields that never change.
    fixed: Vec<Cause>,
    base: Vec<Cause>,
    labels_and_owners: Vec<Cause>,
    finalizers: Vec<Cause>,
    domains: Vec<Cause>,
}

impl Change {
    /// Looks for the errors. `fixed` are those of fields that never change.
    pub(super) fn new(kind: &Kind, old: &Value, new: &Value, fixed: Vec<Cause>) -> Self {
        let found = |rule: &dyn Fn(&mut Vec<Cause>)| {
            let mut causes = Vec::new();
            rule(&mut causes);
            causes.truncate(MOST_CAUSES);
            causes
        };
        let has_finalizers = object::metadata(new).contains_key("finalizers");
        let mut change = Self {
            fixed: added_finalizers(old, new).into_iter().chain(fixed).collect(),
            base: found(&|causes| base(kind, new, causes)),
            labels_and_owners: found(&|causes| labels_and_owners(new, causes)),
            finalizers: Vec::new(),
            domains: Vec::new(),
        };
        if has_finalizers {
            change.finalizers = found(&|causes| finalizers(new, causes));
            change.domains = found(&|causes| domains(kind, new, causes));
        }
        change
    }

    /// Adds what the rules of all objects find (`validateCommonFields`).
    pub(super) fn common(&self, causes: &mut Vec<Cause>) {
        Self::add(&[&self.labels_and_owners, &self.finalizers, &self.fixed, &self.labels_and_owners], causes);
    }

    /// Adds what a rule of the kind finds.
    pub(super) fn check(&self, check: MetadataCheck, causes: &mut Vec<Cause>) {
        match check {
            MetadataCheck::Change => {
                Self::add(&[&self.fixed, &self.labels_and_owners, &self.domains], causes);
            }
            MetadataCheck::Whole => {
                Self::add(&[&self.base, &self.labels_and_owners, &self.finalizers, &self.domains], causes);
            }
        }
    }

    fn add(parts: &[&Vec<Cause>], causes: &mut Vec<Cause>) {
        let room = MOST_CAUSES.saturating_sub(causes.len());
        causes.extend(parts.iter().copied().flatten().take(room).cloned());
    }
}

/// Refuses new finalizers of an object that is being deleted.
fn added_finalizers(old: &Value, new: &Value) -> Option<Cause> {
    if !object::is_being_deleted(old) {
        return None;
    }
    let kept: BTreeSet<&str> = object::finalizers(old).collect(); // there may be 100,000
    let added: Vec<&str> = object::finalizers(new).filter(|finalizer| !kept.contains(finalizer)).collect();
    let shown = added.iter().map(|finalizer| format!("{finalizer:?}")).collect::<Vec<_>>().join(", ");
    let because = format!(
        "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown}}}"
    );
    (!added.is_empty()).then(|| Cause::forbidden("metadata.finalizers", because))
}

pub(super) fn name(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    base(kind, object, causes);
    match object::name(object) {
        "" => causes.push(Cause::required("metadata.name", "name or generateName is required")),
        name => faulty(name, "metadata.name", name_faults(kind.strategy.name, name), causes),
    }
}

/// Validates the begin of names that the server completes.
fn base(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    let base = object::text(object, "generateName");
    if !base.is_empty() {
        let faults = match kind.strategy.name {
            NameRule::PathSegment => names::path_prefix_faults(base),
            rule => name_faults(rule, &masked(base)),
        };
        faulty(base, "metadata.generateName", faults, causes);
    }
}

/// Replaces a hyphen at the end and what is before it: what follows may make them right, and nothing else.
fn masked(base: &str) -> String {
    match base.strip_suffix('-') {
        Some(rest) if !rest.is_empty() => {
            String::from_utf8_lossy(&rest.as_bytes()[..rest.len() - 1]).into_owned() + "a"
        }
        _ => base.to_owned(),
    }
}

fn name_faults(rule: NameRule, name: &str) -> Vec<String> {
    let faults = match rule {
        NameRule::Label => names::label_faults(name),
        NameRule::Own => Vec::new(),
        NameRule::PathSegment => return names::path_segment_faults(name),
        NameRule::Subdomain => names::subdomain_faults(name),
    };
    faults.into_iter().map(str::to_owned).collect()
}

/// Validates the labels, the annotations and the owners.
fn labels_and_owners(object: &Value, causes: &mut Vec<Cause>) {
    let metadata = object::metadata(object);
    if let Some(labels) = metadata.get("labels") {
        parts::labels(labels, "metadata.labels", causes);
    }
    if let Some(annotations) = metadata.get("annotations") {
        self::annotations(annotations, "metadata.annotations", causes);
    }
    owners(metadata.get("ownerReferences"), causes);
}

/// Validates the names of finalizers, and that they do not contradict each other.
fn finalizers(object: &Value, causes: &mut Vec<Cause>) {
    let malformed = object::finalizers(object).filter(|finalizer| !is_qualified_name(finalizer));
    for finalizer in malformed.take(MOST_CAUSES) {
        for fault in names::qualified_faults(finalizer) {
            causes.push(Cause::invalid("metadata.finalizers", &json!(finalizer), fault));
        }
    }
    let is_held_by = |wanted| object::finalizers(object).any(|held| held == wanted);
    if is_held_by("orphan") && is_held_by("foregroundDeletion") {
        let because = "finalizer orphan and foregroundDeletion cannot be both set";
        causes.push(Cause::invalid("metadata.finalizers", &object["metadata"]["finalizers"], because));
    }
}

/// Validates the keys and the size of annotations.
pub(in crate::registry) fn annotations(
    annotations: &Value,
    field: impl Into<String> + Copy,
    causes: &mut Vec<Cause>,
) {
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        size += key.len() + value.as_str().map_or(0, str::len);
        faulty(key, field, names::qualified_faults(&lower_case(key)), causes);
    }
    if size > ANNOTATIONS_LIMIT {
        let because = format!("Too long: may not be more than {ANNOTATIONS_LIMIT} bytes");
        causes.push(Cause::new("FieldValueTooLong", field, because));
    }
}

/// Checks that finalizers are Kubernetes' own or have a domain, which upstream's older kinds demand.
fn domains(kind: &Kind, object: &Value, causes: &mut Vec<Cause>) {
    if kind.strategy.takes_bare_finalizers {
        return;
    }
    let known = ["kubernetes", "orphan", "foregroundDeletion"];
    for (index, finalizer) in object::finalizers(object).enumerate() {
        if causes.len() >= MOST_CAUSES {
            return;
        }
        if !finalizer.contains('/') && !known.contains(&finalizer) {
            let because = "name is neither a standard finalizer name nor is it fully qualified";
            let field = format!("metadata.finalizers[{index}]");
            causes.push(Cause::invalid(field, &json!(finalizer), because));
        }
    }
}

fn owners(owners: Option<&Value>, causes: &mut Vec<Cause>) {
    let mut controllers = Vec::new();
    for owner in owners.and_then(Value::as_array).into_iter().flatten() {
        if causes.len() >= MOST_CAUSES {
            return;
        }
        for field in ["apiVersion", "kind", "name", "uid"] {
            let value = owner[field].as_str().unwrap_or_default();
            // Of a version with two slashes, upstream understands nothing.
            if value.is_empty() || field == "apiVersion" && value.matches('/').count() > 1 {
                let because =
                    if field == "apiVersion" { "version must not be empty" } else { "must not be empty" };
                causes.push(Cause::invalid(
                    format!("metadata.ownerReferences.{field}"),
                    &json!(value),
                    because,
                ));
            }
        }
        if owner["apiVersion"] == "v1" && owner["kind"] == "Event" {
            let because = "/v1, Kind=Event is disallowed from being an owner";
            causes.push(Cause::invalid("metadata.ownerReferences", owner, because));
        }
        if owner["controller"] == true {
            controllers.push(owner);
        }
    }
    if let [_, second, ..] = controllers[..] {
        let because = "Only one reference can have Controller set to true. Found \"true\" in references for more \
                       than one owner";
        causes.push(Cause::invalid("metadata.ownerReferences", second, because));
    }
}
