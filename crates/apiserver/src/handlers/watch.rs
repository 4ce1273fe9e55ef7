//! Watch: the changes of a resource, line by line, for as long as the client wants them.
//!
//! A watch owns a cursor into the history and no queue. What it holds in memory is one batch of shared
//! events, which faults may hold back, and at its start the objects that it has still to tell.

use std::{collections::VecDeque, io, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::stream;
use http::{Response, StatusCode, header};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    core::Core,
    items::PIECE,
    options::WatchStart,
    read::reach,
    request::Request,
    request_log::Shown,
    show::Shape,
    watches::{End, WatchHandle},
    workers::Stop,
};
use crate::{
    api::{
        filter::Origin,
        key::Key,
        selector::{FieldSelector, LabelSelector},
        status::{Result, Status},
    },
    registry::Kind,
    store::{ChangeKind, Cursor, Event, Expired, Stored, Taken, line},
    wire::json::to_json,
    wire::{body::ResponseBody, negotiate::Syntax, protobuf},
};

/// A watch without `timeoutSeconds` ends after this to twice this time: kube-apiserver's default.
const SHORTEST: Duration = Duration::from_secs(1800);
/// The time between bookmarks.
const BOOKMARK_PERIOD: Duration = Duration::from_secs(60);
/// The time between the last bookmark of a watch and its end.
const BEFORE_END: Duration = Duration::from_secs(2);
/// The time after which the end of the initial events is checked again, if events came in between.
const RETRY: Duration = Duration::from_secs(1);

/// Opens a watch.
pub(super) async fn watch(core: &Arc<Core>, request: Request) -> Result<Response<ResponseBody>> {
    let start = WatchStart::of(&request.query)?;
    let shape = Shape::of(&request)?;
    request.kind().check_selectable(&request.query.fields)?;
    let origin = request.origin.clone();
    let kind = request.kind();
    let in_protobuf = protobuf::has(&kind.api_version(), &kind.kind);
    let in_protobuf = Syntax::of(&request.headers, in_protobuf) == Syntax::Protobuf;
    let reached = match start {
        WatchStart::Initial { not_before, .. } => reach(core, not_before).await,
        _ => Ok(()),
    };
    let opened = match reached {
        Ok(()) => {
            let (core, workers) = (core.clone(), request.workers.clone());
            let open = move |stop: &Stop| Watching::open(&core, request, start, shape, stop);
            // Only whoever is sent initial events has objects held against selectors.
            let opened = match start {
                WatchStart::Initial { .. } => workers.run(open).await,
                _ => open(&Stop::default()),
            };
            opened.map_err(|Expired { seen, oldest }| Status::too_old(seen, oldest))
        }
        Err(status) => Err(status),
    };
    let begins = opened.as_ref().ok().map(|watching| Shown(watching.cursor.seen()));
    let body = match opened {
        Ok(watching) => StreamBody::new(frames(watching)).boxed_unsync(),
        // The 200 is out before upstream looks at its history, so the refusal comes as an event.
        Err(status) => {
            if core.request_log.is_kept() {
                core.request_log.delivered(core.registry.clock.now(), &Arc::new(origin), "ERROR", None, 0);
            }
            let refusal = error_line(&status);
            StreamBody::new(stream::iter([Ok(Frame::data(refusal))])).boxed_unsync()
        }
    };
    let (content_type, body) = match in_protobuf {
        false => ("application/json", body),
        true => (
            "application/vnd.kubernetes.protobuf;stream=watch",
            body.map_frame(|frame| frame.map_data(|lines| Bytes::from(protobuf::write_events(&lines))))
                .boxed_unsync(),
        ),
    };
    let answer = Response::builder().status(StatusCode::OK).header(header::CONTENT_TYPE, content_type);
    let mut answer = answer.body(body).expect("the header is valid");
    if let Some(begins) = begins {
        answer.extensions_mut().insert(begins);
    }
    Ok(answer)
}

fn frames(watching: Watching) -> impl futures_core::Stream<Item = io::Result<Frame<Bytes>>> {
    stream::unfold(watching, |mut watching| async move {
        let next = watching.next().await?;
        Some((next.map(Frame::data), watching))
    })
}

fn error_line(status: &Status) -> Bytes {
    line("ERROR", &to_json(&status.to_json()))
}

