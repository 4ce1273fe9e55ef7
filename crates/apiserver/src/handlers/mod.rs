//! The handlers of the verbs. A handler that writes says what it wants; the stages of `write` make the object of it that is
//! stored, and commit it unless another write came first. Only lists and watches wait. Long work for a client on a socket runs on a worker thread, so
//! that other connections do not wait for it.

mod apply;
mod component_status;
mod connect;
pub(crate) mod core;
mod create;
mod decode;
mod delete;
mod eviction;
mod items;
mod log;
pub(crate) mod managed;
mod options;
mod patch;
mod pod;
mod read;
mod request;
pub(crate) mod request_log;
mod reviews;
mod scale;
mod show;
mod token;
mod update;
mod watch;
pub(crate) mod watches;
pub(crate) mod workers;
mod write;

use std::sync::Arc;

use http::Response;

pub(crate) use self::request::Request;
use self::{core::Core, workers::Stop};
use crate::{
    api::{
        status::{Result, Status},
        subresource::Subresource,
        verb::Verb,
    },
    wire::{body::ResponseBody, negotiate::Form},
};

/// Answers a request.
pub(crate) async fn serve(core: &Arc<Core>, mut request: Request) -> Result<Response<ResponseBody>> {
    use Subresource::{Connect, Log, Scale};
    request.check_manager()?;
    let is_stored = request.kind().is_stored();
    match (request.route.verb, request.route.subresource) {
        (_, Some(Connect(_))) => connect::connect(core, &request),
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
        (Verb::List | Verb::Watch, _) => component_status::list(core, &request),
        (Verb::Get, Some(Scale)) => scale::get(core, &request),
        (Verb::Get, Some(Log)) => log::log(core, &request),
        (Verb::Get, _) => component_status::get(core, &request),
        (Verb::Create, Some(Binding)) => pod::bind(core, &request),
        (Verb::Create, Some(Eviction)) => eviction::evict(core, &request),
        (Verb::Create, Some(Token)) => token::request(core, &request),
        (Verb::Create, None) if request.kind().is_review() => review(core, &request),
        (Verb::Create, None) if request.kind().strategy.is_binding => pod::bind_named(core, request),
        (Verb::Create, _) => create::create(core, &request),
        (Verb::Update | Verb::Patch, Some(Scale)) => scale::set(core, &request),
        (Verb::Update, _) => update::update(core, &request),
        (Verb::Patch, _) if request.is_apply() => apply::apply(core, &request),
        (Verb::Patch, _) => update::patch(core, &request),
        (Verb::Delete, _) => delete::delete(core, &request),
        (Verb::DeleteCollection, _) => delete::delete_collection(core, &request),
    }
}

/// Answers a review.
fn review(core: &Core, request: &Request) -> Result<Response<ResponseBody>> {
    if request.form != Form::Objects {
        return Err(Status::not_acceptable(&["application/json"]));
    }
    reviews::serve(core, request, decode::object(request)?)
}
