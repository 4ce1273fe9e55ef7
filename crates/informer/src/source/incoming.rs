//! [`Incoming`]: the body of a response, part by part, decompressed and counted.

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
    /// The decoder of a compressed response. The body may have many gzip members: a server since 1.37 makes one
    /// of each flush, and a decoder of a single member would end silently after the first.
    decoder: Option<MultiGzDecoder<Vec<u8>>>,
    /// Bytes of all responses, before decompression.
    received: Arc<AtomicU64>,
}

impl Incoming {
    pub(super) fn new(response: Response<Body>, received: Arc<AtomicU64>) -> Self {
        let encoding = response.headers().get(header::CONTENT_ENCODING);
        let is_gzip = encoding.is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
        let decoder = is_gzip.then(|| MultiGzDecoder::new(Vec::new()));
        Self { body: response.into_body(), decoder, received }
    }

    /// Returns the next part; `None` if the body has ended in order.
    ///
    /// A `next` dropped before it completes has lost nothing.
    pub(crate) async fn next(&mut self, limit: Duration) -> Result<Option<Bytes>, SourceError> {
        loop {
            let frame = timeout(limit, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| SourceError::idle(limit))? else {
                return self.end().map_err(SourceError::gzip);
            };
            let part = frame.map_err(SourceError::cut)?.into_data().unwrap_or_default();
            // Relaxed: nothing depends on the count.
            self.received.fetch_add(part.len() as u64, Ordering::Relaxed);
            match &mut self.decoder {
                None => return Ok(Some(part)),
                Some(decoder) => {
                    let text = decompress(decoder, &part).map_err(SourceError::gzip)?;
                    if !text.is_empty() {
                        return Ok(Some(text));
                    }
                }
            }
        }
    }

    /// Returns the rest after the last part. A body that ends within a gzip member is an error.
    fn end(&mut self) -> io::Result<Option<Bytes>> {
        let Some(mut decoder) = self.decoder.take() else { return Ok(None) };
        decoder.try_finish()?;
        let text = std::mem::take(decoder.get_mut());
        Ok((!text.is_empty()).then(|| text.into()))
    }
}

fn decompress(decoder: &mut MultiGzDecoder<Vec<u8>>, part: &[u8]) -> io::Result<Bytes> {
    decoder.write_all(part)?;
    decoder.flush()?;
    Ok(std::mem::take(decoder.get_mut()).into())
}
