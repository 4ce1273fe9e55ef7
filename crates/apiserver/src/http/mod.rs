//! The HTTP side of a response: encodings, headers, and the documents that describe the server.

pub(crate) mod about;
mod discovery;
mod document;
pub(crate) mod encoding;
pub(crate) mod gzip;
pub(crate) mod head;
mod health;
mod openapi;
