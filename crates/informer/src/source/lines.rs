//! [`Lines`]: a body, line by line. A body that ends within a line is an error, not silence.

use bytes::Bytes;
use http_body_util::BodyExt;
use kube_client::client::Body;
use tokio::time::{Duration, timeout};

use super::error::SourceError;

pub(crate) struct Lines {
    body: Body,
    /// What came and was not read yet.
    chunk: Bytes,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(body: Body) -> Self {
        Self { body, chunk: Bytes::new(), partial: Vec::new() }
    }

    /// The next line, without its end; `None` when the body has ended in order.
    ///
    /// Dropped before it completes, it has lost nothing.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, SourceError> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.chunk) {
                let rest = self.chunk.split_off(end + 1);
                let line = std::mem::replace(&mut self.chunk, rest).split_to(end);
                return Ok(Some(self.completed(line)));
            }
            self.partial.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            let frame =
                timeout(patience, self.body.frame()).await.map_err(|_| SourceError::idle(patience))?;
            match frame {
                None if self.partial.is_empty() => return Ok(None),
                None => return Err(SourceError::truncated()),
                Some(frame) => {
                    self.chunk = frame.map_err(SourceError::cut)?.into_data().unwrap_or_default();
                }
            }
        }
    }

    /// Usually a line is a part of a chunk, and nothing is copied.
    fn completed(&mut self, end: Bytes) -> Bytes {
        if self.partial.is_empty() {
            return end;
        }
        let mut line = std::mem::take(&mut self.partial);
        line.extend_from_slice(&end);
        line.into()
    }
}