/// An open watch.
struct Watching {
    core: Arc<Core>,
    kind: Arc<Kind>,
    shape: Shape,
    selection: Selection,
    cursor: Cursor,
    handle: WatchHandle,
    origin: Arc<Origin>,
    /// The next event to send.
    held: VecDeque<Held>,
    /// Whether the initial events are still to be ended with a bookmark.
    is_to_be_ended: bool,
    /// When the next bookmark is due; `None` if the client wants none, or no more.
    bookmark: Option<Instant>,
    opened: Instant,
    deadline: Instant,
    /// One timer for whatever comes next.
    timer: Pin<Box<Sleep>>,
    /// Whether nothing was sent yet.
    first: bool,
    over: bool,
}

/// Something to send, once the lag that faults want has passed.
struct Held {
    since: Instant,
    what: What,
}

enum What {
    Initial(Arc<Stored>),
    Event(Arc<Event>),
}

impl Watching {
    fn open(
        core: &Arc<Core>,
        request: Request,
        start: WatchStart,
        shape: Shape,
        stop: &Stop,
    ) -> std::result::Result<Self, Expired> {
        let any_version = request.any_version(core);
        let Request { route, query, origin, .. } = request;
        let fields = if route.name.is_empty() { query.fields } else { FieldSelector::named(&route.name) };
        let selection = Selection { namespace: route.namespace, labels: query.labels, fields };
        let resource = route.kind.resource();
        let now = Instant::now();
        let (cursor, held) = match start {
            WatchStart::After(version) => (core.registry.store.watch(&resource, version)?, VecDeque::new()),
            WatchStart::Now => {
                (core.registry.store.watch(&resource, core.registry.store.version())?, VecDeque::new())
            }
            WatchStart::Initial { .. } => {
                let page = core.registry.store.list(
                    &resource,
                    &selection.namespace,
                    any_version,
                    None,
                    usize::MAX,
                    |stored| !stop.is_told() && selection.matches(stored),
                )?;
                let held =
                    page.items.into_iter().map(|stored| Held { since: now, what: What::Initial(stored) });
                (core.registry.store.watch(&resource, page.version)?, held.collect())
            }
        };
        let deadline = now + query.timeout.unwrap_or_else(|| core.registry.random.spread(SHORTEST));
        let mut watching = Self {
            core: core.clone(),
            kind: route.kind,
            shape,
            selection,
            cursor,
            handle: core.watches.register(origin.clone()),
            origin: Arc::new(origin),
            held,
            is_to_be_ended: matches!(start, WatchStart::Initial { is_ended: true, .. }),
            bookmark: None,
            opened: now,
            deadline,
            timer: Box::pin(sleep_until(deadline)),
            first: true,
            over: false,
        };
        if query.bookmarks {
            watching.next_bookmark_after(now);
        }
        Ok(watching)
    }

