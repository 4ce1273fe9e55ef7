//! [`Case`]: one rule of the API, where it comes from, and the requests that show it.

use crate::answer::Mismatch;
use crate::site::Site;
use futures_util::future::BoxFuture;

/// Whether a server kept the rule.
pub(crate) type Outcome = Result<(), Mismatch>;

/// One rule, and how a server is asked whether it keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The rule in a sentence.
    pub(crate) rule: &'static str,
    /// Who says so upstream.
    pub(crate) source: &'static str,
    pub(crate) run: fn(Site) -> BoxFuture<'static, Outcome>,
}

/// Declares a file's cases: the rule as a doc comment, its source, and the requests.
macro_rules! cases {
    ($($(#[doc = $rule:literal])+ #[source($source:literal)] async fn $name:ident($site:ident) $body:block)+) => {
        pub(super) const CASES: &[crate::case::Case] = &[$(crate::case::Case {
            name: stringify!($name),
            rule: concat!($($rule),+),
            source: $source,
            run: |$site| Box::pin(async move {
                $body
                Ok(())
            }),
        }),+];
    };
}

pub(crate) use cases;
