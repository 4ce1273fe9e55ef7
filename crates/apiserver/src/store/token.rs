//! [`Continue`]: where the next page of a list begins, in upstream's form.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::api::key::Key;

const FORMAT: &str = "meta.k8s.io/v1";

/// The place after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Continue {
    /// The version that all pages show; `None` after it was compacted away: the rest is shown as it
    /// is now, and the list is inconsistent.
    pub(crate) version: Option<u64>,
    /// The last key of the page before.
    pub(crate) after: Key,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    v: String,
    rv: i64,
    start: String,
}

impl Continue {
    /// The token as clients send it back.
    pub(crate) fn encode(&self) -> String {
        let version = self.version.map_or(-1, |version| i64::try_from(version).unwrap_or(i64::MAX));
        let wire = Wire { v: FORMAT.to_owned(), rv: version, start: format!("{}\0", self.after) };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wire).expect("plain fields can be written"))
    }

    /// Reads a token; `None` if it is none of ours.
    pub(crate) fn decode(token: &str) -> Option<Self> {
        let wire: Wire = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
        let version = match wire.rv {
            -1 => None,
            version => Some(u64::try_from(version).ok().filter(|version| *version > 0)?),
        };
        let after = wire.start.strip_suffix('\0').filter(|_| wire.v == FORMAT)?;
        Some(Self { version, after: Key::from_text(after) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_were_and_nothing_else_is_one() {
        for version in [Some(7), None] {
            let token = Continue { version, after: Key::new("default", "web") };
            assert_eq!(Continue::decode(&token.encode()), Some(token));
        }
        for text in ["", "!", "e30", "eyJ2IjoidjAiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0"] {
            assert_eq!(Continue::decode(text), None, "{text}");
        }
    }
}
