//! Fuzzer of the API server's HTTP layer: random requests on several threads, in real time. It fails on a response
//! with status 500, on a panic, and on memory that grows with the number of requests.
//!
//! ```text
//! cargo run -p trimtab-stress --bin fuzz -- --seconds 60 --seed 1
//! ```
//!
//! It prints one line with the response codes, the memory, and the seed that draws the same requests again.

mod bodies;
mod mutation;
mod plausible;
mod request;

use std::{
    collections::BTreeMap,
    panic,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tower::ServiceExt;
use trimtab_apiserver::{ApiServer, Service};

use crate::request::{Draft, Memory};

const THREADS: usize = 4; // more than most build machines have cores: threads are then interrupted in the middle of a request
const TASKS: u64 = 16;
/// The number of requests of one task in a round. After each round all objects are deleted and the history is compacted.
const ROUND: usize = 400;
/// The time to read a response body; watches have no end of their own.
const READ_TIMEOUT: Duration = Duration::from_millis(5);
/// The time within which a response must begin. The server itself waits three seconds for a version in the future.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);
/// The memory in bytes by which the process may grow after a fifth of its time.
const GROWTH: u64 = 200 << 20;

/// Messages of requests to which kube-apiserver responds with 500, too.
const AS_UPSTREAM: [&str; 7] = [
    "does not contain declared merge key",
    "etcdserver: request is too large",
    "failed to create typed patch object",
    "list element types are not identical",
    "resourceVersion: Invalid value",
    "resourceVersion should not be set on objects to be created",
    "target.name: Required value",
];

fn main() -> ExitCode {
    let Some((seconds, seed)) = arguments() else {
        eprintln!("usage: fuzz [--seconds N] [--seed N]");
        return ExitCode::FAILURE;
    };
    let panics = Arc::new(AtomicU64::new(0));
    let (counted, shown) = (panics.clone(), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        counted.fetch_add(1, SeqCst);
        shown(info);
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_time().build();
    let outcome = match &runtime {
        Ok(runtime) => runtime.block_on(fuzz(Duration::from_secs(seconds), seed)),
        Err(error) => Err(error.to_string()),
    };
    let outcome = match (outcome, panics.load(SeqCst)) {
        (Ok(_), many @ 1..) => Err(format!("{many} panics")),
        (outcome, _) => outcome,
    };
    match outcome {
        Ok(line) => {
            println!("{line}, seed {seed}");
            ExitCode::SUCCESS
        }
        Err(violation) => {
            eprintln!("fuzz: {violation}, seed {seed}");
            ExitCode::FAILURE
        }
    }
}

/// Parses `--seconds` (60 by default) and `--seed` (random by default).
fn arguments() -> Option<(u64, u64)> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (mut seconds, mut seed) = (60, rand::random::<u32>().into());
    for pair in arguments.chunks(2) {
        match pair {
            [option, value] if option == "--seconds" => seconds = value.parse().ok()?,
            [option, value] if option == "--seed" => seed = value.parse().ok()?,
            _ => return None,
        }
    }
    Some((seconds, seed))
}

/// Runs rounds until the time is over.
///
/// # Errors
///
/// The first violation, as a sentence.
async fn fuzz(time: Duration, seed: u64) -> Result<String, String> {
    let server = ApiServer::builder().seed(seed).start();
    let start = Instant::now();
    let (mut codes, mut early) = (BTreeMap::<u16, u64>::new(), None);
    let mut random = SmallRng::seed_from_u64(seed);
    while start.elapsed() < time {
        define(&server).await?;
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(requests(server.service(), SmallRng::seed_from_u64(random.random())));
        }
        while let Some(outcome) = tasks.join_next().await {
            let round = outcome.map_err(|error| format!("a request panicked: {error}"))??;
            round.into_iter().for_each(|(code, count)| *codes.entry(code).or_default() += count);
        }
        clear(&server).await?;
        if start.elapsed() > time / 5 {
            early.get_or_insert_with(resident);
        }
    }
    let (early, late) = (early.unwrap_or_default(), resident());
    if late > early + GROWTH {
        return Err(format!("grew from {} to {} MiB", early >> 20, late >> 20));
    }
    let sum: u64 = codes.values().sum();
    let each: Vec<_> = codes.iter().map(|(code, count)| format!("{code}: {count}")).collect();
    let memory = format!("{} MiB after a fifth of the time, {} MiB at the end", early >> 20, late >> 20);
    let shares: Vec<String> = [2, 4, 5]
        .into_iter()
        .map(|class| {
            let of_class: u64 = codes.range(class * 100..(class + 1) * 100).map(|(_, count)| count).sum();
            format!("{class}xx {} %", of_class * 100 / sum.max(1))
        })
        .collect();
    Ok(format!("{sum} requests, no panic: {} ({}), {memory}", shares.join(", "), each.join(", ")))
}

