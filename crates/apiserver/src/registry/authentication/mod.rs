//! The group `authentication.k8s.io`: reviews, which are answered and never stored.

mod self_subject_review;
mod token_review;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![self_subject_review::kind(), token_review::kind()]
}
