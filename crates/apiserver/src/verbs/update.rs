//! Update and patch: two ways to come to the next state of an object, which then passes the same rules.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Request, create, decode, show};
use crate::{
    Operation,
    core::Core,
    http::{
        body::ResponseBody,
        route::Subresource,
        status::{Cause, Result, Status},
    },
    kinds::{Kind, as_stored, in_version, rules, services},
    managed, object,
    patch::Patch,
    storage::Stored,
};

/// Replaces an object, or makes it where the kind allows that.
pub(super) fn update(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let object = decode::object(request)?;
    let kind = request.kind();
    check_name(request, &object)?;
    if request.route.subresource.is_none()
        && rules::creates_on_update(kind)
        && core.store.get(&kind.resource(), &request.key()).is_none()
    {
        let created = create::insert(core, request, object)?;
        return show::answer(core, request, StatusCode::CREATED, &created);
    }
    let written = write(core, request, |_| Ok(object.clone()))?;
    show::answer(core, request, StatusCode::OK, &written)
}

/// Changes parts of an object.
pub(super) fn patch(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let patch = Patch::read(request.kind(), &request.headers, &request.body)?;
    let written = write(core, request, |current| {
        let object = decode::patched(request, current, &patch)?;
        check_name(request, &object)?;
        if object::uid(&object) != object::uid(current) {
            let uid = json!(object::uid(&object));
            let cause = Cause::invalid("metadata.uid", &uid, "field is immutable");
            return Err(Status::invalid(request.kind(), &request.route.name, &[cause]));
        }
        Ok(object)
    })?;
    show::answer(core, request, StatusCode::OK, &written)
}

pub(super) fn check_name(request: &Request, object: &Value) -> Result<()> {
    let (found, expected) = (object::name(object), &request.route.name);
    if found == expected {
        return Ok(());
    }
    if found.is_empty() {
        let message = format!(
            "the name of the object ({expected} based on URL) was undeterminable: name must be provided"
        );
        return Err(Status::bad_request(message));
    }
    Err(Status::bad_request(format!(
        "the name of the object ({found}) does not match the name on the URL ({expected})"
    )))
}

/// What a write comes to.
enum Next {
    /// The object is as it should be: nothing is written, and no event is made.
    Unchanged,
    Put(Value),
    /// Its last finalizer is gone.
    Remove,
}

/// Commits the state that `make` makes of the present one, again from the start if somebody was faster.
pub(super) fn write(
    core: &Core,
    request: &Request,
    make: impl Fn(&Value) -> Result<Value>,
) -> Result<Arc<Stored>> {
    let kind = request.kind();
    let (resource, key) = (kind.resource(), request.key());
    loop {
        let current = core.store.get(&resource, &key).ok_or_else(|| Status::not_found(kind, key.name()))?;
        let value = current.value();
        let shown = in_version(kind, &value);
        let mut object = make(&shown)?;
        core.hooks.mutate(Operation::Update, request, &mut object, Some(&shown))?;
        let (next, _reservation) = next(core, request, &shown, object)?;
        if let Next::Put(object) = &next {
            core.hooks.validate(Operation::Update, request, key.name(), Some(object), Some(&shown))?;
        }
        let written = match next {
            Next::Unchanged => return Ok(current),
            Next::Put(object) if request.query.dry_run => return Ok(Stored::unsaved(&object).into()),
            Next::Remove if request.query.dry_run => return Ok(current),
            Next::Put(object) => {
                request.check_size(current.json().len(), &object)?;
                core.store.put(&resource, &key, Some(current.version), as_stored(kind, object))
            }
            Next::Remove => core.store.remove(&resource, &key, current.version),
        };
        // Moved: the next round sees the newer state, and refuses a writer who asked for the older one.
        if let Ok(stored) = written {
            core.after_commit(kind, &stored);
            return Ok(stored);
        }
    }
}

/// The rules of an update, as a value, and what holds the addresses that it gave out until it is committed.
fn next<'a>(
    core: &'a Core,
    request: &Request,
    current: &Value,
    mut object: Value,
) -> Result<(Next, Option<services::Reservation<'a>>)> {
    let (kind, subresource) = (request.kind(), request.route.subresource);
    check_preconditions(kind, current, &object)?;
    for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"]
    {
        object::copy_metadata(current, &mut object, field);
    }
    object::copy_metadata(current, &mut object, "resourceVersion");
    object::metadata_mut(&mut object).remove("selfLink");
    let applied = request.is_apply().then(|| object::metadata_mut(&mut object).remove("managedFields"));
    rules::prepare_update(core, kind, subresource, current, &mut object);
    let reservation = match subresource {
        None if services::is_service(kind) => {
            Some(services::allocate(core, kind, Some(current), &mut object)?)
        }
        _ => None,
    };
    if object::is_being_deleted(current) && is_free(&object) {
        return Ok((Next::Remove, reservation));
    }
    match (applied, subresource) {
        (Some(None), _) => drop(object::metadata_mut(&mut object).remove("managedFields")),
        (Some(Some(list)), _) => {
            object::metadata_mut(&mut object).insert("managedFields".to_owned(), list);
        }
        // A scale's writers are known already, and upstream does not say who bound a Pod.
        (None, Some(Subresource::Scale | Subresource::Binding | Subresource::Eviction)) => {}
        (None, _) => request.writer(core, &core.clock.seconds()).updated(current, &mut object),
    }
    if object == *current || managed::differ_in_times(current, &object) {
        return Ok((Next::Unchanged, reservation));
    }
    rules::validate_update(kind, subresource, current, &object)?;
    if rules::has_generation(kind) && rules::is_new_generation(kind, subresource, current, &object) {
        let generation = object::metadata(current).get("generation").and_then(Value::as_i64).unwrap_or(0);
        object::metadata_mut(&mut object).insert("generation".to_owned(), (generation + 1).into());
    }
    Ok((Next::Put(object), reservation))
}

fn check_preconditions(kind: &Kind, current: &Value, object: &Value) -> Result<()> {
    let name = object::name(current);
    let (uid, version) = (object::uid(object), object::resource_version(object));
    if !uid.is_empty() && uid != object::uid(current) {
        let because = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
            kind.plural,
            object::key(current),
            object::uid(current)
        );
        return Err(Status::conflict(kind, name, &because));
    }
    if version.is_empty() && !rules::updates_unconditionally(kind) {
        let cause = Cause::invalid("metadata.resourceVersion", &json!(0), "must be specified for an update");
        let plural = Kind { kind: kind.plural.clone(), ..kind.clone() }; // upstream names the resource here
        return Err(Status::invalid(&plural, name, &[cause]));
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

/// Whether nothing holds an object back from being removed, once it is to be deleted.
pub(super) fn is_free(object: &Value) -> bool {
    let kept_by_itself =
        object["spec"].get("finalizers").and_then(Value::as_array).is_some_and(|f| !f.is_empty());
    let is_namespace = object["kind"] == "Namespace" && object["apiVersion"] == "v1";
    object::finalizers(object).next().is_none()
        && object::grace_period(object).unwrap_or(0) == 0
        && !(is_namespace && kept_by_itself)
}
