//! [`Request`]: a request about objects, as its handler gets it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::HeaderMap;
use tokio::time::Instant;

use super::{
    core::Core,
    managed::Writer,
    patch,
    workers::{Stop, Workers},
};
use crate::{
    admission::hooks::{self, Operation},
    api::{
        filter::Origin,
        key::Key,
        manager,
        query::Query,
        status::{Cause, Result, Status},
        verb::Verb,
        warning::Warnings,
    },
    auth::{Caller, User},
    registry::{Kind, route::Route},
    store::Stored,
    wire::negotiate::{Form, content_type},
};

/// A request about objects, read and understood.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) route: Route,
    pub(crate) query: Query,
    pub(crate) headers: HeaderMap,
    /// Under which name the client writes.
    pub(crate) manager: String,
    pub(crate) body: Bytes,
    pub(crate) form: Form,
    pub(crate) origin: Origin,
    pub(crate) user: User,
    /// The age of the state that reads of any version show: set by faults.
    pub(crate) staleness: Duration,
    /// Warnings for the client.
    pub(crate) warnings: Warnings,
    /// The threads for long work.
    pub(crate) workers: Workers,
    /// Whether the client is gone.
    pub(crate) stop: Stop,
}

impl Request {
    pub(super) fn kind(&self) -> &Kind {
        &self.route.kind
    }

    /// The version that a read shows which asks for any: an old one if a fault wants it, or the newest.
    pub(super) fn any_version(&self, core: &Core) -> Option<u64> {
        let asks_for_any = self.query.resource_version == Some(0) && !self.staleness.is_zero();
        let now = Instant::now();
        let then = now.checked_sub(self.staleness).unwrap_or(now);
        asks_for_any.then(|| core.registry.store.version_at(&self.kind().resource(), then))
    }

    /// Whether the body is a configuration to be applied.
    pub(super) fn is_apply(&self) -> bool {
        self.route.verb == Verb::Patch && content_type(&self.headers) == patch::APPLY
    }

    /// The client as one who writes at the time `now`.
    pub(super) fn writer<'a>(&'a self, core: &'a Core, now: &'a str) -> Writer<'a> {
        Writer::new(&core.registry.kinds, self.kind(), self.route.subresource, &self.manager, now)
    }

    /// Refuses parameters about managers that do not fit the verb.
    pub(super) fn check_manager(&self) -> Result<()> {
        let options = match self.route.verb {
            Verb::Create => "CreateOptions",
            Verb::Update => "UpdateOptions",
            Verb::Patch => "PatchOptions",
            _ => return Ok(()),
        };
        let name = self.query.field_manager.as_deref().unwrap_or_default();
        let mut causes = Vec::new();
        if self.is_apply() {
            if name.is_empty() {
                causes.push(Cause::required("fieldManager", "is required for apply patch"));
            }
        } else if self.route.verb == Verb::Patch && self.query.force.is_some() {
            causes.push(Cause::forbidden("force", "may not be specified for non-apply patch"));
        }
        causes.extend(manager::causes(name));
        if causes.is_empty() { Ok(()) } else { Err(Status::invalid_options(options, &causes)) }
    }

    /// Whether carrying it out may take long: a patch may cost much more than its body.
    pub(super) fn is_long(&self) -> bool {
        const SMALL: usize = 16 * 1024;
        self.workers.are_apart()
            && (self.body.len() > SMALL || matches!(self.route.verb, Verb::Patch | Verb::DeleteCollection))
    }

    /// Ends a request whose client is gone, before it changes anything.
    pub(super) fn check_wanted(&self) -> Result<()> {
        if self.stop.is_told() { Err(Status::internal("the client is gone")) } else { Ok(()) }
    }

    /// Reads the named object, or refuses with 404.
    pub(super) fn stored(&self, core: &Core) -> Result<Arc<Stored>> {
        let stored = core.registry.store.get(&self.kind().resource(), &self.key());
        stored.ok_or_else(|| Status::not_found(self.kind(), &self.route.name))
    }

    /// Returns whether a list or a watch with the request's selectors shows the object.
    pub(super) fn selects(&self, stored: &Stored) -> bool {
        stored.is_selected(&self.query.labels, &self.query.fields)
    }

    /// Returns the sender and the target, as authorization sees them.
    pub(super) fn caller<'a>(&'a self, core: &'a Core) -> Caller<'a> {
        Caller { access: &core.access, context: &core.registry, user: &self.user, route: &self.route }
    }

    /// Returns the write as the hooks see it.
    pub(super) fn admission(&self, operation: Operation) -> hooks::Attributes<'_> {
        hooks::Attributes { operation, route: &self.route, user: &self.user, dry_run: self.query.dry_run }
    }

    /// Returns the key of the named object.
    pub(super) fn key(&self) -> Key {
        Key::new(&self.route.namespace, &self.route.name)
    }
}
