//! A reader of JSON that is fast at skipping, which is most of the work of decoding a view. Figures and reasons:
//! `docs/decisions/0004-a-reader-of-json.md`.
//!
//! Nothing here knows objects or stores. Files, from the ground up: `marks` (bytes with a meaning), `skip` (ends of
//! values), `error`, `reader` (the reader), `tokens`, `key`, `access` and `deserializer` (serde's view of it).

mod access;
mod deserializer;
mod error;
mod key;
mod marks;
mod reader;
mod skip;
#[cfg(test)]
mod tests;
mod tokens;

use std::borrow::Cow;

use serde::Deserialize;

pub use self::{error::JsonError, reader::Json};

/// A string that borrows from the text unless it is escaped.
#[derive(Deserialize)]
pub(crate) struct Str<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);
