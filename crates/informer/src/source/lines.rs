//! [`Lines`]: the lines of a body. A body that ends within a line is an error.

use bytes::Bytes;
use tokio::time::Duration;

use super::{error::SourceError, incoming::Incoming};

pub(crate) struct Lines {
    body: Incoming,
    /// Bytes that were received and not read yet.
    chunk: Bytes,
    /// The beginning of a line whose end has not arrived.
    partial: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(body: Incoming) -> Self {
        Self { body, chunk: Bytes::new(), partial: Vec::new() }
    }

    /// Returns the next line without its line break; `None` if the body has ended in order.
    ///
    /// A `next` dropped before it completes has lost nothing.
    pub(crate) async fn next(&mut self, limit: Duration) -> Result<Option<Bytes>, SourceError> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.chunk) {
                let rest = self.chunk.split_off(end + 1);
                let line = std::mem::replace(&mut self.chunk, rest).split_to(end);
                return Ok(Some(self.completed(line)));
            }
            self.partial.extend_from_slice(&self.chunk);
            self.chunk = Bytes::new();
            match self.body.next(limit).await? {
                None if self.partial.is_empty() => return Ok(None),
                None => return Err(SourceError::truncated()),
                Some(part) => self.chunk = part,
            }
        }
    }

    /// Usually a line is part of one chunk, and nothing is copied.
    fn completed(&mut self, end: Bytes) -> Bytes {
        if self.partial.is_empty() {
            return end;
        }
        let mut line = std::mem::take(&mut self.partial);
        line.extend_from_slice(&end);
        line.into()
    }
}
