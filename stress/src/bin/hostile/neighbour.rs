//! The neighbour: a client that sends small requests all the time, on its own thread.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use tokio::time::Instant;

/// The pause between two requests.
const PAUSE: Duration = Duration::from_millis(5);

/// Measures the 99th percentile of the latency of small GETs over one connection.
pub(crate) async fn measure(address: SocketAddr, time: Duration) -> Result<Duration, String> {
    let measured = tokio::task::spawn_blocking(move || latencies(address, time)).await;
    let mut latencies =
        measured.map_err(|error| error.to_string())?.map_err(|error| format!("a neighbour: {error}"))?;
    latencies.sort();
    let p99 = latencies.get(latencies.len() * 99 / 100);
    p99.copied().ok_or_else(|| "the neighbour asked nothing".to_owned())
}

fn latencies(address: SocketAddr, time: Duration) -> std::io::Result<Vec<Duration>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (mut latencies, mut answer) = (Vec::new(), vec![0; 1 << 14]);
    let end = Instant::now() + time;
    while Instant::now() < end {
        let begun = Instant::now();
        stream.write_all(b"GET /api/v1/namespaces/default HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut read = 0;
        while !answer[..read].ends_with(b"}") {
            match stream.read(&mut answer[read..])? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                more => read += more,
            }
        }
        latencies.push(begun.elapsed());
        thread::park_timeout(PAUSE);
    }
    Ok(latencies)
}
