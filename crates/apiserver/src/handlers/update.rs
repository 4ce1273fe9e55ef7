//! Update and patch: two ways to come to the next state of an object, which then passes the same rules.

use std::sync::Arc;

use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    core::Core,
    create, decode, managed,
    patch::{Patch, Reach},
    request::Request,
    show,
};
use crate::{
    Operation,
    admission::quota,
    api::{
        object::{self, MANAGED_FIELDS},
        resource::Resource,
        status::{Cause, Result, Status},
        subresource::Subresource,
        verb::Verb,
    },
    auth::{escalation, signers},
    registry::{Kind, addresses, as_stored, in_version, rules, warnings},
    store::{Draft, Stored},
    wire::body::ResponseBody,
};

/// Replaces an object, or makes it where the kind allows that.
pub(super) fn update(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let object = decode::object(request)?;
    let kind = request.kind();
    decode::check_name(request, &object)?;
    if request.route.subresource.is_none()
        && kind.strategy.creates_on_update
        && core.registry.store.get(&kind.resource(), &request.key()).is_none()
    {
        let created = create::insert(core, request, object, None)?;
        return show::answer(core, request, StatusCode::CREATED, &created);
    }
    let written = write(core, request, Scope::Object, |_, _| {
        Ok(Made { object: object.clone(), managers: Managers::Written })
    })?;
    show::answer(core, request, StatusCode::OK, &written)
}

/// Changes parts of an object.
pub(super) fn patch(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let patch = decode::patch(request)?;
    let make = |current: &Value, _: Option<&str>| {
        let object = decode::patched(request, current, &patch)?;
        Ok(Made { object, managers: Managers::Written })
    };
    let written = match Scope::of(core, request, &patch) {
        // A refusal may show the object, all of it.
        Scope::Metadata => write(core, request, Scope::Metadata, make)
            .or_else(|_| write(core, request, Scope::Object, make))?,
        scope => write(core, request, scope, make)?,
    };
    show::answer(core, request, StatusCode::OK, &written)
}

/// The part of an object from which its next state is computed: the rest is neither parsed nor written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The whole object with its managers.
    Everything,
    Object,
    /// The metadata, and what the object is. Nothing else changes.
    Metadata,
}

impl Scope {
    /// The part of the object that a patch reads.
    fn of(core: &Core, request: &Request, patch: &Patch) -> Self {
        let kind = request.kind();
        match patch.reach() {
            Reach::Managers => Self::Everything,
            Reach::Metadata
                if request.route.subresource.is_none()
                    && !kind.strategy.reads_beyond_metadata
                    && core.hooks.are_none()
                    && !request.query.dry_run =>
            {
                Self::Metadata
            }
            Reach::Metadata | Reach::Object => Self::Object,
        }
    }
}

/// The next state of an object, as its writer wants it.
pub(super) struct Made {
    pub(super) object: Value,
    pub(super) managers: Managers,
}

/// The managers of an object after a write.
pub(super) enum Managers {
    /// The writer manages the changed fields.
    Written,
    /// The same as before.
    Kept,
    /// These, as text.
    Are(Option<String>),
}

impl Made {
    /// Lets the mutating hooks change it, which see all of it.
    fn mutate(&mut self, core: &Core, request: &Request, current: &Stored) -> Result<()> {
        if core.hooks.are_none() {
            return Ok(());
        }
        let old = current.whole();
        let old = in_version(request.kind(), &old);
        if !object::metadata(&self.object).contains_key(MANAGED_FIELDS) {
            let managers = match &self.managers {
                Managers::Are(managers) => managers.as_deref(),
                Managers::Written | Managers::Kept => current.managers(),
            };
            self.object = object::whole(&self.object, managers);
        }
        core.hooks.mutate(request.admission(Operation::Update), &mut self.object, Some(&old))?;
        if let Managers::Are(managers) = &mut self.managers {
            *managers = managed::sent(object::take_managers(&mut self.object).as_ref());
        }
        Ok(())
    }
}

/// The result of a write.
enum Next {
    /// The object is as it should be: nothing is written, and no event is made.
    Unchanged,
    /// The object, and its managers as text.
    Put(Value, Option<String>),
    /// Its last finalizer is gone.
    Remove,
}

