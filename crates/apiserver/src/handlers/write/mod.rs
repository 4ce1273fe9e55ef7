//! The write pipeline: the stages that every object passes on its way into the store, for every verb that writes one.
//!
//! [`insert`] makes an object, [`change`] makes the next state of one that exists. Both run the stages of [`Write`], in
//! upstream's order: `shape` turns the wish of the writer into the object that would be stored, `finish` judges and
//! commits it. Each stage is a function in `stages`.

mod metadata;
mod stages;

use std::sync::Arc;

use serde_json::Value;

pub(super) use self::metadata::is_free;
use super::{core::Core, request::Request};
use crate::{
    api::{
        key::Key,
        status::{Cause, Result, Status},
    },
    registry::{Kind, addresses::Reservation, in_version},
    store::{Draft, Stored},
};

/// The most suffixes that are tried for a generated name.
const ATTEMPTS: usize = 8;

/// The part of an object from which its next state is computed: the rest is neither parsed nor written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The whole object with its managers.
    Everything,
    Object,
    /// The metadata, and what the object is. Nothing else changes.
    Metadata,
}

/// The state of an object, as its writer wants it.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) object: Value,
    pub(super) managers: Managers,
}

/// The managers of an object after a write.
#[derive(Debug)]
pub(super) enum Managers {
    /// The writer manages the fields that it sent or changed.
    Written,
    /// The same as before.
    Kept,
    /// These, as text.
    Are(Option<String>),
}

/// Stores a new object that passed [`decode::object`](super::decode::object).
pub(super) fn insert(core: &Core, request: &Request, made: Made) -> Result<Arc<Stored>> {
    let mut is_charged = false;
    let mut write = Write::new(core, request, Scope::Object, None, made);
    write.shape()?;
    let attempts = if write.base.is_some() { ATTEMPTS } else { 1 };
    for _ in 0..attempts {
        if let Some(stored) = write.finish(&mut is_charged)? {
            return Ok(stored);
        }
    }
    Err(write.taken())
}

/// Commits the state that `make` makes of the present one and its managers, again from the start if another writer was
/// faster.
pub(super) fn change(
    core: &Core,
    request: &Request,
    scope: Scope,
    make: impl Fn(&Value, Option<&str>) -> Result<Made>,
) -> Result<Arc<Stored>> {
    let kind = request.kind();
    let mut is_charged = false;
    loop {
        let stored = request.stored(core)?;
        let value = match scope {
            Scope::Metadata => stored.head().into(),
            Scope::Object | Scope::Everything => stored.value(),
        };
        let value = in_version(kind, &value);
        let made = match scope {
            Scope::Everything => make(&in_version(kind, &stored.whole()), stored.managers())?,
            Scope::Object | Scope::Metadata => make(&value, stored.managers())?,
        };
        let old = Old { stored: &stored, value: &value };
        let mut write = Write::new(core, request, scope, Some(old), made);
        let written = match write.shape()? {
            Next::Put => write.finish(&mut is_charged)?,
            next => {
                write.permit(&value)?;
                request.check_wanted()?;
                if next == Next::Keep {
                    write.warn();
                }
                if next == Next::Keep || request.query.dry_run {
                    return Ok(stored.clone());
                }
                write.remove(&stored)
            }
        };
        // Otherwise the next round sees the newer state, and refuses a writer who asked for the older one.
        if let Some(written) = written {
            return Ok(written);
        }
    }
}

/// An object before a write.
#[derive(Clone, Copy)]
struct Old<'a> {
    stored: &'a Arc<Stored>,
    /// The object in the version of the request; with [`Scope::Metadata`], its metadata.
    value: &'a Value,
}

/// The decision about a write that is shaped.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// The object is as it should be: nothing is written, and no event is made.
    Keep,
    /// The last finalizer is gone, and the object with it.
    Remove,
    Put,
}

/// One write on its way through the stages.
struct Write<'a> {
    core: &'a Core,
    request: &'a Request,
    kind: &'a Kind,
    scope: Scope,
    /// None if the write makes the object.
    old: Option<Old<'a>>,
    /// The key of the object, once it has a name.
    key: Key,
    object: Value,
    /// The object with the numbers that were sent, if they are others.
    sent: Option<Value>,
    wanted_managers: Managers,
    managers: Option<String>,
    /// The errors of metadata that no writer may change.
    fixed: Vec<Cause>,
    /// The base of the name that the server generates.
    base: Option<String>,
    /// Whether a new object came with a version, which no object has yet: the storage refuses it upstream, after all else.
    has_version: bool,
    /// Holds the addresses that were given out until the commit.
    reservation: Option<Reservation<'a>>,
}

impl<'a> Write<'a> {
    fn new(
        core: &'a Core,
        request: &'a Request,
        scope: Scope,
        old: Option<Old<'a>>,
        Made { object, managers }: Made,
    ) -> Self {
        Self {
            core,
            request,
            kind: request.kind(),
            scope,
            old,
            key: request.key(),
            object,
            sent: None,
            wanted_managers: managers,
            managers: None,
            fixed: Vec::new(),
            base: None,
            has_version: false,
            reservation: None,
        }
    }

    /// Makes the object that would be stored of the one that the writer wants.
    fn shape(&mut self) -> Result<Next> {
        self.settle();
        self.mutate()?;
        self.escalate()?;
        self.begin()?;
        self.manage();
        self.prepare()?;
        self.allocate()?;
        Ok(self.decide())
    }

    /// Judges the object and commits it; `None` if another writer was faster.
    fn finish(&mut self, is_charged: &mut bool) -> Result<Option<Arc<Stored>>> {
        self.name()?;
        self.validate()?;
        self.warn();
        self.count_generation();
        self.permit(&self.object)?;
        self.review()?;
        self.request.check_wanted()?;
        if self.request.query.dry_run {
            self.charge(&self.object, is_charged)?;
            return self.pretend().map(Some);
        }
        let draft = self.draft()?;
        self.charge(draft.value(), is_charged)?;
        Ok(self.commit(draft))
    }

    fn commit(&self, draft: Draft) -> Option<Arc<Stored>> {
        let Self { core, kind, .. } = *self;
        let expected = self.old.map(|old| old.stored.version);
        let stored = core.registry.store.put(&kind.resource(), &self.key, expected, draft).ok()?;
        core.after_commit(kind, &stored);
        Some(stored)
    }

    fn remove(&self, present: &Stored) -> Option<Arc<Stored>> {
        let Self { core, kind, .. } = *self;
        let removed = core.registry.store.remove(&kind.resource(), &self.key, present.version).ok()?;
        core.after_commit(kind, &removed);
        Some(removed)
    }

    /// Returns 409: the name of a new object is taken.
    fn taken(&self) -> Status {
        let taken = Status::already_exists(self.kind, self.key.name());
        if self.base.is_some() {
            return taken.retry_after(1);
        }
        let present = self.core.registry.store.get(&self.kind.resource(), &self.key);
        let goes = present.is_some_and(|present| present.is_being_deleted());
        taken.preceded_by(if goes { "object is being deleted: " } else { "" })
    }
}
