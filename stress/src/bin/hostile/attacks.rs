//! Attacks on connections: clients that send nothing, too little, too slowly or too often.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::server::{Served, TIMEOUT};

/// The connection preface of HTTP/2 and an empty SETTINGS frame.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// The longest lifetime of a connection: the timeouts for idling, for a response and for closing, on a busy machine.
const LONGEST: Duration = Duration::from_secs(TIMEOUT.as_secs() * 4);

/// One attack: the number of concurrent connections, and the bytes that each sends.
#[derive(Clone, Copy)]
struct Attack {
    name: &'static str,
    at_once: usize,
    is_tls: bool,
    first: &'static [u8],
    /// Sent repeatedly, as long as the connection accepts it.
    then: &'static [u8],
    pause: Duration,
}

const SECONDLY: Duration = Duration::from_millis(300);
const SILENT: Attack =
    Attack { name: "silent", at_once: 30, is_tls: false, first: b"", then: b"", pause: SECONDLY };

fn all() -> [Attack; 10] {
    let get = b"GET /api/v1/pods HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let post = b"POST /api/v1/namespaces/default/configmaps HTTP/1.1\r\nHost: localhost\r\n\
                 Content-Type: application/json\r\n";
    let body: &'static [u8] = [&post[..], b"Content-Length: 100\r\n\r\n{"].concat().leak();
    let chunk: &'static [u8] = [&post[..], b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"].concat().leak();
    // A request for `/` on a stream, and its end: HEADERS with indexed fields, then RST_STREAM.
    let reset = b"\0\0\x03\x01\x05\0\0\0\x01\x82\x84\x86\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08";
    [
        SILENT,
        Attack { name: "silent over TLS", is_tls: true, ..SILENT },
        Attack { name: "half a handshake", is_tls: true, first: b"\x16\x03\x01\x02\0\x01", ..SILENT },
        Attack { name: "slow head", first: b"GET / HTTP/1.1\r\n", then: b"A", ..SILENT },
        Attack { name: "body that never comes", at_once: 10, first: body, ..SILENT },
        Attack { name: "chunk that never comes", at_once: 10, first: chunk, ..SILENT },
        Attack { name: "idle HTTP/2", first: PREFACE, ..SILENT },
        Attack {
            name: "HTTP/2 pings",
            at_once: 2,
            first: PREFACE,
            then: b"\0\0\x08\x06\0\0\0\0\0abcdefgh",
            pause: Duration::ZERO,
            ..SILENT
        },
        Attack {
            name: "HTTP/2 resets",
            at_once: 2,
            first: PREFACE,
            then: reset,
            pause: Duration::ZERO,
            ..SILENT
        },
        Attack { name: "reads nothing", at_once: 5, first: get, ..SILENT },
    ]
}

/// Runs all attacks until `until`. Returns the number of connections of each.
///
/// # Errors
///
/// A connection that the server did not end in time.
pub(crate) async fn run(server: &Served, until: Instant) -> Result<String, String> {
    let mut attacks = JoinSet::new();
    for attack in all() {
        let address = if attack.is_tls { server.tls } else { server.plain };
        attacks.spawn(again(attack, address, until));
    }
    let mut counts = Vec::new();
    while let Some(ended) = attacks.join_next().await {
        counts.push(ended.map_err(|error| error.to_string())??);
    }
    counts.sort();
    Ok(counts.join(", "))
}

async fn again(attack: Attack, address: SocketAddr, until: Instant) -> Result<String, String> {
    let mut count = 0;
    while Instant::now() < until {
        let mut connections = JoinSet::new();
        for _ in 0..attack.at_once {
            connections.spawn(connection(attack, address));
        }
        while let Some(ended) = connections.join_next().await {
            count += ended.map_err(|error| error.to_string())??;
        }
        sleep(Duration::from_millis(50)).await;
    }
    Ok(format!("{count} × {}", attack.name))
}

/// Keeps one connection until the server ends it; returns 0 if it was refused.
async fn connection(attack: Attack, address: SocketAddr) -> Result<usize, String> {
    let Ok(mut stream) = TcpStream::connect(address).await else { return Ok(0) };
    let begun = Instant::now();
    if stream.write_all(attack.first).await.is_err() {
        return Ok(0);
    }
    let (mut reads, mut writes) = stream.split();
    let mut read = [0; 4096];
    let ended = async {
        if attack.name == "reads nothing" {
            sleep(TIMEOUT * 2).await;
        }
        while reads.read(&mut read).await.is_ok_and(|read| read > 0) {}
    };
    let sent = async {
        while !attack.then.is_empty() {
            if timeout(LONGEST, writes.write_all(attack.then)).await.is_ok_and(|written| written.is_err()) {
                return;
            }
            match attack.pause {
                Duration::ZERO => tokio::task::yield_now().await,
                pause => sleep(pause).await,
            }
            // The server responds to a client as long as it sends requests, so this client ends by itself.
            if attack.pause.is_zero() && begun.elapsed() > TIMEOUT {
                return;
            }
        }
        std::future::pending().await
    };
    tokio::select! {
        () = ended => Ok(1),
        () = sent => Ok(1),
        () = sleep(LONGEST) => Err(format!("a connection ({}) lasts longer than {LONGEST:?}", attack.name)),
    }
}
