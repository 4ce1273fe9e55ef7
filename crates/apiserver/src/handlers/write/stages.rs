//! The stages of [`Write`], in their order.

use std::{mem, sync::Arc};

use serde_json::Value;

use super::{
    Managers, Next, Scope, Write,
    metadata::{self, is_free},
};
use crate::{
    admission::{hooks::Operation, plugins, quota},
    api::{
        object::{self, MANAGED_FIELDS},
        status::{Cause, Result, Status},
        subresource::Subresource,
        verb::Verb,
    },
    auth::{escalation, signers},
    handlers::managed,
    registry::{Kind, addresses::Allocator, as_stored, in_version, rules, warnings},
    store::{Draft, Stored},
};

/// The most bytes of `generateName` that are kept, so that name and suffix fit a label's 63 characters.
const LONGEST_BASE: usize = 58;

impl Write<'_> {
    /// Makes integers of whole floats, and remembers the numbers that were sent.
    pub(super) fn settle(&mut self) {
        if let Some(sent) = rules::settle_numbers(self.kind, &mut self.object) {
            self.sent = Some(sent);
        }
    }

    /// Lets the mutating hooks change the object. They see all of it.
    pub(super) fn mutate(&mut self) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        if core.hooks.are_none() {
            return Ok(());
        }
        let Some(old) = self.old else {
            core.hooks.mutate(request.admission(Operation::Create), &mut self.object, None)?;
            self.settle();
            return Ok(());
        };
        let before = old.stored.whole();
        let before = in_version(kind, &before);
        if !object::metadata(&self.object).contains_key(MANAGED_FIELDS) {
            let managers = match &self.wanted_managers {
                Managers::Are(managers) => managers.as_deref(),
                Managers::Written | Managers::Kept => old.stored.managers(),
            };
            self.object = object::whole(&self.object, managers);
        }
        core.hooks.mutate(request.admission(Operation::Update), &mut self.object, Some(&before))?;
        if let Managers::Are(managers) = &mut self.wanted_managers {
            *managers = managed::sent(object::take_managers(&mut self.object).as_ref());
        }
        self.settle();
        Ok(())
    }

    /// Refuses roles and bindings that give their writer more rights than it has.
    pub(super) fn escalate(&self) -> Result<()> {
        let caller = self.request.caller(self.core);
        escalation::check(&caller, &self.object, self.old.map(|old| old.value))
    }

    /// Sets what no writer decides: the server's metadata, and the parts that the path does not reach. Fills in defaults.
    pub(super) fn begin(&mut self) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        let object = &mut self.object;
        let Some(old) = self.old else {
            self.has_version =
                object::resource_version(object).parse().is_ok_and(|version: u64| version != 0);
            let base = object::text(object, "generateName");
            self.base = (object::name(object).is_empty() && !base.is_empty()).then(|| base.to_owned());
            metadata::begin_life(core, request, object);
            signers::begin(&request.user, kind, object);
            rules::complete_new(&core.registry, kind, object);
            return Ok(());
        };
        let subresource = request.route.subresource;
        metadata::check_preconditions(request, old.value, object)?;
        self.fixed.extend(metadata::foreign_uid(old.value, object));
        if subresource == Some(Subresource::Status) {
            self.fixed.extend(metadata::begun_deletion(old.value, object)); // most metadata is not taken over
        }
        metadata::keep(old.value, object);
        if self.scope != Scope::Metadata {
            rules::prepare_update(&core.registry, kind, subresource, old.value, object);
        }
        Ok(())
    }

    /// Finds out who manages the fields, before the server sets others.
    pub(super) fn manage(&mut self) {
        let now = self.core.registry.clock.seconds();
        let writer = self.request.writer(self.core, &now);
        self.managers = match (mem::replace(&mut self.wanted_managers, Managers::Kept), self.old) {
            (Managers::Are(managers), _) => managers,
            (Managers::Written, None) => writer.created(&mut self.object),
            (Managers::Written, Some(old)) => {
                writer.updated(old.value, old.stored.managers(), &mut self.object)
            }
            (Managers::Kept, old) => old.and_then(|old| old.stored.managers()).map(str::to_owned),
        };
        object::take_managers(&mut self.object);
    }

    /// Runs the admission plug-ins of new objects, and the kind's own preparation: fields that only the server sets.
    pub(super) fn prepare(&mut self) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        match self.old {
            None => {
                plugins::admit(&core.registry, kind, &mut self.object)?;
                signers::admit(kind, &self.object)?;
                rules::prepare_create(&core.registry, kind, &mut self.object);
            }
            Some(old) if self.scope != Scope::Metadata => {
                rules::finish_update(kind, request.route.subresource, old.value, &mut self.object);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Gives a Service its addresses and ports.
    pub(super) fn allocate(&mut self) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        if kind.strategy.is_allocated_addresses && request.route.subresource.is_none() {
            let (store, reserved) = (&core.registry.store, &core.registry.addresses);
            let allocator = Allocator { store, reserved, dry_run: request.query.dry_run };
            let old = self.old.map(|old| old.value);
            self.reservation = Some(allocator.allocate(kind, old, &mut self.object)?);
        }
        Ok(())
    }

    /// Decides whether there is anything to write.
    pub(super) fn decide(&self) -> Next {
        let Some(old) = self.old.filter(|_| self.fixed.is_empty()) else { return Next::Put };
        if object::is_being_deleted(old.value) && is_free(self.kind, &self.object) {
            return Next::Remove;
        }
        let is_equal = self.sent.is_none()
            && self.object == *old.value
            && managed::differ_in_times_at_most(old.stored.managers(), self.managers.as_deref());
        if is_equal { Next::Keep } else { Next::Put }
    }

    /// Gives a new object its name, another one at each attempt if the server generates it.
    pub(super) fn name(&mut self) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        if self.old.is_some() {
            return Ok(());
        }
        if let Some(base) = &self.base {
            let kept: String = base.chars().take(LONGEST_BASE).collect();
            let name = kept + &core.registry.random.suffix();
            object::metadata_mut(&mut self.object).insert("name".to_owned(), name.into());
        }
        (kind.strategy.complete_named)(&mut self.object);
        self.key = object::key(&self.object);
        metadata::check_namespace(core, kind, &request.route.namespace, self.key.name())
    }

    /// Refuses an object that breaks a rule of its kind.
    pub(super) fn validate(&mut self) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        let (subresource, object, sent) = (request.route.subresource, &self.object, self.sent.as_ref());
        match self.old {
            None => {
                rules::validate(kind, object, sent)?;
                plugins::validate(&core.registry, kind, object)?;
            }
            Some(old) => {
                let mut fixed: Vec<Cause> = mem::take(&mut self.fixed);
                fixed.extend(metadata::begun_deletion(old.value, object));
                rules::validate_update(kind, subresource, old.value, object, sent, fixed)?;
            }
        }
        Ok(())
    }

    /// Warns of what is allowed but unwise, even if it has been so before.
    pub(super) fn warn(&self) {
        let Self { request, kind, .. } = *self;
        if self.scope != Scope::Metadata {
            let old = self.old.map(|old| old.value);
            request.warnings.add(warnings::of_write(kind, request.route.subresource, old, &self.object));
        }
    }

    /// Counts a change of what the kind's generation is about.
    pub(super) fn count_generation(&mut self) {
        let Self { request, kind, .. } = *self;
        let Some(old) = self.old.filter(|_| kind.strategy.counts_generations) else { return };
        if rules::is_new_generation(kind, request.route.subresource, old.value, &self.object) {
            let before = object::metadata(old.value).get("generation").and_then(Value::as_i64).unwrap_or(0);
            object::metadata_mut(&mut self.object).insert("generation".to_owned(), (before + 1).into());
        }
    }

    /// Refuses writers who may update but not create, or not approve, sign or attest for a signer.
    pub(super) fn permit(&self, decided: &Value) -> Result<()> {
        let caller = self.request.caller(self.core);
        match self.old {
            None if self.request.route.verb == Verb::Create => {}
            None => caller.check_create()?,
            Some(old) => signers::check(&caller, old.value, decided)?,
        }
        signers::attest(&caller, self.old.map(|old| old.value), decided)
    }

    /// Lets the validating hooks and policies refuse the object.
    pub(super) fn review(&self) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        let new = Some((&self.object, self.managers.as_deref()));
        let Some(old) = self.old else {
            return core.hooks.validate(request.admission(Operation::Create), self.key.name(), new, None);
        };
        if core.hooks.are_none() {
            return Ok(()); // the whole object need not be read
        }
        let before = old.stored.whole();
        let before = in_version(kind, &before);
        core.hooks.validate(request.admission(Operation::Update), self.key.name(), new, Some(&before))
    }

    /// Returns the object of a dry run as it would have been stored.
    pub(super) fn pretend(&mut self) -> Result<Arc<Stored>> {
        let Self { core, kind, .. } = *self;
        if self.old.is_none() {
            rules::unfinish(kind, &mut self.object);
            if core.registry.store.get(&kind.resource(), &self.key).is_some() {
                return Err(self.taken());
            }
        }
        let object = mem::take(&mut self.object);
        let object = self.kept(object);
        Ok(Stored::unsaved(&object, self.managers.as_deref()).into())
    }

    /// Writes the object as it is stored, and refuses what the storage does not take.
    pub(super) fn draft(&mut self) -> Result<Draft> {
        if self.has_version && self.request.route.verb == Verb::Create {
            return Err(Status::internal("resourceVersion should not be set on objects to be created"));
        }
        // Only an object that may need another name is needed again.
        let object = if self.base.is_some() { self.object.clone() } else { mem::take(&mut self.object) };
        let managers = self.managers.as_deref();
        let draft = match self.old {
            Some(old) if self.scope == Scope::Metadata => Draft::of_metadata(old.stored, object, managers),
            _ => Draft::managed(as_stored(self.kind, self.kept(object)), managers),
        };
        draft.check_size()?;
        Ok(draft)
    }

    /// Returns what is left of the object in the version of a custom kind that is stored: fields that this does not declare
    /// are lost.
    fn kept(&self, mut object: Value) -> Value {
        let Self { core, kind, .. } = *self;
        if kind.is_custom() && kind.version != kind.storage_version {
            let stored = core.registry.kinds.get(&kind.group, &kind.storage_version, &kind.plural);
            if let Some(schema) = stored.as_deref().and_then(Kind::structure) {
                trimtab_schema::prune(schema, &mut object);
            }
        }
        object
    }

    /// Books the object with the quotas of its namespace, once however often its commit is tried.
    pub(super) fn charge(&self, object: &Value, is_charged: &mut bool) -> Result<()> {
        let Self { core, request, kind, .. } = *self;
        if self.scope == Scope::Metadata || mem::replace(is_charged, true) {
            return Ok(());
        }
        let (subresource, dry_run) = (request.route.subresource, request.query.dry_run);
        let old = self.old.map(|old| old.value);
        let subresource = if old.is_some() { subresource } else { None };
        quota::charge(&core.registry, &quota::Write { kind, subresource, object, old, dry_run })
    }
}
