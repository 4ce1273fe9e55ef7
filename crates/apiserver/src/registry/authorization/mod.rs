//! The group `authorization.k8s.io`: reviews, which are answered and never stored.

mod local_subject_access_review;
mod self_subject_access_review;
mod self_subject_rules_review;
mod subject_access_review;

use crate::registry::Kind;

/// Lists the kinds of the group.
pub(super) fn kinds() -> Vec<Kind> {
    vec![
        local_subject_access_review::kind(),
        self_subject_access_review::kind(),
        self_subject_rules_review::kind(),
        subject_access_review::kind(),
    ]
}
