//! The rules of a kind for creating, updating and deleting its objects: upstream's strategies.

use serde_json::Value;
use trimtab_schema::{go_number, set_defaults};

use super::{
    Context, Kind, custom,
    parts::{copy_resources, date_decisions, keep_metadata, only},
    validation,
};
use crate::api::{
    object,
    status::{Cause, Result, Status},
    subresource::Subresource,
};

/// Whether a change is one that `generation` counts.
pub(crate) fn is_new_generation(
    kind: &Kind,
    subresource: Option<Subresource>,
    old: &Value,
    new: &Value,
) -> bool {
    if subresource.is_none()
        && kind.strategy.counts_annotations
        && old["metadata"].get("annotations") != new["metadata"].get("annotations")
    {
        return true;
    }
    if subresource.is_none()
        && kind.strategy.counts_labels
        && old["metadata"].get("labels") != new["metadata"].get("labels")
    {
        return true;
    }
    let has_spec = old.get("spec").is_some();
    if has_spec && (!kind.is_custom() || kind.status && fields_beside_spec(old) == 0) {
        return old.get("spec") != new.get("spec");
    }
    let counted = |object: &Value| {
        let fields = object.as_object().into_iter().flatten();
        let status = kind.status;
        let counted = fields.filter(|(field, _)| *field != "metadata" && !(status && *field == "status"));
        counted.map(|(field, value)| (field.clone(), value.clone())).collect::<Vec<_>>()
    };
    counted(old) != counted(new)
}

fn fields_beside_spec(object: &Value) -> usize {
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    object.as_object().into_iter().flatten().filter(|(field, _)| !known.contains(&field.as_str())).count()
}

