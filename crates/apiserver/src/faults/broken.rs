//! Faults of a response's body: odd pieces, or compression in many gzip members. Clients
//! have to read both; most are only ever tested with bodies in one piece.

use std::{
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use flate2::write::GzEncoder;
use http::{HeaderValue, Response, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;

use crate::{api::chance::mix, http::gzip::Compression, wire::body::ResponseBody};

/// The longest piece, in bytes: shorter than most events, so that none comes whole.
const LONGEST: u64 = 97;

/// How a body is taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breakage {
    /// Pieces of odd lengths.
    Pieces,
    /// Each piece of odd length is a gzip member of its own.
    Members,
}

/// Takes the body of `answer` apart, at places that `seed` decides.
pub(crate) fn broken(
    mut answer: Response<ResponseBody>,
    how: Breakage,
    client: Compression,
    seed: u64,
) -> Response<ResponseBody> {
    if how == Breakage::Members {
        let headers = answer.headers_mut();
        if !client.is_gzip() || headers.contains_key(header::CONTENT_ENCODING) {
            return answer; // who cannot read it is not sent it
        }
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer.headers_mut().remove(header::CONTENT_LENGTH);
    answer.map(|whole| Broken { whole, how, seed, taken: 0, rest: Bytes::new() }.boxed_unsync())
}

struct Broken {
    whole: ResponseBody,
    how: Breakage,
    seed: u64,
    /// How many pieces were made.
    taken: u64,
    rest: Bytes,
}

impl Broken {
    fn piece(&mut self) -> io::Result<Bytes> {
        self.taken += 1;
        let length = usize::try_from(1 + mix(self.seed, self.taken, 0) % LONGEST).unwrap_or(1);
        let piece = self.rest.split_to(length.min(self.rest.len()));
        match self.how {
            Breakage::Pieces => Ok(piece),
            Breakage::Members => {
                let mut member = GzEncoder::new(Vec::new(), flate2::Compression::fast());
                member.write_all(&piece)?;
                member.finish().map(Bytes::from)
            }
        }
    }
}

impl Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        while self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.whole).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        Poll::Ready(Some(self.piece().map(Frame::data)))
    }
}
