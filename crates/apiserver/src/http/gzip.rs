//! [`Compression`]: answers that are sent compressed to those who can read it, as upstream sends large ones.

use std::{
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, Response, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;

use crate::wire::body::ResponseBody;

/// Answers that are known to be shorter are sent as they are: upstream's threshold.
const THRESHOLD: u64 = 128 * 1024;
/// The fastest: upstream's choice.
const LEVEL: flate2::Compression = flate2::Compression::fast();
/// The bytes that are compressed before other connections have their turn: a small part of a millisecond's work.
const PIECE: usize = 16 * 1024;

/// The encodings that a client accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Identity,
    Gzip,
}

impl Compression {
    /// Reads the encodings that a request's headers allow.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT_ENCODING).iter();
        let mut accepted =
            accepted.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let takes_gzip = accepted.any(|coding| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip") && !matches!(quality.trim(), "q=0" | "q=0.0")
        });
        if takes_gzip { Self::Gzip } else { Self::Identity }
    }

    /// Whether the client takes gzip.
    pub(crate) fn is_gzip(self) -> bool {
        self == Self::Gzip
    }

    /// Compresses `answer` if that pays. Watches are not to be brought here: their lines would wait for each other.
    pub(crate) fn of_answer(self, mut answer: Response<ResponseBody>) -> Response<ResponseBody> {
        let is_large = answer.body().size_hint().exact().is_none_or(|size| size >= THRESHOLD);
        let headers = answer.headers_mut();
        if self == Self::Identity || !is_large || headers.contains_key(header::CONTENT_ENCODING) {
            return answer;
        }
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.remove(header::CONTENT_LENGTH);
        answer.map(|plain| {
            let encoder = Some(GzEncoder::new(Vec::new(), LEVEL));
            Compressed { plain, encoder, waiting: Bytes::new(), has_yielded: false }.boxed_unsync()
        })
    }
}

/// A body on its way through the encoder, frame by frame.
struct Compressed {
    plain: ResponseBody,
    /// `None` once the end was written.
    encoder: Option<GzEncoder<Vec<u8>>>,
    /// The rest of a frame that has not been compressed.
    waiting: Bytes,
    /// Whether other connections had their turn since the last piece.
    has_yielded: bool,
}

impl Body for Compressed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        while let Some(encoder) = &mut this.encoder {
            if !this.waiting.is_empty() {
                if !std::mem::replace(&mut this.has_yielded, true) {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                this.has_yielded = false;
                let piece = this.waiting.split_to(PIECE.min(this.waiting.len()));
                encoder.write_all(&piece)?;
                let ready = std::mem::take(encoder.get_mut());
                if !ready.is_empty() {
                    return Poll::Ready(Some(Ok(Frame::data(ready.into()))));
                }
                continue;
            }
            match std::task::ready!(Pin::new(&mut this.plain).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue }; // no answer has trailers
                    this.waiting = data;
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    let rest = this.encoder.take().map(GzEncoder::finish).transpose()?;
                    return Poll::Ready(rest.map(|rest| Ok(Frame::data(rest.into()))));
                }
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use http::StatusCode;

    use super::*;
    use crate::wire::body;

    fn accepting(value: &'static str) -> Compression {
        Compression::of(&[(header::ACCEPT_ENCODING, HeaderValue::from_static(value))].into_iter().collect())
    }

    #[test]
    fn gzip_is_sent_to_those_who_ask_for_it() {
        assert_eq!(accepting("deflate, gzip;q=1.0"), Compression::Gzip);
        assert_eq!(accepting("identity"), Compression::Identity);
        assert_eq!(accepting("gzip;q=0"), Compression::Identity);
        assert_eq!(Compression::of(&HeaderMap::new()), Compression::Identity);
    }

    #[tokio::test]
    async fn large_answers_come_out_as_they_went_in() {
        let small = Compression::Gzip.of_answer(body::json(StatusCode::OK, Bytes::from_static(b"{}")));
        assert!(!small.headers().contains_key(header::CONTENT_ENCODING));
        let text = "abcdefghij".repeat(20_000);
        let large = Compression::Gzip.of_answer(body::json(StatusCode::OK, text.clone().into()));
        assert_eq!(large.headers()[header::CONTENT_ENCODING], "gzip");
        let sent = large.into_body().collect().await.expect("a body").to_bytes();
        assert!(sent.len() < text.len() / 10, "{} bytes", sent.len());
        let mut read = String::new();
        flate2::read::GzDecoder::new(&*sent).read_to_string(&mut read).expect("one whole member");
        assert_eq!(read, text);
    }

    /// Fails if a large frame is compressed in one go.
    #[test]
    fn other_connections_have_their_turn_between_pieces() {
        let text = "abcdefghij".repeat(20_000);
        let pieces = text.len().div_ceil(PIECE);
        let mut sent = Compression::Gzip.of_answer(body::json(StatusCode::OK, text.into())).into_body();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut turns = 0;
        loop {
            match Pin::new(&mut sent).poll_frame(&mut context) {
                Poll::Pending => turns += 1,
                Poll::Ready(Some(frame)) => drop(frame.expect("a frame")),
                Poll::Ready(None) => break,
            }
        }
        assert_eq!(turns, pieces);
    }
}
