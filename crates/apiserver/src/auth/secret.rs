//! [`Secret`]: a bearer token, from the operating system's randomness and never from the seeded generator.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRngCore, rngs::OsRng};

/// A text that lets its holder in. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Secret(String);

impl Secret {
    /// 256 bits that nobody can guess.
    pub(crate) fn new() -> Self {
        let mut bits = [0; 32];
        OsRng.try_fill_bytes(&mut bits).expect("the operating system gives random bytes");
        Self(BASE64_URL_SAFE_NO_PAD.encode(bits))
    }

    /// A text that somebody else has chosen.
    pub(crate) fn chosen(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl std::borrow::Borrow<str> for Secret {
    fn borrow(&self) -> &str {
        &self.0
    }
}
