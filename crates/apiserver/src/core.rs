//! [`Core`]: what all front ends of one server share, and the way of a request through it.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use parking_lot::Mutex;
use serde_json::Value;

use crate::{
    access::{Access, User},
    admission::Hooks,
    clock::Clock,
    faults::{Faults, Origin, broken, mix},
    http::{
        about,
        body::{self, ResponseBody},
        encoding::Encoding,
        gzip::Compression,
        head, manager,
        negotiate::Form,
        protobuf,
        query::Query,
        request_info::RequestInfo,
        route::{Route, Verb},
        status::Result,
        warning::Warnings,
    },
    kinds::{Kind, Kinds, custom, rules, services},
    random::Random,
    request_log::RequestLog,
    server::{Stop, Workers},
    storage::{Store, Stored},
    verbs,
};

/// One server's state; cheap to reach from every connection and client.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) access: Access,
    pub(crate) hooks: Hooks,
    pub(crate) store: Arc<Store>,
    pub(crate) kinds: Kinds,
    pub(crate) faults: Faults,
    pub(crate) request_log: RequestLog,
    pub(crate) random: Random,
    pub(crate) clock: Clock,
    pub(crate) marks: head::Marks,
    /// The allocations of Services that are not stored yet. Its lock comes before the store's.
    pub(crate) addresses: services::Reserved,
    /// Held while the kinds that are served follow a definition; comes before the store's lock and the kinds'.
    pub(crate) definitions: Mutex<()>,
}

impl Core {
    /// Answers a request. An error means that the client gets no answer: the connection breaks.
    pub(crate) async fn handle<B>(self: Arc<Self>, request: Request<B>) -> io::Result<Response<ResponseBody>>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        if self.store.is_closed() {
            return Err(io::Error::new(io::ErrorKind::ConnectionRefused, "the API server was shut down"));
        }
        let (parts, body) = request.into_parts();
        let wanted = head::Wanted::of(&parts.headers);
        let answer = match RequestInfo::of(&parts.method, &parts.uri) {
            Err(status) => body::refusal(&status),
            Ok(info) => {
                let encoding = Encoding::of(&info, &parts.headers);
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
        let user = self.access.identify(self, &parts.headers, parts.extensions.get::<User>())?;
        self.access.check_request(self, &user, info)?;
        Query::check_timeout(info)?;
        let workers = parts.extensions.get::<Workers>().cloned().unwrap_or_default();
        // What the server tells of itself: discovery, OpenAPI, its version and health.
        let about = match info.reads() {
            true if workers.are_apart() && about::is_long(info) => {
                let (core, info, headers) = (self.clone(), info.clone(), parts.headers.clone());
                workers.run(move |_| about::answer(&core.kinds, &info, &headers)).await
            }
            true => about::answer(&self.kinds, info, &parts.headers),
            false => None,
        };
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
        let route = Route::of(&self.kinds, info)?;
        let origin = Origin::of(&route, &parts.headers);
        let sender = Sender { user, workers: parts.extensions.get::<Workers>().cloned().unwrap_or_default() };
        let outcome = self.carry_out(info, sender, route, &origin, parts.headers, body).await;
        let query = parts.uri.query().unwrap_or_default();
        let path = info.resource.as_ref().map_or(("", ""), |path| (&*path.group, &*path.subresource));
        self.request_log.record(self.clock.now(), origin, path, query, &outcome);
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
        let query = Query::parse(&info.parameters, route.verb, |parameter| applied.ignores(parameter))?;
        let is_watch = route.verb == Verb::Watch;
        let in_protobuf = protobuf::has(&route.kind.api_version(), &route.kind.kind);
        let request = verbs::Request {
            manager: manager::name(query.field_manager.as_deref(), &headers),
            query,
            route,
            form: if is_watch {
                Form::of_events(&headers, in_protobuf)?
            } else {
                Form::of(&headers, in_protobuf)?
            },
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
        warnings.add(crate::kinds::warnings::of_kind(&request.route.kind));
        let mut answer = match verbs::serve(self, request).await {
            Ok(answer) => answer,
            Err(status) => return Err(status.warn(warnings)),
        };
        warnings.write(answer.headers_mut());
        if !is_watch {
            answer = encoding.of_answer(&workers, answer).await; // the body is there: it does not wait
        }
        let answer = match applied.breakage {
            Some(how) => broken(answer, how, compression, mix(self.faults.seed(), self.store.version(), 0)),
            None if is_watch => answer,
            None => compression.of_answer(answer),
        };
        if applied.is_lost {
            let lost = io::Error::new(io::ErrorKind::ConnectionReset, "the reply was lost (fault)");
            return Ok(Err(lost));
        }
        Ok(Ok(answer))
    }

    /// Applies the consequences of an object that was written or removed.
    pub(crate) fn after_commit(&self, kind: &Kind, stored: &Stored) {
        self.access.changed(&kind.group);
        if rules::is_definition(kind) {
            self.follow(kind, stored);
        }
    }

    /// Serves what a definition says now, which may be more than the commit of `stored` said: the commits of two
    /// writers come here in any order, and the later one must not be undone by the earlier one.
    fn follow(&self, kind: &Kind, stored: &Stored) {
        let _one_at_a_time = self.definitions.lock();
        let object = stored.value();
        let (group, plural) = names(&object);
        match self.store.get(&kind.resource(), &stored.key) {
            Some(present) => self.kinds.replace(group, plural, custom::served(&present.value())),
            None => {
                self.kinds.remove(group, plural);
                let resource = format!("{plural}.{group}");
                if !self.kinds.all().iter().any(|kind| kind.resource() == resource) {
                    self.store.clear(&resource);
                }
            }
        }
    }
}

/// Who sends a request, and where what takes long is done for them.
struct Sender {
    user: User,
    workers: Workers,
}

/// The group and the plural name that a definition is about.
fn names(definition: &Value) -> (&str, &str) {
    let text = |pointer| definition.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    (text("/spec/group"), text("/spec/names/plural"))
}
