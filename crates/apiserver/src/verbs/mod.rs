//! The verbs. A verb reads the present state, works out the next one as a value, and commits
//! it if nobody was faster; nothing but lists and watches ever waits. What takes long for a client on a socket is done
//! apart, so that other connections do not wait for it.

mod apply;
mod create;
mod decode;
mod delete;
mod eviction;
mod items;
mod made_up;
mod options;
mod pod;
mod quota;
mod read;
mod scale;
mod show;
mod update;
mod watch;

pub(crate) use self::decode::other as read_other;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Response};
use tokio::time::Instant;

use crate::{
    access::{self, User},
    core::Core,
    faults::Origin,
    http::{
        body::ResponseBody,
        manager,
        negotiate::{Form, content_type},
        query::Query,
        route::{Route, Subresource, Verb},
        status::{Cause, Result, Status},
        warning::Warnings,
    },
    kinds::Kind,
    managed::Writer,
    patch,
    server::{Stop, Workers},
    storage::{Draft, Key},
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
    /// How old the state is that a read shows which need not be fresh: what a fault wants.
    pub(crate) staleness: Duration,
    /// Warnings for the client.
    pub(crate) warnings: Warnings,
    /// Where what takes long is done.
    pub(crate) workers: Workers,
    /// Whether the client is gone.
    pub(crate) stop: Stop,
}

impl Request {
    fn kind(&self) -> &Kind {
        &self.route.kind
    }

    /// The version that a read shows which asks for any: an old one if a fault wants it, or the newest.
    fn any_version(&self, core: &Core) -> Option<u64> {
        let asks_for_any = self.query.resource_version == Some(0) && !self.staleness.is_zero();
        let now = Instant::now();
        let then = now.checked_sub(self.staleness).unwrap_or(now);
        asks_for_any.then(|| core.store.version_at(&self.kind().resource(), then))
    }

    /// Whether the body is a configuration to be applied.
    fn is_apply(&self) -> bool {
        self.route.verb == Verb::Patch && content_type(&self.headers) == patch::APPLY
    }

    /// The client as one who writes at the time `now`.
    fn writer<'a>(&'a self, core: &'a Core, now: &'a str) -> Writer<'a> {
        Writer::new(&core.kinds, self.kind(), self.route.subresource, &self.manager, now)
    }

    /// Refuses parameters about managers that do not fit the verb.
    fn check_manager(&self) -> Result<()> {
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
    fn is_long(&self) -> bool {
        const SMALL: usize = 16 * 1024;
        self.workers.are_apart()
            && (self.body.len() > SMALL || matches!(self.route.verb, Verb::Patch | Verb::DeleteCollection))
    }

    /// Ends a request whose client is gone, before it changes anything.
    fn check_wanted(&self) -> Result<()> {
        if self.stop.is_told() { Err(Status::internal("the client is gone")) } else { Ok(()) }
    }

    /// Where the named object is stored.
    fn key(&self) -> Key {
        Key::new(&self.route.namespace, &self.route.name)
    }
}

/// Answers a request.
pub(crate) async fn serve(core: &Arc<Core>, mut request: Request) -> Result<Response<ResponseBody>> {
    use Subresource::{Connect, Log, Scale};
    request.check_manager()?;
    let is_stored = request.kind().is_stored();
    match (request.route.verb, request.route.subresource) {
        (_, Some(Connect(_))) => made_up::connect(core, &request),
        (Verb::Watch, _) => watch::watch(core, request).await,
        (Verb::List, _) if is_stored => read::list(core, request).await,
        (Verb::Get, Some(Scale | Log)) => at_once(core, request),
        (Verb::Get, _) if is_stored => read::get(core, &request).await,
        _ if request.is_long() => {
            let (core, workers) = (core.clone(), request.workers.clone());
            let work = move |stop: &Stop| {
                request.stop = stop.clone();
                at_once(&core, request)
            };
            workers.run(work).await
        }
        _ => at_once(core, request),
    }
}

/// Answers a request that waits for nothing.
fn at_once(core: &Core, request: Request) -> Result<Response<ResponseBody>> {
    use Subresource::{Binding, Eviction, Log, Scale, Token};
    match (request.route.verb, request.route.subresource) {
        (Verb::List | Verb::Watch, _) => made_up::list(core, &request),
        (Verb::Get, Some(Scale)) => scale::get(core, &request),
        (Verb::Get, Some(Log)) => made_up::log(core, &request),
        (Verb::Get, _) => made_up::get(core, &request),
        (Verb::Create, Some(Binding)) => pod::bind(core, &request),
        (Verb::Create, Some(Eviction)) => eviction::evict(core, &request),
        (Verb::Create, Some(Token)) => access::request_token(core, &request),
        (Verb::Create, None) if request.kind().is_review() => review(core, &request),
        (Verb::Create, None) if request.kind().kind == "Binding" => pod::bind_named(core, request),
        (Verb::Create, _) => create::create(core, &request),
        (Verb::Update | Verb::Patch, Some(Scale)) => scale::write(core, &request),
        (Verb::Update, _) => update::update(core, &request),
        (Verb::Patch, _) if request.is_apply() => apply::apply(core, &request),
        (Verb::Patch, _) => update::patch(core, &request),
        (Verb::Delete, _) => delete::delete(core, &request),
        (Verb::DeleteCollection, _) => delete::delete_collection(core, &request),
    }
}

/// Refuses what etcd would not take.
fn check_size(draft: &Draft) -> Result<()> {
    /// The longest request that etcd takes: its default.
    const LONGEST: usize = 3 << 19;
    if draft.len() > LONGEST { Err(Status::internal("etcdserver: request is too large")) } else { Ok(()) }
}

/// Answers a question that is asked in the form of an object.
fn review(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    if request.form != Form::Objects {
        return Err(Status::not_acceptable(&["application/json"]));
    }
    access::review(core, request, decode::object(request)?)
}