/// Refuses the deletion of an object that every cluster needs.
pub(crate) fn check_deletion(kind: &Kind, name: &str) -> Result<()> {
    if kind.strategy.undeletable.contains(&name) {
        return Err(Status::forbidden(kind, name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// The grace period of a deletion, in seconds; 0 removes at once.
pub(crate) fn grace_period(kind: &Kind, object: &Value, asked: Option<i64>) -> i64 {
    if kind.grace_seconds == 0 {
        return 0;
    }
    let (spec, status) = (&object["spec"], &object["status"]);
    // Nothing runs that would have to be stopped.
    if validation::text(spec, "nodeName").is_empty()
        || matches!(validation::text(status, "phase"), "Succeeded" | "Failed")
    {
        return 0;
    }
    let own = || spec["terminationGracePeriodSeconds"].as_i64();
    // Of less than nothing, upstream makes a second.
    asked.or_else(own).map_or(kind.grace_seconds, |seconds| if seconds < 0 { 1 } else { seconds })
}

/// Sets the fields of a new object that only the server sets.
///
/// The status that its writer sent is dropped.
pub(crate) fn prepare_create(context: &Context, kind: &Kind, object: &mut Value) {
    if kind.status && !kind.strategy.keeps_first_status && !kind.strategy.is_definition {
        drop_status(kind, object);
    }
    (kind.strategy.prepare_for_create)(object);
    drop_empty_lists(kind, object);
    if kind.status
        && !kind.strategy.keeps_first_status
        && let Some(status) = (kind.strategy.first_status)(&context.clock, object)
    {
        object["status"] = status;
    }
}

/// Makes null of empty lists once their writers manage them.
fn drop_empty_lists(kind: &Kind, object: &mut Value) {
    if let Some(schema) = kind.structure().filter(|_| !kind.is_custom()) {
        trimtab_schema::drop_empty_lists(schema, object);
    }
}

/// Fills in the fields of a new object that its writer may leave out.
pub(crate) fn complete_new(context: &Context, kind: &Kind, object: &mut Value) {
    // A definition has a status of its own from here on: upstream's controllers write it later.
    if kind.strategy.is_definition {
        drop_status(kind, object);
    }
    complete(context, kind, object);
}

fn drop_status(kind: &Kind, object: &mut Value) {
    object.as_object_mut().expect("only JSON objects are decoded").remove("status");
    // Upstream fills in the defaults of a status when it reads the object again.
    if let Some(schema) = kind.structure().filter(|_| kind.is_custom()) {
        set_defaults(schema, object);
    }
}

/// Fills in the fields that a writer may leave out.
fn complete(context: &Context, kind: &Kind, object: &mut Value) {
    set_own_defaults(kind, object);
    if kind.strategy.is_definition {
        custom::accept(object, &context.kinds, &context.clock.text());
    }
}

fn set_own_defaults(kind: &Kind, object: &mut Value) {
    (kind.strategy.set_defaults)(object);
    write_zeros(kind, object);
}

/// Fills in what Go writes although nobody set it. Of a custom object, it knows the metadata.
fn write_zeros(kind: &Kind, object: &mut Value) {
    match kind.structure() {
        Some(schema) if kind.is_custom() => {
            if let Some(schema) = schema.field("metadata") {
                trimtab_schema::write_zeros(schema, &mut object["metadata"]);
            }
        }
        Some(schema) => trimtab_schema::write_zeros(schema, object),
        None => {}
    }
}

/// Sets the fields that only the server sets, once the managers of the sent ones are known.
pub(crate) fn finish_update(kind: &Kind, subresource: Option<Subresource>, old: &Value, new: &mut Value) {
    if matches!(subresource, Some(Subresource::Scale) | None) {
        if kind.strategy.fixes_spec {
            object::copy_field(old, new, "spec");
        }
        (kind.strategy.prepare_for_update)(old, new);
        drop_empty_lists(kind, new);
    }
}

/// Restores the fields that this path does not change.
pub(crate) fn prepare_update(
    context: &Context,
    kind: &Kind,
    subresource: Option<Subresource>,
    old: &Value,
    new: &mut Value,
) {
    match subresource {
        Some(Subresource::Status) => {
            (kind.strategy.set_status_defaults)(new);
            let (metadata, status) = (new["metadata"].take(), new.get("status").cloned());
            *new = old.clone();
            if let Some(status) = status {
                new["status"] = status;
                write_zeros(kind, new);
            }
            if !kind.is_custom() {
                keep_metadata(kind, &metadata, new);
            }
            (kind.strategy.prepare_for_status_update)(old, new);
        }
        Some(Subresource::Finalize) => {
            let finalizers = new["spec"]["finalizers"].take();
            *new = old.clone();
            match finalizers.as_array().is_none_or(Vec::is_empty) {
                true => drop(new["spec"].as_object_mut().and_then(|spec| spec.remove("finalizers"))),
                false => new["spec"]["finalizers"] = finalizers,
            }
        }
        Some(Subresource::Approval) => {
            let metadata = new["metadata"].take();
            only(old, new, "/status/conditions");
            keep_metadata(kind, &metadata, new);
            date_decisions(&context.clock, old, new);
        }
        Some(Subresource::EphemeralContainers) => {
            only(old, new, "/spec/ephemeralContainers");
            set_own_defaults(kind, new);
        }
        Some(Subresource::Resize) => {
            let mut resized = old.clone();
            for field in ["containers", "initContainers"] {
                copy_resources(&new["spec"][field], &mut resized["spec"][field]);
            }
            *new = resized;
            set_own_defaults(kind, new);
        }
        // What sets a Pod's node also sets a condition; nothing else of these is written.
        Some(
            Subresource::Binding
            | Subresource::Connect(_)
            | Subresource::Eviction
            | Subresource::Log
            | Subresource::Token,
        ) => {}
        Some(Subresource::Scale) | None => {
            if kind.status {
                object::copy_field(old, new, "status");
            }
            complete(context, kind, new);
        }
    }
}

/// Makes integers of the whole floats of a custom object, and returns the object as it was sent if it has some: upstream's
/// objects keep them until they are read again.
pub(crate) fn settle_numbers(kind: &Kind, object: &mut Value) -> Option<Value> {
    let has_floats = kind.is_custom() && go_number::has_whole_float(object);
    let raw = has_floats.then(|| object.clone());
    if has_floats {
        go_number::decode_within(object);
    }
    raw
}

/// Refuses a new object that breaks a rule of its kind; `raw` is the object with the numbers that were sent.
pub(crate) fn validate(kind: &Kind, object: &Value, raw: Option<&Value>) -> Result<()> {
    let mut causes = validation::new_object(kind, object);
    let sent = raw.unwrap_or(object);
    causes.extend(kind.schema.iter().flat_map(|declared| declared.errors_as_sent(sent, object, None)));
    custom::scale::check(kind, sent, true, &mut causes);
    check(kind, object, &causes)
}

/// Takes out of a new object what upstream's controllers add after it is stored, which a dry run does not reach.
pub(crate) fn unfinish(kind: &Kind, object: &mut Value) {
    if kind.strategy.is_definition {
        object["status"]["acceptedNames"] = serde_json::json!({"kind": "", "plural": ""});
        object["status"]["conditions"] = Value::Null;
    }
}

/// Refuses a change that breaks a rule; `raw` is the new state with the numbers that were sent, and `first` are the errors of
/// fields of the metadata that never change.
pub(crate) fn validate_update(
    kind: &Kind,
    subresource: Option<Subresource>,
    old: &Value,
    new: &Value,
    raw: Option<&Value>,
    first: Vec<Cause>,
) -> Result<()> {
    let mut causes = validation::change(kind, subresource, old, new, first);
    let sent = raw.unwrap_or(new);
    causes.extend(kind.schema.iter().flat_map(|declared| declared.errors_as_sent(sent, new, Some(old))));
    custom::scale::check(kind, sent, subresource != Some(Subresource::Status), &mut causes);
    check(kind, new, &causes)
}

fn check(kind: &Kind, object: &Value, causes: &[Cause]) -> Result<()> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(Status::invalid(kind, object::name(object), causes))
}
