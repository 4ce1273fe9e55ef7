//! Create.

use http::{Response, StatusCode};
use serde_json::Value;

use super::{core::Core, decode, request::Request, show};
use crate::{
    Operation,
    admission::{plugins, quota},
    api::{
        key::Key,
        object,
        status::{Cause, Result, Status},
        verb::Verb,
    },
    auth::{escalation, signers},
    registry::{Kind, addresses, as_stored, rules, warnings},
    store::{Draft, Stored},
    wire::body::ResponseBody,
};

/// The most suffixes that are tried for a generated name.
const ATTEMPTS: usize = 8;
/// The most bytes of `generateName` that are kept, so that name and suffix fit a label's 63 characters.
const LONGEST_BASE: usize = 58;

/// Creates an object.
pub(super) fn create(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    let created = insert(core, request, decode::object(request)?, None)?;
    show::answer(core, request, StatusCode::CREATED, &created)
}

/// Stores a new object that passed [`decode::object`]. Who applies it knows already what its `managers` are.
pub(super) fn insert(
    core: &Core,
    request: &Request,
    mut object: Value,
    managers: Option<String>,
) -> Result<std::sync::Arc<Stored>> {
    let kind = request.kind();
    let raw = rules::settle_numbers(kind, &mut object);
    let generated = object::name(&object).is_empty();
    let base = object::text(&object, "generateName").to_owned();
    let generated = generated && !base.is_empty();
    // Found out by the storage upstream, after all else.
    let has_version = object::resource_version(&object).parse().is_ok_and(|version: u64| version != 0);
    core.hooks.mutate(request.admission(Operation::Create), &mut object, None)?;
    escalation::check(&request.caller(core), &object, None)?;
    begin_life(core, kind, &mut object);
    signers::begin(&request.user, kind, &mut object);
    rules::complete_new(&core.registry, kind, &mut object);
    let managers = if request.is_apply() {
        managers
    } else {
        request.writer(core, &core.registry.clock.seconds()).created(&mut object)
    };
    let managers = managers.as_deref();
    plugins::admit(&core.registry, kind, &mut object)?;
    signers::admit(kind, &object)?;
    rules::prepare_create(&core.registry, kind, &mut object);
    let _reservation = match kind.strategy.is_allocated_addresses {
        true => Some(addresses::allocate(
            &core.registry.store,
            &core.registry.addresses,
            kind,
            None,
            &mut object,
        )?),
        false => None,
    };
    let mut is_counted = false;
    let charge = |object: &Value, dry_run: bool| {
        quota::charge(&core.registry, &quota::Write { kind, subresource: None, object, old: None, dry_run })
    };
    for _ in 0..ATTEMPTS {
        if generated {
            let kept: String = base.chars().take(LONGEST_BASE).collect();
            let name = kept + &core.registry.random.suffix();
            object::metadata_mut(&mut object).insert("name".to_owned(), name.into());
        }
        (kind.strategy.complete_named)(&mut object);
        check_namespace(core, kind, &request.route.namespace, object::name(&object))?;
        rules::validate(kind, &object, raw.as_ref())?;
        plugins::validate(&core.registry, kind, &object)?;
        request.warnings.add(warnings::of_write(kind, request.route.subresource, None, &object));
        if request.route.verb != Verb::Create {
            request.caller(core).check_create()?;
        }
        core.hooks.validate(
            request.admission(Operation::Create),
            object::name(&object),
            Some((&object, managers)),
            None,
        )?;
        let key = object::key(&object);
        if request.query.dry_run {
            charge(&object, true)?;
            rules::unfinish(kind, &mut object);
            return match core.registry.store.get(&kind.resource(), &key) {
                Some(_) => Err(taken(core, kind, &key)),
                None => Ok(Stored::unsaved(&object, managers).into()),
            };
        }
        if has_version && request.route.verb == Verb::Create {
            return Err(Status::internal("resourceVersion should not be set on objects to be created"));
        }
        // Only what may need another name is needed again.
        let object = if generated { object.clone() } else { std::mem::take(&mut object) };
        let draft = Draft::managed(as_stored(kind, object), managers);
        draft.check_size()?;
        request.check_wanted()?;
        if !is_counted {
            charge(draft.value(), false)?;
            is_counted = true;
        }
        match core.registry.store.put(&kind.resource(), &key, None, draft) {
            Ok(stored) => {
                core.after_commit(kind, &stored);
                return Ok(stored);
            }
            Err(_) if generated => {}
            Err(_) => return Err(taken(core, kind, &key)),
        }
    }
    Err(Status::already_exists(kind, object::name(&object)).retry_after(1))
}

/// Returns 409: the name is taken.
fn taken(core: &Core, kind: &Kind, key: &Key) -> Status {
    let present = core.registry.store.get(&kind.resource(), key);
    let goes = present.is_some_and(|present| object::is_being_deleted(&present.value()));
    Status::already_exists(kind, key.name()).preceded_by(if goes { "object is being deleted: " } else { "" })
}

/// Sets the metadata that only the server sets.
fn begin_life(core: &Core, kind: &Kind, object: &mut Value) {
    let metadata = object::metadata_mut(object);
    // A generation stays with the kinds that count none.
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion"] {
        metadata.remove(field);
    }
    metadata.insert("uid".to_owned(), core.registry.random.uid().into());
    metadata.insert("creationTimestamp".to_owned(), core.registry.clock.text());
    if kind.strategy.counts_generations {
        metadata.insert("generation".to_owned(), 1.into());
    }
}

/// Refuses new objects in a namespace that does not exist or is being deleted.
fn check_namespace(core: &Core, kind: &Kind, namespace: &str, name: &str) -> Result<()> {
    if !kind.namespaced {
        return Ok(());
    }
    let namespaces = core.registry.kinds.get("", "v1", "namespaces").expect("a built-in kind");
    let found = core.registry.store.get("namespaces", &Key::new("", namespace));
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
