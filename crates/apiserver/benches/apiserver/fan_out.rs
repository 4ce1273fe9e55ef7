//! How many events does one core deliver to 1,000 watches of this process? Each watch sees all of them, in order:
//! the readers check it.

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt;
use trimtab_apiserver::{ApiServer, ResponseBody, Service};

use crate::measure::one_thread;
use trimtab_test_support::{
    bench::{quick, report_higher},
    process::cpu,
};

const WATCHES: usize = 1000;
const PATH: &str = "/api/v1/namespaces/default/configmaps";

/// Prints deliveries per second.
pub(crate) fn run() {
    let events = if quick() { 1_000 } else { 10_000 };
    one_thread().block_on(async {
        let server = ApiServer::start();
        let service = server.service();
        let body = json!({"metadata": {"name": "turns"}, "data": turn(0)}).to_string();
        send(&service, Request::post(PATH).header("content-type", "application/json"), body).await;

        let mut readers = JoinSet::new();
        for _ in 0..WATCHES {
            let path = format!("{PATH}?watch=true&resourceVersion={}", server.resource_version());
            let body = send(&service, Request::get(path), String::new()).await;
            readers.spawn(read(body, events));
        }
        let before = cpu();
        for number in 1..=events {
            let patch = json!({"data": turn(number)}).to_string();
            let request = Request::patch(format!("{PATH}/turns"));
            send(&service, request.header("content-type", "application/merge-patch+json"), patch).await;
            tokio::task::yield_now().await; // the readers' turn, as after any request over a socket
        }
        while let Some(read) = readers.join_next().await {
            read.expect("every event came, in order");
        }
        let deliveries = (WATCHES * events) as f64;
        report_higher("apiserver/fan-out", "deliveries per s", deliveries / (cpu() - before).as_secs_f64());
    });
}

/// Data that makes an event of 1 KB.
fn turn(number: usize) -> serde_json::Value {
    json!({"filler": "x".repeat(600), "number": format!("{number:08}")})
}

async fn send(service: &Service, request: http::request::Builder, body: String) -> ResponseBody {
    let request = request.body(Full::new(Bytes::from(body))).expect("a request");
    let answer = service.clone().oneshot(request).await.expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    answer.into_body()
}

/// Reads the lines with the numbers from 1 to `last`, each once and in order.
async fn read(mut body: ResponseBody, last: usize) {
    const FIELD: &[u8] = br#""number":""#;
    let (mut rest, mut expected) = (Vec::new(), 1);
    let mut place = 0;
    while expected <= last {
        let frame =
            body.frame().await.expect("the watch goes on").expect("unbroken").into_data().expect("data");
        let mut lines = frame.split_inclusive(|byte| *byte == b'\n');
        let take = |line: &[u8], expected: &mut usize, place: &mut usize| {
            if !line[*place..].starts_with(FIELD) {
                *place = line.windows(FIELD.len()).position(|window| window == FIELD).expect("a number");
            }
            let digits = &line[*place + FIELD.len()..][..8];
            let number = digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
            assert_eq!(number, *expected);
            *expected += 1;
        };
        for line in &mut lines {
            if line.last() != Some(&b'\n') {
                rest.extend_from_slice(line);
            } else if rest.is_empty() {
                take(line, &mut expected, &mut place);
            } else {
                rest.extend_from_slice(line);
                take(&rest, &mut expected, &mut place);
                rest.clear();
            }
        }
    }
}
