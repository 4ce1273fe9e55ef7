//! [`Lines`]: a body, line by line. A body that ends within a line is an error, not silence.

use bytes::Bytes;
use tokio::time::Duration;

use super::{error::SourceError, incoming::Incoming};

pub(crate) struct Lines {
    body: Incoming,
    /// What came and was not read yet.
    chunk: Bytes,
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(body: Incoming) -> Self {
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
            match self.body.next(patience).await? {
                None if self.partial.is_empty() => return Ok(None),
                None => return Err(SourceError::truncated()),
                Some(part) => self.chunk = part,
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
