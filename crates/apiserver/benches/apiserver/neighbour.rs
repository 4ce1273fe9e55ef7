//! The latency of a small GET while other connections ask for what takes long: the worst 99th percentile of all such
//! requests, each of which has a body of 3 MiB at most.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{measure::wall, pods::name, serve::Serving};
use trimtab_test_support::bench::{quick, report_lower};

/// The pause between two requests of the neighbour.
const PAUSE: Duration = Duration::from_millis(2);
/// How often the neighbour asks at least while one of the long requests runs.
const LEAST: usize = 200;

/// One request that takes long.
struct Long {
    name: &'static str,
    method: &'static str,
    path: String,
    headers: &'static str,
    body: String,
}

pub(crate) fn run() {
    let pods = if quick() { 2_000 } else { 20_000 };
    let serving = Serving::start("plain", pods);
    let mut worst = Duration::ZERO;
    for long in requests() {
        let p99 = neighbour(serving.address, &long);
        eprintln!("neighbour-p99: {}: {:.1} ms", long.name, p99.as_secs_f64() * 1e3);
        worst = worst.max(p99);
    }
    report_lower("apiserver/neighbour-p99", "ms", worst.as_secs_f64() * 1e3);
}

fn requests() -> Vec<Long> {
    let get = |name, path: String, headers| Long { name, method: "GET", path, headers, body: String::new() };
    let write =
        |name, method, path: &str, headers, body| Long { name, method, path: path.to_owned(), headers, body };
    let pods = "/api/v1/pods";
    let terms: Vec<String> = (0..256).map(|number| format!("status.phase!%3DP{number}")).collect();
    let labels: Vec<String> = (0..256).map(|number| format!("!l{number}")).collect();
    let list = |mut item: Box<dyn FnMut(usize) -> String>, count| -> String {
        (0..count).map(&mut item).collect::<Vec<_>>().join(",")
    };
    let pod = format!("/api/v1/namespaces/default/pods/{}", name(0));
    let env = list(Box::new(|n| format!(r#"{{"name":"e{n}","value":"v"}}"#)), 60_000);
    let env = format!(r#"{{"spec":{{"containers":[{{"name":"main","env":[{env}]}}]}}}}"#);
    let held = list(Box::new(|n| format!(r#""example.com/{n}""#)), 100_000);
    let held = format!(r#"{{"metadata":{{"finalizers":[{held}]}}}}"#);
    let short = list(Box::new(|_| r#""a""#.to_owned()), 700_000);
    let short = format!(r#"{{"metadata":{{"name":"many","finalizers":[{short}]}}}}"#);
    let managers = list(
        Box::new(|n| {
            format!(
                r#"{{"manager":"m{n}","operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{{"f:data":{{}}}}}}"#
            )
        }),
        25_000,
    );
    let managers = format!(r#"{{"metadata":{{"name":"managed","managedFields":[{managers}]}}}}"#);
    let deep = format!(r#"{{"metadata":{{"name":"deep"}},"x":{}{}}}"#, "[".repeat(9_000), "]".repeat(9_000));
    let maps = "/api/v1/namespaces/default/configmaps";
    let json = "Content-Type: application/json\r\n";
    let strategic = "Content-Type: application/strategic-merge-patch+json\r\n";
    vec![
        get("many field terms", format!("{pods}?fieldSelector={}", terms.join(",")), ""),
        get("many label terms", format!("{pods}?labelSelector={}", labels.join(",")), ""),
        get("a table", pods.to_owned(), "Accept: application/json;as=Table;v=v1;g=meta.k8s.io\r\n"),
        get("a list in lines", format!("{pods}?pretty=true"), ""),
        get("a list in YAML", format!("{pods}?limit=2000"), "Accept: application/yaml\r\n"),
        get("the types of all kinds", "/openapi/v2".to_owned(), ""),
        get("a list in gzip", pods.to_owned(), "Accept-Encoding: gzip\r\n"),
        get(
            "a watch of what there is",
            format!("{pods}?watch=1&timeoutSeconds=2&fieldSelector={}", terms[..200].join(",")),
            "",
        ),
        write("a strategic merge", "PATCH", &pod, strategic, env),
        write("many finalizers", "PATCH", &pod, strategic, held),
        write("many wrong finalizers", "POST", maps, json, short),
        write("many managers", "POST", maps, json, managers),
        write("a deep body", "POST", maps, json, deep),
    ]
}

/// The 99th percentile of the neighbour's latency while the request runs, as often as it takes.
fn neighbour(address: SocketAddr, long: &Long) -> Duration {
    let is_over = Arc::new(AtomicBool::new(false));
    let neighbour = {
        let is_over = is_over.clone();
        thread::spawn(move || {
            let mut latencies = Vec::new();
            let mut stream = TcpStream::connect(address).expect("connected");
            stream.set_nodelay(true).expect("a socket");
            while latencies.len() < LEAST || !is_over.load(Ordering::SeqCst) {
                let begun = wall();
                stream
                    .write_all(b"GET /api/v1/namespaces/default HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .expect("sent");
                let mut answer = [0; 4096];
                let mut read = 0;
                while !answer[..read].ends_with(b"}") {
                    read += stream.read(&mut answer[read..]).expect("an answer");
                }
                latencies.push(wall() - begun);
                thread::park_timeout(PAUSE);
            }
            latencies.sort();
            latencies[latencies.len() * 99 / 100]
        })
    };
    while !neighbour.is_finished() {
        send(address, long);
        is_over.store(true, Ordering::SeqCst); // one is enough, if the neighbour has asked often enough
    }
    neighbour.join().expect("no panic")
}

/// Sends the request, and reads its answer to the end.
fn send(address: SocketAddr, long: &Long) {
    let mut stream = TcpStream::connect(address).expect("connected");
    let Long { method, path, headers, body, .. } = long;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    stream.write_all(body.as_bytes()).ok(); // a refusal may come before its end
    let mut piece = vec![0; 1 << 16];
    while stream.read(&mut piece).is_ok_and(|read| read > 0) {}
}
