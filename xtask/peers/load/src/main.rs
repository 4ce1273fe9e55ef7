//! The load of benchmarks: a server of Pods over HTTP/1.1 on a free port. Serving them costs far less than reading them.
//!
//! ```text
//! load --objects 50000         prints http://127.0.0.1:PORT and serves until it is killed
//! GET  /api/v1/pods            lists (limit, continue, resourceVersion) and watches (watch, sendInitialEvents, …)
//! POST /load/events?count=N    N more MODIFIED events on every watch, as fast as each client reads; with &rate=R as
//!                              many a second, and each Pod's version is when it was sent: nanoseconds since 1970
//! POST /load/expire            every watch ends, since its version is too old: clients list again
//! ```

mod api;
mod pace;
mod pod;

use api::{Api, List, Part, Watch};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::body::{Body, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [flag, objects] = arguments.as_slice() else {
        return Err("usage: load --objects N".into());
    };
    if flag != "--objects" {
        return Err(format!("unknown option {flag}").into());
    }
    let api = Api::new(objects.parse()?)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let api = api.clone();
        let service = hyper::service::service_fn(move |request| answer(api.clone(), request));
        // The task ends with its connection; a broken connection is no failure of the load.
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service),
        );
    }
}

async fn answer(api: Arc<Api>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let query = Query(request.uri().query().unwrap_or_default());
    let answer = match (request.method(), request.uri().path()) {
        (&Method::GET, "/api/v1/pods") if query.is_true("watch") => streamed(api.watch(Watch {
            resource_version: query.number("resourceVersion").unwrap_or(0),
            send_initial_events: query.is_true("sendInitialEvents"),
            bookmarks: query.is_true("allowWatchBookmarks"),
            timeout: query.number("timeoutSeconds").map(Duration::from_secs),
        })),
        (&Method::GET, "/api/v1/pods") => {
            let whole = query.get("resourceVersion") == Some("0"); // the limit is ignored then, as by a kube-apiserver
            let limit = query.number("limit").filter(|_| !whole).unwrap_or(0);
            streamed(api.list(List { limit, continue_at: query.number("continue").unwrap_or(0) }))
        }
        (&Method::POST, "/load/events") => {
            api.add_events(query.number("count").unwrap_or(0), query.number("rate"));
            whole(StatusCode::OK, "{}\n")
        }
        (&Method::POST, "/load/expire") => {
            api.expire();
            whole(StatusCode::OK, "{}\n")
        }
        _ => whole(
            StatusCode::NOT_FOUND,
            r#"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","reason":"NotFound","code":404}"#,
        ),
    };
    Ok(answer)
}

/// A query string. The values that the load reads need no decoding.
struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }

    fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some("true" | "1"))
    }
}

fn streamed(parts: mpsc::Receiver<Part>) -> Answer {
    json(StatusCode::OK, Parts(parts).boxed_unsync())
}

fn whole(status: StatusCode, text: &'static str) -> Answer {
    json(status, Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync())
}

fn json(status: StatusCode, body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}

/// A body whose frames a task sends.
struct Parts(mpsc::Receiver<Part>);

impl Body for Parts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Part>> {
        self.0.poll_recv(cx)
    }
}
