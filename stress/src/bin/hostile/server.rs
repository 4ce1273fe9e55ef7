//! The server under attack. It has its own process, so that its CPU time and memory can be measured.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, sleep},
};
use trimtab_apiserver::ApiServer;

/// The timeout of the server's connections, short enough to occur in a run.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);
/// The number of connections that the server accepts at a time.
pub(crate) const CONNECTIONS: usize = 200;

/// Serves until standard input ends, and prints its two addresses.
pub(crate) async fn serve() -> Result<(), String> {
    let server = ApiServer::builder().connection_timeout(TIMEOUT).max_connections(CONNECTIONS).start();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let plain = server.listen(any).await.map_err(|error| error.to_string())?;
    let tls = server.listen_tls(any).await.map_err(|error| error.to_string())?;
    println!("{plain}\n{tls}");
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    ended.map_err(|error| error.to_string())?.map(drop).map_err(|error| error.to_string())
}

/// The server process, which ends when this value is dropped.
pub(crate) struct Served {
    process: Child,
    pub(crate) plain: SocketAddr,
    pub(crate) tls: SocketAddr,
}

impl Served {
    pub(crate) async fn start() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("starting the server: {error}");
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        let mut process =
            command.arg("--serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let addresses = tokio::task::spawn_blocking(|| {
            let lines = BufReader::new(stdout).lines().take(2);
            lines.collect::<std::io::Result<Vec<String>>>()
        });
        let addresses = addresses.await.map_err(|error| error.to_string())?.map_err(failed)?;
        let address = |text: Option<&String>| text.and_then(|text| text.parse().ok()).ok_or("no address");
        Ok(Self { plain: address(addresses.first())?, tls: address(addresses.get(1))?, process })
    }

    /// Waits until a new connection is served, after the end of the attackers' connections.
    pub(crate) async fn is_well(&self, within: Duration) -> Result<(), String> {
        let deadline = Instant::now() + within.max(TIMEOUT * 2);
        while Instant::now() < deadline {
            if ask(self.plain).await.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Err(format!("no new connection was served {within:?} after the attacks"))
    }

    /// Returns the peak memory of the process in bytes.
    pub(crate) fn peak_memory(&self) -> Result<u64, String> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kilobytes.map(|kilobytes| kilobytes << 10).ok_or_else(|| format!("{path} has no peak memory"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.stdin.take()); // it ends by itself
        self.process.wait().ok();
    }
}

/// Returns the beginning of the response to a small GET over a new connection.
async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
