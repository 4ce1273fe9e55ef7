//! [`Pipeline`]: the way of a request from its front end through authentication, authorization and faults to its handler,
//! and of the response back.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};

use crate::{
    api::{
        chance::mix,
        filter::Origin,
        manager,
        query::Query,
        request_info::RequestInfo,
        status::{Result, Status},
        verb::Verb,
        warning::Warnings,
    },
    auth::User,
    faults::{Faults, broken},
    handlers::{
        self,
        core::Core,
        workers::{Stop, Workers},
    },
    http::{about, encoding::Encoding, gzip::Compression, head},
    registry::{route::Route, warnings},
    wire::{
        body::{self, ResponseBody},
        negotiate::{Form, check_content_type, check_discovery, check_json},
        protobuf,
    },
};

/// The state that all front ends of one server share.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) core: Arc<Core>,
    pub(super) faults: Faults,
    pub(super) marks: head::Marks,
}

impl Pipeline {
    /// Answers a request. An error means that the client gets no answer: the connection breaks.
    pub(crate) async fn handle<B>(self: Arc<Self>, request: Request<B>) -> io::Result<Response<ResponseBody>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if self.core.registry.store.is_closed() {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "the API server was shut down"));
        }
        let (parts, body) = request.into_parts();
        let wanted = head::Wanted::of(&parts.headers);
        let answer = match RequestInfo::of(&parts.method, &parts.uri) {
            Err(status) => body::refusal(&status),
            Ok(info) => {
                let encoding = Encoding::of_refusal(&info, &parts.headers);
                match self.answer(&info, parts, body).await {
                    Ok(outcome) => outcome?,
                    Err(status) => encoding.of_answer(&Workers::default(), body::refusal(&status)).await,
                }
            }
        };
        Ok(self.marks.mark(answer, wanted))
    }

    async fn answer<B>(
        self: &Arc<Self>,
        info: &RequestInfo,
        parts: http::request::Parts,
        body: B,
    ) -> Result<io::Result<Response<ResponseBody>>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let user =
            self.core.access.identify(&self.core.registry, &parts.headers, parts.extensions.get::<User>())?;
        self.core.access.check_request(&self.core.registry, &user, info)?;
        info.check_timeout()?;
        let workers = parts.extensions.get::<Workers>().cloned().unwrap_or_default();
        // What the server tells of itself: discovery, OpenAPI, its version and health.
        let about = match info.reads() {
            true if workers.are_apart() && about::is_long(info) => {
                let (core, info, headers) = (self.core.clone(), info.clone(), parts.headers.clone());
                workers.run(move |_| about::answer(&core.registry.kinds, &info, &headers)).await
            }
            true => about::answer(&self.core.registry.kinds, info, &parts.headers),
            false => None,
        };
        let is_about = about.as_ref().is_some_and(|answer| answer.status().is_success());
        match about {
            Some(_) if is_about && info.path == "/version" => check_json(&parts.headers)?,
            Some(_) if is_about && info.path.starts_with("/api") => check_discovery(&parts.headers)?,
            None if !info.reads() && info.resource.is_none() => {
                // Discovery is there, and only read.
                let answer = about::answer(&self.core.registry.kinds, info, &parts.headers);
                if answer.is_some_and(|answer| answer.status().is_success()) {
                    return Err(Status::method_not_allowed());
                }
            }
            _ => {}
        }
        match about {
            Some(answer) => {
                let encoding = Encoding::of(info, &parts.headers);
                let answer = encoding.of_answer(&workers, body::from_bytes(answer)).await;
                Ok(Ok(Compression::of(&parts.headers).of_answer(answer)))
            }
            None => self.resource(info, user, parts, body).await,
        }
    }

    async fn resource<B>(
        self: &Arc<Self>,
        info: &RequestInfo,
        user: User,
        parts: http::request::Parts,
        body: B,
    ) -> Result<io::Result<Response<ResponseBody>>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let route = Route::of(&self.core.registry.kinds, info)?;
        let origin = route.origin(&parts.headers);
        let sender = Sender { user, workers: parts.extensions.get::<Workers>().cloned().unwrap_or_default() };
        let outcome = self.carry_out(info, sender, route, &origin, parts.headers, body).await;
        let query = parts.uri.query().unwrap_or_default();
        let path = info.resource.as_ref().map_or(("", ""), |path| (&*path.group, &*path.subresource));
        self.core.request_log.record(self.core.registry.clock.now(), origin, path, query, &outcome);
        outcome
    }

    async fn carry_out<B>(
        self: &Arc<Self>,
        info: &RequestInfo,
        Sender { user, workers }: Sender,
        route: Route,
        origin: &Origin,
        headers: HeaderMap,
        body: B,
    ) -> Result<io::Result<Response<ResponseBody>>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (compression, encoding) = (Compression::of(&headers), Encoding::of(info, &headers));
        let applied = self.faults.before(origin).await?;
        let is_watch = route.verb == Verb::Watch;
        let in_protobuf = protobuf::has(&route.kind.api_version(), &route.kind.kind);
        let is_list = matches!(route.verb, Verb::List | Verb::DeleteCollection);
        let form = match is_watch {
            true => Form::of_events(&headers, in_protobuf)?,
            false => Form::of(&headers, in_protobuf, is_list)?,
        };
        if matches!(route.verb, Verb::Create | Verb::Update) {
            check_content_type(&headers, !route.kind.is_custom()).map_err(|status| {
                let warnings = Warnings::default();
                warnings.add(warnings::of_kind(&route.kind));
                status.warn(warnings)
            })?;
        }
        let query = Query::parse(&info.parameters, route.verb, |parameter| applied.ignores(parameter))?;
        let request = handlers::Request {
            manager: manager::name(query.field_manager.as_deref(), &headers),
            query,
            route,
            form,
            body: body::read(body).await?,
            headers,
            origin: origin.clone(),
            user,
            staleness: applied.staleness,
            warnings: Warnings::default(),
            workers: workers.clone(),
            stop: Stop::default(),
        };
        // From here on a write waits for nothing but its turn: it is done before it can be cancelled, or not at all.
        let warnings = request.warnings.clone();
        warnings.add(warnings::of_kind(&request.route.kind));
        let mut answer = match handlers::serve(&self.core, request).await {
            Ok(answer) => answer,
            Err(status) => return Err(status.warn(warnings)),
        };
        warnings.write(answer.headers_mut());
        if !is_watch {
            answer = encoding.of_answer(&workers, answer).await; // the body is there: it does not wait
        }
        let answer = match applied.breakage {
            Some(how) => broken(
                answer,
                how,
                compression,
                mix(self.faults.seed(), self.core.registry.store.version(), 0),
            ),
            None if is_watch => answer,
            None => compression.of_answer(answer),
        };
        if applied.is_lost {
            let lost = io::Error::new(io::ErrorKind::ConnectionReset, "the reply was lost (fault)");
            return Ok(Err(lost));
        }
        Ok(Ok(answer))
    }
}

/// Who sends a request, and where what takes long is done for them.
struct Sender {
    user: User,
    workers: Workers,
}
