//! The metadata that no writer decides, and the preconditions in it.

use serde_json::{Value, json};

use crate::{
    api::{
        object,
        resource::Resource,
        status::{Cause, Result, Status},
        verb::Verb,
    },
    handlers::{core::Core, request::Request},
    registry::Kind,
};

/// Sets the metadata of a new object that only the server sets.
pub(super) fn begin_life(core: &Core, request: &Request, object: &mut Value) {
    let kind = request.kind();
    let metadata = object::metadata_mut(object);
    // A generation stays with the kinds that count none.
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        metadata.remove(field);
    }
    // A dry run answers the version that was sent.
    if !request.query.dry_run {
        metadata.remove("resourceVersion");
    }
    metadata.insert("uid".to_owned(), core.registry.random.uid().into());
    metadata.insert("creationTimestamp".to_owned(), core.registry.clock.text());
    if kind.strategy.counts_generations {
        metadata.insert("generation".to_owned(), 1.into());
    }
}

/// Restores the metadata that no update changes.
pub(super) fn keep(current: &Value, object: &mut Value) {
    for field in ["uid", "creationTimestamp", "generation"] {
        object::copy_metadata(current, object, field);
    }
    keep_deletion(current, object);
    object::copy_metadata(current, object, "resourceVersion");
    object::metadata_mut(object).remove("selfLink");
}

/// Keeps the metadata of a deletion: a client need not repeat it.
fn keep_deletion(current: &Value, object: &mut Value) {
    let has = |object: &Value, field: &str| object::metadata(object).contains_key(field);
    if has(current, "deletionTimestamp") {
        object::copy_metadata(current, object, "deletionTimestamp");
    }
    if has(current, "deletionGracePeriodSeconds") && !has(object, "deletionGracePeriodSeconds") {
        object::copy_metadata(current, object, "deletionGracePeriodSeconds");
    }
}

/// Returns the errors of a deletion that begins because somebody writes that it has begun, or whose grace period changes.
pub(super) fn begun_deletion(current: &Value, object: &Value) -> Vec<Cause> {
    let changed = |field: &str| {
        let [before, after] = [current, object].map(|object| object::metadata(object).get(field));
        let after = after.filter(|after| Some(*after) != before)?;
        Some(Cause::invalid(format!("metadata.{field}"), after, "field is immutable"))
    };
    ["deletionTimestamp", "deletionGracePeriodSeconds"].into_iter().filter_map(changed).collect()
}

/// Returns the error of a patch that names another UID. A body with another one is meant for another object.
pub(super) fn foreign_uid(current: &Value, object: &Value) -> Option<Cause> {
    let uid = object::uid(object);
    let is_foreign = !uid.is_empty() && uid != object::uid(current);
    is_foreign.then(|| Cause::invalid("metadata.uid", &json!(uid), "field is immutable"))
}

/// Refuses a write that is meant for another object or for another version of it.
pub(super) fn check_preconditions(request: &Request, current: &Value, object: &Value) -> Result<()> {
    let kind = request.kind();
    let name = object::name(current);
    let (uid, version) = (object::uid(object), object::resource_version(object));
    if request.route.verb != Verb::Patch && !uid.is_empty() && uid != object::uid(current) {
        let because = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            kind.plural,
            object::key(current),
            object::uid(current)
        );
        return Err(Status::conflict(kind, name, &because));
    }
    if matches!(version, "" | "0") && !kind.strategy.updates_unconditionally {
        let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
        let plural = Resource { kind: &kind.plural, ..kind.into() }; // upstream names the resource here
        return Err(Status::invalid(plural, name, &[cause]));
    }
    if !version.is_empty() && version.parse::<u64>().is_err() {
        let because = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
        return Err(Status::internal(because));
    }
    if !matches!(version, "" | "0") && version != object::resource_version(current) {
        return Err(Status::modified(kind, name));
    }
    Ok(())
}

/// Refuses new objects in a namespace that does not exist or is being deleted.
pub(super) fn check_namespace(core: &Core, kind: &Kind, namespace: &str, name: &str) -> Result<()> {
    if !kind.namespaced {
        return Ok(());
    }
    let namespaces = core.registry.kinds.get("", "v1", "namespaces").expect("a built-in kind");
    let found = core.registry.store.get("namespaces", &crate::api::key::Key::new("", namespace));
    let found = found.ok_or_else(|| Status::not_found(&namespaces, namespace))?;
    if !found.is_being_deleted() {
        return Ok(());
    }
    let because =
        format!("unable to create new content in namespace {namespace} because it is being terminated");
    let message = format!("namespace {namespace} is being terminated");
    let cause = Cause::new("NamespaceTerminating", "metadata.namespace", message);
    Err(Status::forbidden(kind, name, &because).causes(&[cause]))
}

/// Returns whether nothing delays the removal of an object that is marked as deleted.
pub(in crate::handlers) fn is_free(kind: &Kind, object: &Value) -> bool {
    let is_held_by_spec =
        || object["spec"].get("finalizers").and_then(Value::as_array).is_some_and(|held| !held.is_empty());
    object::finalizers(object).next().is_none()
        && object::grace_period(object).unwrap_or(0) == 0
        && !(kind.strategy.has_spec_finalizers && is_held_by_spec())
}