    /// The next line; `None` ends the body, an error breaks the connection.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        while !self.over {
            if let Some(end) = self.handle.end() {
                self.over = true;
                let reset = || io::Error::new(io::ErrorKind::ConnectionReset, "the watch was cut (fault)");
                return (end == End::Cut).then(|| Err(reset()));
            }
            let now = Instant::now();
            let lag = self.handle.lag();
            let due = self.held.front().map(|held| held.since.checked_add(lag));
            if due.is_some_and(|due| due.is_some_and(|due| due <= now)) {
                let held = self.held.pop_front().expect("something is due");
                if let Some(line) = self.line(&held.what) {
                    return Some(Ok(self.with_more(line)));
                }
                continue;
            }
            if lag == Duration::MAX {
                self.handle.changed().await; // stalled: not even its end is told
                continue;
            }
            if self.held.is_empty()
                && let Some(bookmark) = self.bookmark_at(now)
            {
                self.first = false;
                return Some(Ok(bookmark));
            }
            if now >= self.deadline {
                return None;
            }
            if let Some(refusal) = self.wait(due.flatten()).await {
                self.over = true;
                return Some(Ok(refusal));
            }
        }
        None
    }

    /// Waits until there may be something to send. Returns a line that ends the watch.
    async fn wait(&mut self, due: Option<Instant>) -> Option<Bytes> {
        let bookmarks = !self.handle.is_without_bookmarks();
        let delay = self.handle.bookmark_delay();
        let now = Instant::now();
        let end = Some(self.opened + delay).filter(|end| *end > now).unwrap_or(now + RETRY);
        let retry = Some(end).filter(|_| bookmarks && self.is_to_be_ended);
        // Only what is held comes before a bookmark: one that is overdue until then must not wake this at once, for ever.
        let bookmark = self.bookmark.filter(|_| bookmarks && self.held.is_empty()).map(|at| at + delay);
        let wake = [due, bookmark, retry].into_iter().flatten().fold(self.deadline, Instant::min);
        if self.timer.deadline() != wake {
            self.timer.as_mut().reset(wake);
        }
        let taken = tokio::select! {
            // In this order: what a fault wants goes before what there is to send, and a bookmark that is
            // due must not keep the events before it from being taken.
            biased;
            () = self.handle.changed() => return None,
            taken = self.cursor.next(), if self.held.is_empty() => taken,
            () = &mut self.timer => return None,
        };
        match taken {
            Taken::Events(events) => {
                let held = events.into_iter().map(|event| Held { since: event.at, what: What::Event(event) });
                self.held.extend(held);
                None
            }
            Taken::Expired(expired) => {
                self.tell("ERROR", None, expired.seen);
                Some(error_line(&Status::too_old(expired.seen, expired.oldest)))
            }
            Taken::Closed => {
                self.over = true;
                None
            }
        }
    }

    /// Returns a line together with the initial events that follow it, which are due at the same time.
    fn with_more(&mut self, line: Bytes) -> Bytes {
        self.first = false;
        let is_initial = |held: &Held| matches!(held.what, What::Initial(_));
        if !self.held.front().is_some_and(is_initial) {
            return line;
        }
        let mut lines = Vec::with_capacity(PIECE + PIECE / 8);
        lines.extend_from_slice(&line);
        while lines.len() < PIECE && self.held.front().is_some_and(is_initial) {
            let held = self.held.pop_front().expect("seen above");
            lines.extend_from_slice(&self.line(&held.what).unwrap_or_default());
        }
        lines.into()
    }

    /// The line for an object or an event; `None` if it is none of this watch's.
    fn line(&self, what: &What) -> Option<Bytes> {
        let (core, kind, shape) = (&self.core, &self.kind, self.shape);
        let event = match what {
            What::Initial(stored) => {
                self.tell(ChangeKind::Added.word(), Some(&stored.key), stored.version);
                return Some(shape.event(core, kind, ChangeKind::Added, stored, self.first));
            }
            What::Event(event) => event,
        };
        let change = self.selection.change(event)?;
        self.tell(change.word(), Some(event.key()), event.version());
        Some(match (&event.previous, change, event.change) {
            // It left the selection: what the client knows, at the version where it left.
            (Some(previous), ChangeKind::Deleted, ChangeKind::Modified) => {
                let left = previous.retold(event.version(), change);
                shape.event(core, kind, change, &left, self.first)
            }
            _ => shape.event(core, kind, change, &event.object, self.first),
        })
    }

    /// The bookmark that is due, if the watch has been sent everything before it.
    fn bookmark_at(&mut self, now: Instant) -> Option<Bytes> {
        let delay = self.handle.bookmark_delay();
        let due = if self.is_to_be_ended { Some(self.opened) } else { self.bookmark };
        if self.handle.is_without_bookmarks() || due.is_none_or(|due| due + delay > now) {
            return None;
        }
        let version = self.cursor.caught_up_to()?;
        let ends_initial = std::mem::take(&mut self.is_to_be_ended);
        if !ends_initial {
            self.next_bookmark_after(now);
        }
        self.tell("BOOKMARK", None, version);
        Some(self.shape.bookmark(&self.core, &self.kind, version, ends_initial))
    }

    /// Writes down what is sent.
    fn tell(&self, word: &'static str, key: Option<&Key>, version: u64) {
        if self.core.request_log.is_kept() {
            self.core.request_log.delivered(self.core.registry.clock.now(), &self.origin, word, key, version);
        }
    }

    fn next_bookmark_after(&mut self, now: Instant) {
        let last = self.deadline.checked_sub(BEFORE_END).filter(|last| *last > now);
        self.bookmark = last.map(|last| last.min(now + BOOKMARK_PERIOD));
    }
}

/// The objects of a watch.
struct Selection {
    /// Empty for all.
    namespace: String,
    labels: LabelSelector,
    fields: FieldSelector,
}

impl Selection {
    fn matches(&self, stored: &Stored) -> bool {
        stored.is_selected(&self.labels, &self.fields)
    }

    /// Converts an event for a client that sees only selected objects.
    fn change(&self, event: &Event) -> Option<ChangeKind> {
        if !self.namespace.is_empty() && event.key().namespace() != Some(&*self.namespace) {
            return None;
        }
        if self.labels.is_empty() && self.fields.is_empty() {
            return Some(event.change);
        }
        let was = event.previous.as_ref().is_some_and(|previous| self.matches(previous));
        let is = event.change != ChangeKind::Deleted && self.matches(&event.object);
        match (was, is) {
            (false, true) => Some(ChangeKind::Added),
            (true, true) => Some(ChangeKind::Modified),
            (true, false) => Some(ChangeKind::Deleted),
            (false, false) => None,
        }
    }
}