/// Commits the state that `make` makes of the present one and its managers, again from the start if somebody was
/// faster.
pub(super) fn write(
    core: &Core,
    request: &Request,
    scope: Scope,
    make: impl Fn(&Value, Option<&str>) -> Result<Made>,
) -> Result<Arc<Stored>> {
    let kind = request.kind();
    let (resource, key) = (kind.resource(), request.key());
    let mut is_counted = false;
    loop {
        let current =
            core.registry.store.get(&resource, &key).ok_or_else(|| Status::not_found(kind, key.name()))?;
        let value = match scope {
            Scope::Metadata => current.head().into(),
            Scope::Object | Scope::Everything => current.value(),
        };
        let shown = in_version(kind, &value);
        let mut made = match scope {
            Scope::Everything => make(&in_version(kind, &current.whole()), current.managers())?,
            Scope::Object | Scope::Metadata => make(&shown, current.managers())?,
        };
        made.mutate(core, request, &current)?;
        escalation::check(&request.caller(core), &made.object, Some(&shown))?;
        let (next, _reservation) = next(core, request, scope, &shown, current.managers(), made)?;
        let decided = if let Next::Put(object, _) = &next { object } else { &*shown };
        signers::check(&request.caller(core), &shown, decided)?;
        if let Next::Put(object, managers) = &next
            && !core.hooks.are_none()
        {
            let (new, old) = (Some((object, managers.as_deref())), current.whole());
            let old = in_version(kind, &old);
            core.hooks.validate(request.admission(Operation::Update), key.name(), new, Some(&old))?;
        }
        request.check_wanted()?;
        let written = match next {
            Next::Unchanged => return Ok(current),
            Next::Remove if request.query.dry_run => return Ok(current),
            Next::Remove => core.registry.store.remove(&resource, &key, current.version),
            Next::Put(object, managers) => {
                let managers = managers.as_deref();
                if scope != Scope::Metadata && !is_counted {
                    let (subresource, dry_run) = (request.route.subresource, request.query.dry_run);
                    let (object, old) = (&object, Some(&*shown));
                    quota::charge(&core.registry, &quota::Write { kind, subresource, object, old, dry_run })?;
                    is_counted = true;
                }
                let draft = match scope {
                    Scope::Metadata => Draft::of_metadata(&current, object, managers),
                    _ if request.query.dry_run => return Ok(Stored::unsaved(&object, managers).into()),
                    _ => Draft::managed(as_stored(kind, object), managers),
                };
                draft.check_size()?;
                core.registry.store.put(&resource, &key, Some(current.version), draft)
            }
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
    scope: Scope,
    current: &Value,
    stored: Option<&str>,
    made: Made,
) -> Result<(Next, Option<addresses::Reservation<'a>>)> {
    let (kind, subresource) = (request.kind(), request.route.subresource);
    let Made { mut object, managers } = made;
    let raw = rules::settle_numbers(kind, &mut object);
    check_preconditions(request, current, &object)?;
    let mut fixed: Vec<Cause> = foreign_uid(current, &object).into_iter().collect();
    if subresource == Some(Subresource::Status) {
        fixed.extend(begun_deletion(current, &object)); // most metadata is not taken over
    }
    for field in ["uid", "creationTimestamp", "generation"] {
        object::copy_metadata(current, &mut object, field);
    }
    keep_deletion(current, &mut object);
    object::copy_metadata(current, &mut object, "resourceVersion");
    object::metadata_mut(&mut object).remove("selfLink");
    if scope != Scope::Metadata {
        rules::prepare_update(&core.registry, kind, subresource, current, &mut object);
    }
    let reservation = match subresource {
        None if kind.strategy.is_allocated_addresses => Some(addresses::allocate(
            &core.registry.store,
            &core.registry.addresses,
            kind,
            Some(current),
            &mut object,
        )?),
        _ => None,
    };
    let managers = match managers {
        Managers::Written => {
            request.writer(core, &core.registry.clock.seconds()).updated(current, stored, &mut object)
        }
        Managers::Kept => stored.map(str::to_owned),
        Managers::Are(managers) => managers,
    };
    object::take_managers(&mut object);
    if scope != Scope::Metadata {
        rules::finish_update(kind, subresource, current, &mut object);
    }
    if fixed.is_empty() && object::is_being_deleted(current) && is_free(kind, &object) {
        return Ok((Next::Remove, reservation));
    }
    if raw.is_none()
        && fixed.is_empty()
        && object == *current
        && managed::differ_in_times_at_most(stored, managers.as_deref())
    {
        return Ok((Next::Unchanged, reservation));
    }
    fixed.extend(begun_deletion(current, &object));
    rules::validate_update(kind, subresource, current, &object, raw.as_ref(), fixed)?;
    if scope != Scope::Metadata {
        request.warnings.add(warnings::of_write(kind, subresource, Some(current), &object));
    }
    if kind.strategy.counts_generations && rules::is_new_generation(kind, subresource, current, &object) {
        let generation = object::metadata(current).get("generation").and_then(Value::as_i64).unwrap_or(0);
        object::metadata_mut(&mut object).insert("generation".to_owned(), (generation + 1).into());
    }
    Ok((Next::Put(object, managers), reservation))
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
fn begun_deletion(current: &Value, object: &Value) -> Vec<Cause> {
    let changed = |field: &str| {
        let [before, after] = [current, object].map(|object| object::metadata(object).get(field));
        let after = after.filter(|after| Some(*after) != before)?;
        Some(Cause::invalid(format!("metadata.{field}"), after, "field is immutable"))
    };
    ["deletionTimestamp", "deletionGracePeriodSeconds"].into_iter().filter_map(changed).collect()
}

/// Returns the error of a patch that names another UID. A body with another one is meant for another object.
fn foreign_uid(current: &Value, object: &Value) -> Option<Cause> {
    let uid = object::uid(object);
    let is_foreign = !uid.is_empty() && uid != object::uid(current);
    is_foreign.then(|| Cause::invalid("metadata.uid", &json!(uid), "field is immutable"))
}

fn check_preconditions(request: &Request, current: &Value, object: &Value) -> Result<()> {
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
    check_version(kind, current, object)
}

/// Refuses the change of another version of an object.
fn check_version(kind: &Kind, current: &Value, object: &Value) -> Result<()> {
    let version = object::resource_version(object);
    if !version.is_empty() && version.parse::<u64>().is_err() {
        let because = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
        return Err(Status::internal(because));
    }
    if !matches!(version, "" | "0") && version != object::resource_version(current) {
        return Err(Status::modified(kind, object::name(current)));
    }
    Ok(())
}

/// Returns whether nothing delays the removal of an object that is marked as deleted.
pub(super) fn is_free(kind: &Kind, object: &Value) -> bool {
    let is_held_by_spec =
        || object["spec"].get("finalizers").and_then(Value::as_array).is_some_and(|held| !held.is_empty());
    object::finalizers(object).next().is_none()
        && object::grace_period(object).unwrap_or(0) == 0
        && !(kind.strategy.has_spec_finalizers && is_held_by_spec())
}
