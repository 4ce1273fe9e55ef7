//! [`Incoming`]: the body of an answer, part by part: unpacked if the server packed it, and counted.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use http::{Response, header};
use http_body_util::BodyExt;
use kube_client::client::Body;
use tokio::time::{Duration, timeout};

use super::error::SourceError;

pub(crate) struct Incoming {
    body: Body,
    /// Of an answer that is packed. It may come in many members: a server from 1.37 on packs each flush
    /// by itself, and decoders of a single member end there without a word.
    unpacker: Option<MultiGzDecoder<Vec<u8>>>,
    /// Bytes as they came, of all answers.
    received: Arc<AtomicU64>,
}

impl Incoming {
    pub(super) fn new(answer: Response<Body>, received: Arc<AtomicU64>) -> Self {
        let encoding = answer.headers().get(header::CONTENT_ENCODING);
        let is_packed = encoding.is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
        let unpacker = is_packed.then(|| MultiGzDecoder::new(Vec::new()));
        Self { body: answer.into_body(), unpacker, received }
    }

    /// The next part; `None` when the body has ended in order.
    ///
    /// Dropped before it completes, it has lost nothing.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, SourceError> {
        loop {
            let frame = timeout(patience, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| SourceError::idle(patience))? else {
                return self.end().map_err(SourceError::packed);
            };
            let part = frame.map_err(SourceError::cut)?.into_data().unwrap_or_default();
            // Relaxed: a count that nothing is decided by.
            self.received.fetch_add(part.len() as u64, Ordering::Relaxed);
            match &mut self.unpacker {
                None => return Ok(Some(part)),
                Some(unpacker) => {
                    let text = unpack(unpacker, &part).map_err(SourceError::packed)?;
                    if !text.is_empty() {
                        return Ok(Some(text));
                    }
                }
            }
        }
    }

    /// What is left behind the last part. A body that ends within a member is an error, not silence.
    fn end(&mut self) -> io::Result<Option<Bytes>> {
        let Some(mut unpacker) = self.unpacker.take() else { return Ok(None) };
        unpacker.try_finish()?;
        let text = std::mem::take(unpacker.get_mut());
        Ok((!text.is_empty()).then(|| text.into()))
    }
}

fn unpack(unpacker: &mut MultiGzDecoder<Vec<u8>>, part: &[u8]) -> io::Result<Bytes> {
    unpacker.write_all(part)?;
    unpacker.flush()?;
    Ok(std::mem::take(unpacker.get_mut()).into())
}
