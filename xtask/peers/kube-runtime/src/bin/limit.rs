//! The lower limit for informers that read JSON with serde: reads the same bytes from the same socket, and each line into
//! serde's `IgnoredAny`.
//!
//! `limit --url http://127.0.0.1:PORT --objects N --events M`

use http_body_util::BodyExt;
use kube::client::Body;
use kube::{Client, Config};
use peer_kube_runtime::{Cost, option, report};
use serde::de::IgnoredAny;
use std::error::Error;

const STREAM: &str = "/api/v1/pods?watch=true&sendInitialEvents=true&allowWatchBookmarks=true\
                      &resourceVersionMatch=NotOlderThan&timeoutSeconds=3600";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, objects, events): (String, usize, usize) =
        (option("url")?, option("objects")?, option("events")?);
    let client = Client::try_from(Config::new(url.parse()?))?;
    let empty = Cost::so_far()?;
    let answer = client.send(http::Request::get(STREAM).body(Body::empty())?).await?;
    let mut lines = Lines { body: answer.into_body(), partial: Vec::new() };
    lines.skip(objects + 1).await?; // and the bookmark after them
    let synced = Cost::so_far()?;
    report("informer/sync-cpu/bytes", "µs", synced.cpu_each(&empty, objects));

    let ask = http::Request::post(format!("/load/events?count={events}")).body(Vec::new())?;
    client.request_text(ask).await?;
    let before = Cost::so_far()?;
    lines.skip(events).await?;
    let followed = Cost::so_far()?;
    report("informer/follow-cpu/bytes", "µs", followed.cpu_each(&before, events));
    Ok(())
}

/// The lines of a body.
struct Lines {
    body: Body,
    /// The beginning of an incomplete line.
    partial: Vec<u8>,
}

impl Lines {
    /// Reads `count` lines, and the rest of the last frame.
    async fn skip(&mut self, count: usize) -> Result<(), Box<dyn Error>> {
        let mut seen = 0;
        while seen < count {
            let frame = self.body.frame().await.ok_or("the watch ended")??;
            let chunk = frame.into_data().unwrap_or_default();
            let mut from = 0;
            for end in memchr::memchr_iter(b'\n', &chunk) {
                if self.partial.is_empty() {
                    serde_json::from_slice::<IgnoredAny>(&chunk[from..end])?;
                } else {
                    self.partial.extend_from_slice(&chunk[from..end]);
                    serde_json::from_slice::<IgnoredAny>(&self.partial)?;
                    self.partial.clear();
                }
                from = end + 1;
                seen += 1;
            }
            self.partial.extend_from_slice(&chunk[from..]);
        }
        Ok(())
    }
}
