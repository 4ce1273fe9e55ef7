//! How fast does a list of 100,000 Pods come over a socket: in one go, as a streaming list, and in pages?

use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{
    measure::{one_thread, wall},
    serve::Serving,
};
use trimtab_test_support::bench::{quick, report_higher};

const PATH: &str = "/api/v1/namespaces/default/pods";

/// Prints megabytes of body per second for each way, and for the slowest.
pub(crate) fn run() {
    let pods = if quick() { 20_000 } else { 100_000 };
    let serving = Serving::start("plain", pods);
    let speeds = one_thread().block_on(async {
        let stream = TcpStream::connect(serving.address).await.expect("a listening server");
        stream.set_nodelay(true).expect("a socket");
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.expect("HTTP");
        let connection = tokio::spawn(connection);
        let ways = [
            ("apiserver/list/whole", whole(&mut sender).await),
            ("apiserver/list/streaming", streaming(&mut sender, pods).await),
            ("apiserver/list/paged", paged(&mut sender).await),
        ];
        connection.abort();
        ways
    });
    let mut slowest = f64::INFINITY;
    for (question, speed) in speeds {
        report_higher(question, "MB/s", speed);
        slowest = slowest.min(speed);
    }
    report_higher("apiserver/list", "MB/s", slowest);
}

async fn whole(sender: &mut Sender) -> f64 {
    let before = wall();
    let body = get(sender, PATH.to_owned(), |_| ()).await;
    assert_eq!(body.end, b"]}");
    body.bytes as f64 / (wall() - before).as_secs_f64() / 1e6
}

/// A watch that sends all objects first, to the bookmark that ends them and one Pod for each line before it.
async fn streaming(sender: &mut Sender, pods: usize) -> f64 {
    let before = wall();
    let mut lines = 0;
    let options = "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=2";
    let mut ended = before;
    let body = get(sender, format!("{PATH}?{options}"), |frame| {
        lines += frame.iter().filter(|byte| **byte == b'\n').count();
        if lines > pods && ended == before {
            ended = wall();
        }
    })
    .await;
    assert!(lines > pods, "{lines}");
    body.bytes as f64 / (ended - before).as_secs_f64() / 1e6
}

async fn paged(sender: &mut Sender) -> f64 {
    let before = wall();
    let (mut bytes, mut token) = (0, String::new());
    loop {
        let page = get(sender, format!("{PATH}?limit=500&continue={token}"), |_| ()).await;
        bytes += page.bytes;
        match between(&page.start, r#""continue":""#, "\"") {
            Some(next) => token = next,
            None => return bytes as f64 / (wall() - before).as_secs_f64() / 1e6,
        }
    }
}

type Sender = SendRequest<Empty<bytes::Bytes>>;

/// The kept part of a body.
#[derive(Default)]
struct Body {
    bytes: usize,
    start: Vec<u8>,
    end: Vec<u8>,
}

/// Reads an answer to its end, and shows each frame.
async fn get(sender: &mut Sender, path: String, mut see: impl FnMut(&[u8])) -> Body {
    let request = Request::get(path).header("host", "bench").body(Empty::new()).expect("a request");
    sender.ready().await.expect("a connection");
    let mut answer = sender.send_request(request).await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    let mut body = Body::default();
    while let Some(frame) = answer.body_mut().frame().await {
        let frame = frame.expect("unbroken").into_data().expect("data");
        body.bytes += frame.len();
        if body.start.len() < 1024 {
            body.start.extend_from_slice(&frame[..frame.len().min(1024)]);
        }
        body.end.extend_from_slice(&frame[frame.len().saturating_sub(2)..]);
        body.end.drain(..body.end.len().saturating_sub(2));
        see(&frame);
    }
    body
}

fn between(text: &[u8], start: &str, end: &str) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found.to_owned())
}