/// Creates the definition of the custom kind.
async fn define(server: &ApiServer) -> Result<(), String> {
    let definition = bodies::definition().to_string();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let request = http::Request::post(path).header("content-type", "application/json");
    let request = request.body(Full::new(Bytes::from(definition))).map_err(|error| error.to_string())?;
    let response = server.service().oneshot(request).await.map_err(|error| error.to_string())?;
    match response.status().as_u16() {
        201 | 409 => Ok(()),
        code => Err(format!("the definition was refused with {code}")),
    }
}

/// Sends the requests of one task in a round and counts the response codes.
async fn requests(service: Service, mut random: SmallRng) -> Result<BTreeMap<u16, u64>, String> {
    let (mut codes, mut memory) = (BTreeMap::new(), Memory::default());
    for _ in 0..ROUND {
        let draft = Draft::random(&mut random, &memory);
        let Some(request) = draft.request() else {
            continue; // not valid HTTP
        };
        let response = timeout(RESPONSE_TIMEOUT, service.clone().oneshot(request)).await;
        let response = response.map_err(|_| format!("no response within {RESPONSE_TIMEOUT:?} to {draft}"))?;
        let Ok(response) = response else {
            return Err(format!("the connection broke at {draft}"));
        };
        let code = response.status().as_u16();
        let body = read(response.into_body()).await;
        let text = String::from_utf8_lossy(&body);
        if code == 500 && !AS_UPSTREAM.iter().any(|message| text.contains(message)) {
            let text: String = text.chars().take(2_000).collect();
            return Err(format!("500 to {draft}: {text}"));
        }
        memory.keep(&body);
        *codes.entry(code).or_default() += 1;
    }
    Ok(codes)
}

/// Reads a body until it ends or pauses.
async fn read(mut body: trimtab_apiserver::ResponseBody) -> Vec<u8> {
    let mut read = Vec::new();
    while let Ok(Some(Ok(frame))) = timeout(READ_TIMEOUT, body.frame()).await {
        read.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
    }
    read
}

/// Deletes every object of the fuzzed collections, finalizers included, and compacts the history.
async fn clear(server: &ApiServer) -> Result<(), String> {
    for collection in bodies::COLLECTIONS {
        let list = send(server, "GET", collection, "").await?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        for item in items {
            let name = item["metadata"]["name"].as_str().unwrap_or_default();
            let path = format!("{collection}/{name}");
            if !item["metadata"]["finalizers"].is_null() {
                send(server, "PATCH", &path, r#"{"metadata": {"finalizers": null}}"#).await?;
            }
            send(server, "DELETE", &format!("{path}?gracePeriodSeconds=0"), "").await?;
        }
    }
    server.faults().compact();
    Ok(())
}

async fn send(
    server: &ApiServer,
    method: &str,
    path: &str,
    body: &'static str,
) -> Result<serde_json::Value, String> {
    let request = http::Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/merge-patch+json");
    let body = if method == "PATCH" { body } else { "" };
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
    let response = server.service().oneshot(request).await.map_err(|error| error.to_string())?;
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
    Ok(serde_json::from_slice(&body.to_bytes()).unwrap_or_default())
}

/// Returns the resident memory of the process in bytes; 0 where there is no `/proc`.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
    pages * 4096
}
