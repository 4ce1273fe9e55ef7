//! [`Continue`]: where the next page of a list begins, in upstream's form.

use base64::{DecodeError, Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{api::key::Key, wire::negotiate::go_s_words};

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

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
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

    /// Reads a token.
    ///
    /// # Errors
    ///
    /// Upstream's reason, if it is none of ours.
    pub(crate) fn decode(token: &str) -> Result<Self, String> {
        let text = URL_SAFE_NO_PAD.decode(token).map_err(|error| {
            let place = match error {
                DecodeError::InvalidByte(place, _) | DecodeError::InvalidLastSymbol(place, _) => place,
                // A group of less than two letters stands for no byte.
                _ => token.len() - token.len() % 4,
            };
            format!("illegal base64 data at input byte {place}")
        })?;
        let wire: Wire = serde_json::from_slice(&text).map_err(|error| go_s_words(&error, &text))?;
        if wire.v != FORMAT {
            return Err(format!("server does not recognize this encoded version {}", wire.v));
        }
        let version = match wire.rv {
            0 => return Err(format!("incorrect encoded start resourceVersion (version {FORMAT})")),
            -1 => None,
            version => Some(u64::try_from(version).unwrap_or_default()),
        };
        if wire.start.is_empty() {
            return Err(format!("encoded start key empty (version {FORMAT})"));
        }
        let after = wire.start.strip_suffix('\0').unwrap_or(&wire.start);
        Ok(Self { version, after: Key::from_text(after) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_as_they_were_and_nothing_else_is_one() {
        for version in [Some(7), None] {
            let token = Continue { version, after: Key::new("default", "web") };
            assert_eq!(Continue::decode(&token.encode()), Ok(token));
        }
        for (text, because) in [
            ("!", "illegal base64 data at input byte 0"),
            ("x", "illegal base64 data at input byte 0"),
            ("e30", "server does not recognize this encoded version "),
            (
                "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ",
                "incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
            ),
        ] {
            assert_eq!(Continue::decode(text).unwrap_err(), because, "{text}");
        }
    }
}
