//! Headers of every response: its id, and whether it may be cached.

use std::{
    hash::{DefaultHasher, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

/// Names a request in logs.
const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");
/// The longest id that a client may choose.
const LONGEST: usize = 64;

/// Numbers answers.
#[derive(Debug, Default)]
pub(crate) struct Marks(AtomicU64);

/// The id that a request asks for; `None` leaves it to the server.
#[derive(Debug)]
pub(crate) struct Wanted(Option<HeaderValue>);

impl Wanted {
    /// The id that a client sends.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let id = headers.get(AUDIT_ID).filter(|id| !id.is_empty() && id.len() <= LONGEST);
        Self(id.cloned())
    }
}

impl Marks {
    /// Gives `answer` its id, and says that it must not be kept, unless it says otherwise itself.
    pub(crate) fn mark<B>(&self, mut answer: Response<B>, wanted: Wanted) -> Response<B> {
        let id = wanted.0.unwrap_or_else(|| {
            let number = self.0.fetch_add(1, Ordering::Relaxed); // unique is all it has to be
            let id = format!("{:08x}-{:04x}-4000-8000-{number:012x}", number >> 32, number >> 48);
            HeaderValue::from_str(&id).expect("digits and dashes")
        });
        let headers = answer.headers_mut();
        headers.insert(AUDIT_ID, id);
        let private = HeaderValue::from_static("no-cache, private");
        headers.entry(header::CACHE_CONTROL).or_insert(private);
        answer
    }
}

/// A document that clients may keep: with a tag that changes with it, and without a body for whoever has it already.
pub(super) fn cached(mut document: Response<Bytes>, headers: &HeaderMap) -> Response<Bytes> {
    let mut hasher = DefaultHasher::new();
    hasher.write(document.body());
    let tag = format!("\"{:016X}\"", hasher.finish());
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    if known.flat_map(|value| value.split(',')).any(|one| one.trim() == tag) {
        *document.status_mut() = StatusCode::NOT_MODIFIED;
        *document.body_mut() = Bytes::new();
    }
    let head = document.headers_mut();
    head.insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    head.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits"));
    head.append(header::VARY, HeaderValue::from_static("Accept"));
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_an_id_and_a_client_s_own_is_kept() {
        let marks = Marks::default();
        let id = |headers: &HeaderMap| {
            let answer = marks.mark(Response::new(()), Wanted::of(headers));
            assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-cache, private");
            answer.headers()[AUDIT_ID].to_str().expect("text").to_owned()
        };
        let (one, other) = (id(&HeaderMap::new()), id(&HeaderMap::new()));
        assert_ne!(one, other);
        assert_eq!(one.len(), 36, "{one}");
        let mine = [(AUDIT_ID, HeaderValue::from_static("mine"))].into_iter().collect();
        assert_eq!(id(&mine), "mine");
    }

    #[test]
    fn a_document_is_sent_once_to_whoever_keeps_it() {
        let document = || Response::new(Bytes::from_static(b"{}"));
        let first = cached(document(), &HeaderMap::new());
        assert_eq!((first.status(), &first.body()[..]), (StatusCode::OK, &b"{}"[..]));
        let known = [(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone())].into_iter().collect();
        let second = cached(document(), &known);
        assert_eq!((second.status(), second.body().len()), (StatusCode::NOT_MODIFIED, 0));
        let other = cached(Response::new(Bytes::from_static(b"[]")), &known);
        assert_eq!(other.status(), StatusCode::OK);
    }
}
