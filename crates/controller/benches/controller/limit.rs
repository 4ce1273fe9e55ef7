//! The limit of the latency: a thread that blocks on the socket of a watch and parses nothing sees a change after this time.
//! The server and the kernel take this time; a controller takes the time beyond it.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use http::Uri;
use kube_client::Client;
use tokio::sync::oneshot;
use trimtab_test_support::bench::report_lower;

use crate::{
    Failure,
    client::start_changes,
    option,
    samples::{now, percentile},
};

/// Reads a change, whose bytes come in one piece.
const BUFFER: usize = 64 * 1024;

/// Lets the server change its objects once more, and reports the median.
pub(crate) async fn run(client: &Client) -> Result<(), Failure> {
    let (mut socket, (sender, receiver)) = (watch()?, oneshot::channel());
    thread::spawn(move || _ = sender.send(samples(&mut socket)));
    start_changes(client, "limit").await?;
    let mut nanoseconds = receiver.await??;
    nanoseconds.sort_unstable();
    report_lower("controller/latency-limit", "µs", percentile(&nanoseconds, 50) / 1e3);
    Ok(())
}

/// Begins a watch of all `ConfigMap`s.
fn watch() -> Result<TcpStream, Failure> {
    let url: Uri = option("url")?;
    let server = url.authority().ok_or("--url has no server")?;
    let mut socket = TcpStream::connect(server.as_str())?;
    write!(socket, "GET /api/v1/configmaps?watch=true HTTP/1.1\r\nHost: {server}\r\n\r\n")?;
    Ok(socket)
}

/// Reads changes up to the last, and returns the time that each took.
fn samples(socket: &mut TcpStream) -> std::io::Result<Vec<u64>> {
    let (mut samples, mut buffer) = (Vec::new(), vec![0; BUFFER]);
    loop {
        let length = socket.read(&mut buffer)?;
        let came = now();
        let text = String::from_utf8_lossy(&buffer[..length]);
        if text.contains("\"ADDED\"") {
            continue; // the state before the changes
        }
        samples.extend(sent(&text).map(|sent| came.saturating_sub(sent)));
        if length == 0 || text.contains("\"last\":") {
            return Ok(samples);
        }
    }
}

/// The time of a change, in nanoseconds since 1970.
fn sent(event: &str) -> Option<u64> {
    event.split_once("\"sent\":\"")?.1.split_once('"')?.0.parse().ok()
}
